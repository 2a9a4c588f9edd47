//! `ipc queue stat` and `ls`.

use serde_json::json;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{Column, Columns, Listing};
use crate::app::machine::Part;
use crate::app::objects::{
    Held, Owned, Ownership, columns, holders, list, ownership, warn_of_hidden,
};
use crate::app::options::Format;
use crate::base::exit::{Exit, Subject, about};
use crate::io::output::{Key, Record, Type, Value};
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
    listing: Listing<Listed>,
}

/// A row of `ls`.
#[derive(Debug)]
pub struct Listed {
    name: RingName,
    stat: Option<ring::Stat>,
    ownership: Ownership,
    holders: Holders,
}

impl Owned for Listed {
    fn ownership(&self) -> Ownership {
        self.ownership
    }
}

impl Held for Listed {
    fn holders(&self) -> &Holders {
        &self.holders
    }
}

impl Columns for Listed {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("name", Type::Text, "Name of the queue"), |row| {
            Value::text(row.name.as_ref().as_encoded_bytes())
        }),
        Column::new(
            Key::new("messages", Type::Number, "Number of messages, claimed ones included")
                .or_null(),
            |row| row.stat.map(|stat| stat.messages).into(),
        ),
        Column::new(Key::new("bytes", Type::Size, "Bytes of these messages").or_null(), |row| {
            row.stat.map(|stat| stat.bytes).into()
        }),
        Column::new(Key::new("capacity", Type::Size, "Capacity").or_null(), |row| {
            row.stat.map(|stat| stat.capacity).into()
        }),
        Column::new(Key::new("state", Type::Word, "open or closed").or_null(), |row| {
            match row.stat {
                Some(stat) => if stat.closed { "closed" } else { "open" }.into(),
                None => Value::MISSING,
            }
        }),
        columns::mode(),
        columns::uid(),
        columns::gid(),
        columns::holders(),
        columns::hidden(),
    ];
}

impl Action for Ls {
    const EXAMPLES: &'static [Example] = &[
        ("See them all", "ipc queue ls"),
        ("Name those in which something waits", "ipc queue ls --filter 'messages>0' -o name"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let all = RingName::all();
        let found: Vec<_> = all
            .iter()
            .flatten()
            .filter_map(|name| Some((name.clone(), name.status().ok()?)))
            .collect();
        let objects = found.iter().map(|(_, status)| Object::from(status));
        let everybody = match self.listing.needs("holders") {
            true => HoldersOfMany::find(objects),
            false => HoldersOfMany::default(),
        };
        let rows = found.into_iter().map(|(name, status)| Listed {
            stat: name.open().and_then(|open| ring::Ring::attach(open.file)?.stat()).ok(),
            name,
            ownership: Ownership::from(&status),
            holders: everybody.of(Object::from(&status)),
        });
        let unlisted = all.as_ref().err().map(|&errno| {
            about(Part::listed_at(dev_shm::DIRECTORY).explain(errno), dev_shm::DIRECTORY)
        });
        let output = &mut context.output;
        let exit = list(&self.listing, rows, unlisted.into_iter().collect(), output)?;
        if exit == Exit::Done {
            warn_of_hidden(everybody.hidden(), &self.listing, output)?;
        }
        Ok(exit)
    }
}
