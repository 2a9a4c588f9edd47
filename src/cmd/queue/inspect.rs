//! `ipc queue stat` and `ls`.

use serde_json::json;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::machine::Part;
use crate::app::objects::{holders, list, listed_holders, ownership, warn_of_hidden};
use crate::app::options::Format;
use crate::base::exit::{Exit, Subject, about};
use crate::io::output::Record;
use crate::mechanism::queue::named::RingName;
use crate::mechanism::queue::ring;
use crate::sys::dev_shm;
use crate::sys::process::{Holders, HoldersOfMany, Object};

use super::{explain, opened};

/// Show the state of a queue
///
/// 'messages' and 'bytes' count the messages in the queue, claimed ones included; 'used' is the
/// part of the capacity that they take. 'pushed' and 'popped' are totals since the queue was
/// created. 'claimed' messages are with the COMMANDs of 'pop --exec'. A 'pinned' message is done,
/// but the queue cannot reuse its space before an older message is done. 'oldest_claim' is the age
/// of the oldest claim in seconds. 'consumer_sleeps' and 'producer_sleeps' report whether one
/// waits, or was killed while it waited.
#[derive(Debug, clap::Args, Plain)]
pub struct Stat {
    /// Name of the queue
    name: RingName,
    #[command(flatten)]
    format: Format,
}

impl Action for Stat {
    const EXAMPLES: &'static [Example] = &[
        ("See what is in it, and which processes use it", "ipc queue stat /jobs"),
        ("Ask from a program", "ipc queue stat --json /jobs | jq .messages"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let open = self.name.open();
        let status = open.as_ref().ok().map(|open| open.status);
        let ring = opened(&self.name, open)?;
        let stat = ring.stat().map_err(|error| explain(error, &self.name)).about(&self.name)?;
        let mut record = with_stat(named(&self.name), &stat);
        if let Some(status) = status {
            // The ring is closed before the holders are read, so that this process is not one of
            // them.
            record = ownership(record, &status).time("changed", status.st_mtime);
            drop(ring);
            record = holders(record, &Holders::of(&status));
        }
        context.output.show(&record, self.format)?;
        Ok(Exit::Done)
    }
}

fn named(name: &RingName) -> Record {
    Record::new().bytes("name", name.as_ref().as_encoded_bytes())
}

fn with_stat(record: Record, stat: &ring::Stat) -> Record {
    let record = record
        .number("messages", stat.messages)
        .number("bytes", stat.bytes)
        .number("used", stat.used)
        .number("capacity", stat.capacity)
        .number("pushed", stat.pushed)
        .number("popped", stat.popped)
        .number("redelivered", stat.redelivered)
        .number("claimed", stat.claimed)
        .number("pinned", stat.pinned);
    let record = match stat.oldest_claim.map(|age| age.as_millis() as f64 / 1000.0) {
        Some(age) => record.field("oldest_claim", json!(age), age.to_string().into_bytes()),
        None => record.optional_number("oldest_claim", None::<u64>),
    };
    record
        .flag("consumer_sleeps", stat.consumer_sleeps)
        .flag("producer_sleeps", stat.producer_sleeps)
        .flag("closed", stat.closed)
}

/// List the queues in shared memory
///
/// Queues in files are not listed, nor are queues that this user may not read. The contents are
/// shown only of queues that this user may write.
#[derive(Debug, clap::Args, Plain)]
pub struct Ls {
    #[command(flatten)]
    format: Format,
}

impl Action for Ls {
    const EXAMPLES: &'static [Example] = &[
        ("See them all", "ipc queue ls"),
        (
            "Name those in which something waits",
            "ipc queue ls --json | jq -r '.[] | select(.messages > 0).name'",
        ),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let all = RingName::all();
        let found: Vec<_> =
            all.iter().flatten().filter_map(|name| Some((name, name.status().ok()?))).collect();
        let everybody = HoldersOfMany::find(found.iter().map(|(_, status)| Object::from(status)));
        let records: Vec<Record> = found
            .iter()
            .map(|(name, status)| {
                let record = ownership(listed(name), status);
                listed_holders(record, &everybody.of(Object::from(status)))
            })
            .collect();
        let unlisted = all.err().map(|errno| {
            about(Part::listed_at(dev_shm::DIRECTORY).explain(errno), dev_shm::DIRECTORY)
        });
        let exit =
            list(&records, unlisted.into_iter().collect(), self.format, &mut context.output)?;
        if exit == Exit::Done {
            warn_of_hidden(everybody.hidden(), self.format, &mut context.output)?;
        }
        Ok(exit)
    }
}

/// A row of `ls`.
fn listed(name: &RingName) -> Record {
    let stat = name.open().and_then(|open| ring::Ring::attach(open.file)?.stat()).ok();
    let record = named(name)
        .optional_number("messages", stat.map(|stat| stat.messages))
        .optional_number("bytes", stat.map(|stat| stat.bytes))
        .optional_number("capacity", stat.map(|stat| stat.capacity));
    let state = match stat {
        Some(stat) if stat.closed => "closed",
        Some(_) => "open",
        None => "-",
    };
    record.word("state", state)
}
