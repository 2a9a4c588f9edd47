//! `ipc spool ls` and `stat`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{self, Block, Column, Columns, Json, Listing};
use crate::app::objects::{Owned, Ownership, columns};
use crate::app::options::Format;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Subject, about};
use crate::base::name::FilePath;
use crate::io::output::{Key, Type, Value};
use crate::mechanism::spool::directory::Spool;
use crate::mechanism::spool::entry::Entry;
use crate::mechanism::spool::failure::{self, Report};
use crate::mechanism::spool::list::{self, Counts, State};
use crate::mechanism::spool::part::Part;
use crate::sys::process::{self, Holder};
use crate::sys::time;

use super::{explain, open};

/// List the messages of a spool
///
/// They are in the order in which they are taken. 'worker' has the processes that hold the claim of a
/// message: the worker, COMMAND and its children. With --failed the messages are those in failed/.
#[derive(Debug, clap::Args, Plain)]
pub struct Ls {
    /// Path of the spool
    directory: FilePath,
    /// List the messages whose last attempt failed
    #[arg(long)]
    failed: bool,
    #[command(flatten)]
    listing: Listing<Listed>,
}

/// A row of `ls`.
#[derive(Debug)]
pub struct Listed {
    entry: Entry,
    state: State,
    age: u64,
    /// Of a message that failed.
    report: Option<Report>,
}

impl Listed {
    fn has_failed(&self) -> bool {
        self.state == State::Failed
    }

    fn workers(&self) -> Value {
        let State::Claimed(pids) = &self.state else { return columns::processes(&[], 0) };
        let holder = |&pid: &i32| Holder { pid, command: process::command(pid) };
        columns::processes(&pids.iter().map(holder).collect::<Vec<_>>(), 0)
    }

    /// A property of the reports of messages that failed.
    fn reported(&self, property: fn(&Report) -> Value) -> Value {
        match &self.report {
            Some(report) => property(report),
            None if self.has_failed() => Value::MISSING,
            None => Value::Inapplicable,
        }
    }
}

/// The rows that the columns of a report are for.
const FAILED: &str = "messages that failed";

/// The rows that the columns of work to be done are for.
const WAITING: &str = "messages that have not failed";

impl Columns for Listed {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("name", Type::Text, "Name of the message"), |row| {
            Value::text(row.entry.message_name().bytes())
        }),
        Column::new(Key::new("state", Type::Word, "ready, delayed, claimed or failed"), |row| {
            match row.state {
                State::Ready => "ready".into(),
                State::Delayed => "delayed".into(),
                State::Claimed(_) => "claimed".into(),
                State::Failed => "failed".into(),
            }
        }),
        Column::new(Key::new("priority", Type::Number, "Priority"), |row| {
            row.entry.priority.into()
        }),
        Column::new(Key::new("age", Type::Seconds, "Time since the put"), |row| row.age.into()),
        Column::new(
            Key::new("attempts", Type::Number, "Number of COMMANDs that were started for it"),
            |row| row.entry.attempts.into(),
        ),
        Column::new(
            Key::new("due", Type::Time, "Time before which it is not taken"),
            |row: &Self| match row.has_failed() || row.entry.due == 0 {
                true => Value::Inapplicable,
                false => Value::Time(i64::try_from(row.entry.due / SECOND).unwrap_or(i64::MAX)),
            },
        )
        .only(WAITING),
        Column::new(
            Key::new("worker", Type::Objects(columns::PROCESS), "Processes that hold its claim"),
            |row: &Self| if row.has_failed() { Value::Inapplicable } else { row.workers() },
        )
        .only(WAITING),
        Column::new(
            Key::new("status", Type::Number, "Status of the last COMMAND").or_null(),
            |row: &Self| row.reported(|report| u32::from(report.status).into()),
        )
        .only(FAILED),
        Column::new(
            Key::new("reason", Type::Text, "How it ended, in words").or_null(),
            |row: &Self| row.reported(|report| Value::text(&report.reason)),
        )
        .only(FAILED),
        Column::new(
            Key::new("stderr", Type::Text, "End of the standard error of the last COMMAND")
                .or_null()
                .on_request(),
            |row: &Self| row.reported(|report| Value::text(&report.stderr)),
        )
        .only(FAILED),
    ];
}

/// Nanoseconds.
const SECOND: u64 = 1_000_000_000;

impl Action for Ls {
    const EXAMPLES: &'static [Example] = &[
        ("See what waits", "ipc spool ls ./jobs"),
        ("See the oldest", "ipc spool ls ./jobs | head"),
        ("See why messages failed", "ipc spool ls --failed --json ./jobs | jq -r '.[].stderr'"),
    ];
    const JSON: &'static [Json] = &[Json::array::<Listed>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let spool = open(&self.directory)?;
        let output = &mut context.output;
        let part = if self.failed { Part::Failed } else { Part::Ready };
        let (mut block, mut all) = (Block::First, Vec::new());
        let listed = list::each(&spool, part, |messages| {
            let rows = messages.into_iter().map(|(entry, state)| listed(&spool, entry, state));
            if self.listing.is_in_blocks() {
                self.listing.print_block(block, rows, output)?;
                block = Block::Later;
                // A reader that has seen enough is noticed before the next scan.
                output.flush()?;
            } else {
                all.extend(rows);
            }
            Ok::<_, anyhow::Error>(())
        });
        listed.map_err(|error| self.explained(error))?;
        if !self.listing.is_in_blocks() {
            self.listing.print(all, output)?;
        }
        Ok(Exit::Done)
    }
}

impl Ls {
    fn explained(&self, error: anyhow::Error) -> anyhow::Error {
        match error.downcast::<Errno>() {
            Ok(errno) => about(explain(errno, &self.directory), &self.directory),
            Err(error) => error,
        }
    }
}

/// A message of a list.
fn listed(spool: &Spool, entry: Entry, state: State) -> Listed {
    let age = time::now().saturating_sub(entry.put) / SECOND;
    let report = match state {
        State::Failed => failure::read(spool, &entry),
        _ => None,
    };
    Listed { entry, state, age, report }
}

/// Show all that is known of a spool
#[derive(Debug, clap::Args, Plain)]
pub struct Stat {
    /// Path of the spool
    directory: FilePath,
    #[command(flatten)]
    format: Format,
}

/// What `stat` shows.
#[derive(Debug)]
pub struct Shown {
    directory: FilePath,
    counts: Counts,
    is_paused: bool,
    ownership: Ownership,
}

impl Owned for Shown {
    fn ownership(&self) -> Ownership {
        self.ownership
    }
}

impl Columns for Shown {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("name", Type::Text, "Path of the spool"), |row| {
            Value::text(row.directory.as_ref().as_encoded_bytes())
        }),
        Column::new(Key::new("ready", Type::Number, "Messages that can be taken"), |row| {
            row.counts.ready.into()
        }),
        Column::new(
            Key::new("delayed", Type::Number, "Messages that wait for their time"),
            |row| row.counts.delayed.into(),
        ),
        Column::new(Key::new("claimed", Type::Number, "Messages with a worker"), |row| {
            row.counts.claimed.into()
        }),
        Column::new(
            Key::new("failed", Type::Number, "Messages whose last attempt failed"),
            |row| row.counts.failed.into(),
        ),
        Column::new(
            Key::new("quarantined", Type::Number, "Files that cannot be messages"),
            |row| row.counts.quarantined.into(),
        ),
        Column::new(
            Key::new("oldest", Type::Seconds, "Age of the oldest message that has not failed")
                .or_null(),
            |row| {
                let age = |put| time::now().saturating_sub(put) / SECOND;
                row.counts.oldest.map(age).into()
            },
        ),
        Column::new(Key::new("paused", Type::Flag, "Whether it is paused"), |row| {
            row.is_paused.into()
        }),
        columns::mode(),
        columns::uid(),
        columns::gid(),
    ];
}

impl Action for Stat {
    const EXAMPLES: &'static [Example] = &[
        ("See how much waits", "ipc spool stat ./jobs"),
        ("Ask from a program", "ipc spool stat --json ./jobs | jq .ready"),
    ];
    const JSON: &'static [Json] = &[Json::object::<Shown>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let spool = open(&self.directory)?;
        let counts = list::count(&spool).map_err(|errno| explain(errno, &self.directory));
        let counts = counts.about(&self.directory)?;
        let status = spool.status().about(&self.directory)?;
        let (is_paused, ownership) = (spool.is_paused(), Ownership::from(&status));
        let shown = Shown { directory: self.directory, counts, is_paused, ownership };
        listing::show(&shown, self.format, &mut context.output)?;
        Ok(Exit::Done)
    }
}
