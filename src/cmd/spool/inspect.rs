//! `ipc spool ls` and `stat`.

use serde_json::{Value, json};

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::ownership;
use crate::app::options::Format;
use crate::base::exit::{Exit, Subject};
use crate::base::name::FilePath;
use crate::io::output::Record;
use crate::mechanism::spool::directory::{Part, Spool};
use crate::mechanism::spool::entry::Entry;
use crate::mechanism::spool::failure;
use crate::mechanism::spool::list::{self, State};
use crate::sys::{process, time};

use super::{explain, open};

/// List the messages of a spool
///
/// They are in the order in which they are taken. 'state' is ready, delayed, claimed or failed,
/// 'age' the seconds since the put, 'attempts' the number of COMMANDs that were started for it, and
/// 'worker' the processes that hold its claim: the worker, COMMAND and its children. With --failed
/// the messages are those in failed/, with the status of the last COMMAND; JSON has also the end of
/// its standard error.
#[derive(Debug, clap::Args, Plain)]
pub struct Ls {
    /// Path of the spool
    directory: FilePath,
    /// List the messages whose last attempt failed
    #[arg(long)]
    failed: bool,
    #[command(flatten)]
    format: Format,
}

impl Action for Ls {
    const EXAMPLES: &'static [Example] = &[
        ("See what waits", "ipc spool ls ./jobs"),
        ("See why messages failed", "ipc spool ls --failed --json ./jobs | jq -r '.[].stderr'"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let spool = open(&self.directory)?;
        let output = &mut context.output;
        let part = if self.failed { Part::Failed } else { Part::Ready };
        let (now, mut all) = (time::now(), Vec::new());
        let listed = list::each(&spool, part, |messages| {
            all.extend(messages.iter().map(|(entry, state)| row(&spool, entry, state, now)));
            Ok::<_, crate::base::errno::Errno>(())
        });
        listed.map_err(|errno| explain(errno, &self.directory)).about(&self.directory)?;
        output.list(&all, self.format)?;
        Ok(Exit::Done)
    }
}

/// A message of a list.
fn row(spool: &Spool, entry: &Entry, state: &State, now: u64) -> Record {
    let (word, workers) = match state {
        State::Ready => ("ready", &[][..]),
        State::Delayed => ("delayed", &[][..]),
        State::Claimed(pids) => ("claimed", pids.as_slice()),
        State::Failed => ("failed", &[][..]),
    };
    let record = Record::new()
        .bytes("name", entry.message_name().bytes())
        .word("state", word)
        .number("priority", entry.priority)
        .number("age", seconds(now.saturating_sub(entry.put)))
        .number("attempts", entry.attempts);
    if *state == State::Failed {
        return with_report(record, failure::read(spool, entry));
    }
    let holders: Vec<String> = workers.iter().map(|pid| named(*pid)).collect();
    let text = if holders.is_empty() { "-".to_owned() } else { holders.join(", ") };
    record.time("due", (entry.due / 1_000_000_000) as i64).field(
        "worker",
        Value::from(workers.to_vec()),
        text.into_bytes(),
    )
}

fn with_report(record: Record, report: Option<failure::Report>) -> Record {
    let report = report.unwrap_or_default();
    record
        .number("status", report.status)
        .bytes("reason", report.reason.as_bytes())
        .json_only("stderr", crate::io::output::json_bytes(&report.stderr))
}

fn named(pid: i32) -> String {
    format!("{pid} ({})", String::from_utf8_lossy(&process::command(pid)))
}

fn seconds(nanoseconds: u64) -> u64 {
    nanoseconds / 1_000_000_000
}

/// Show all that is known of a spool
///
/// 'ready' counts the messages that can be taken, 'delayed' those that wait for their time,
/// 'claimed' those with a worker, 'failed' those whose last attempt failed, and 'quarantined' the
/// files that cannot be messages. 'oldest' is the age, in seconds, of the oldest message that waits
/// or is claimed.
#[derive(Debug, clap::Args, Plain)]
pub struct Stat {
    /// Path of the spool
    directory: FilePath,
    #[command(flatten)]
    format: Format,
}

impl Action for Stat {
    const EXAMPLES: &'static [Example] = &[
        ("See how much waits", "ipc spool stat ./jobs"),
        ("Ask from a program", "ipc spool stat --json ./jobs | jq .ready"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let spool = open(&self.directory)?;
        let counts = list::count(&spool).map_err(|errno| explain(errno, &self.directory));
        let counts = counts.about(&self.directory)?;
        let oldest = counts.oldest.map(|put| seconds(time::now().saturating_sub(put)));
        let record = Record::new()
            .bytes("name", self.directory.as_ref().as_encoded_bytes())
            .number("ready", counts.ready)
            .number("delayed", counts.delayed)
            .number("claimed", counts.claimed)
            .number("failed", counts.failed)
            .number("quarantined", counts.quarantined);
        let record = match oldest {
            Some(oldest) => record.number("oldest", oldest),
            None => record.field("oldest", json!(null), b"-".as_slice()),
        };
        let record = record.flag("paused", spool.is_paused());
        let record = ownership(record, &spool.status().about(&self.directory)?);
        context.output.show(&record, self.format)?;
        Ok(Exit::Done)
    }
}
