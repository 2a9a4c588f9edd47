//! `ipc queue verify`.

use serde_json::json;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::options::{Format, Waiting};
use crate::base::exit::{Exit, Failure, Subject};
use crate::mechanism::queue::named::RingName;
use crate::mechanism::queue::ring::{Finding, Repair};

use super::{explain, locked, open};

/// Check whether a queue is whole
///
/// It prints nothing if the queue is whole. Otherwise it prints a line for each fault. The status is
/// 1 if --repair can repair the queue, which loses no message, and 3 if messages are damaged: then
/// it is unknown which bytes are messages.
///
/// The queue can be in use meanwhile; producers and consumers wait for a moment.
#[derive(Debug, clap::Args, Plain)]
pub struct Verify {
    /// Name of the queue
    name: RingName,
    /// Make the repairs that lose no message; the status is 0 if these were all
    #[arg(long)]
    repair: bool,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    waiting: Waiting,
}

impl Action for Verify {
    const EXAMPLES: &'static [Example] = &[
        ("Look after a crash of the machine", "ipc queue verify ./jobs"),
        ("Repair what can be", "ipc queue verify --repair ./jobs"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let ring = open(&self.name)?;
        let repair = if self.repair { Repair::WhatIsSafe } else { Repair::Never };
        let found = ring.verify(repair, self.waiting.deadline());
        let found = found.map_err(|error| explain(error, &self.name)).about(&self.name)?;
        let found = locked(found, &self.waiting).about(&self.name)?;
        self.print(&found, context)?;
        let damage = found.iter().find(|finding| !finding.is_repairable());
        match damage {
            Some(Finding::Damaged(what)) => {
                Err(Failure::failed(format!("corrupt: {what}"))).about(&self.name)
            }
            _ if found.is_empty() || self.repair => Ok(Exit::Done),
            _ => Ok(Exit::No),
        }
    }
}

impl Verify {
    fn print(&self, found: &[Finding], context: &mut Context) -> anyhow::Result<()> {
        if self.format.is_json() {
            let findings: Vec<_> = found.iter().map(|&finding| self.in_json(finding)).collect();
            let whole = found.is_empty();
            return Ok(context.output.json(&json!({ "whole": whole, "findings": findings }))?);
        }
        let repaired = if self.repair { "repaired: " } else { "" };
        for &finding in found.iter().filter(|finding| finding.is_repairable()) {
            context.output.line(format_args!("{repaired}{}", in_words(finding)))?;
        }
        Ok(())
    }

    fn in_json(&self, finding: Finding) -> serde_json::Value {
        let repaired = self.repair && finding.is_repairable();
        json!({ "finding": in_words(finding), "repaired": repaired })
    }
}

fn in_words(finding: Finding) -> &'static str {
    match finding {
        Finding::DeadLock => "a lock is held by a thread that does not exist",
        Finding::DoneAtHead => "the space of an acknowledged message is not given back",
        Finding::WrongCursor => "the cursor of claims is not at a message",
        Finding::WrongHint => "the remembered position of the other side is impossible",
        Finding::Damaged(what) => what,
    }
}
