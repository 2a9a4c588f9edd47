//! `ipc queue verify`.

use serde_json::json;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{self, Column, Columns, Json};
use crate::app::options::{Format, Waiting};
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::output::{Key, Type, Value};
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
    const JSON: &'static [Json] = &[Json::object::<Report>()];

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
            let findings = found.iter().map(|&finding| (in_words(finding), self.repairs(finding)));
            let report = Report { findings: findings.collect() };
            return Ok(listing::line(&report, &mut context.output)?);
        }
        let repaired = if self.repair { "repaired: " } else { "" };
        for &finding in found.iter().filter(|finding| finding.is_repairable()) {
            context.output.line(format_args!("{repaired}{}", in_words(finding)))?;
        }
        Ok(())
    }

    /// Whether it has repaired this.
    fn repairs(&self, finding: Finding) -> bool {
        self.repair && finding.is_repairable()
    }
}

/// What --json prints.
#[derive(Debug)]
struct Report {
    /// What is wrong, and whether it has been repaired.
    findings: Vec<(&'static str, bool)>,
}

/// The keys of a finding.
const FINDING: &[Key] = &[
    Key::new("finding", Type::Word, "What is wrong"),
    Key::new("repaired", Type::Flag, "Whether --repair has repaired it"),
];

impl Columns for Report {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("whole", Type::Flag, "Whether nothing is wrong"), |it| {
            it.findings.is_empty().into()
        }),
        Column::new(Key::new("findings", Type::Objects(FINDING), "What is wrong"), |it| {
            let json = |(finding, repaired)| json!({ "finding": finding, "repaired": repaired });
            Value::Several(it.findings.iter().copied().map(json).collect(), Vec::new())
        }),
    ];
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
