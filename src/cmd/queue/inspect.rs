//! `ipc queue stat` and `ls`.

use nix::sys::stat::FileStat;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{self, Column, Columns, Json, Listing};
use crate::app::machine::Part;
use crate::app::objects::{
    Held, Owned, Ownership, Unseen, columns, list, not_there, warn_of_hidden,
};
use crate::app::options::Format;
use crate::base::exit::{Exit, Subject, about};
use crate::io::output::{Key, Type, Value};
use crate::mechanism::queue::named::RingName;
use crate::mechanism::queue::ring;
use crate::sys::dev_shm;
use crate::sys::process::{Holders, HoldersOfMany, Object};

use super::{CREATE, attach, explain};

/// Show the state of a queue
///
/// 'messages' and 'bytes' count the messages in the queue, claimed and pinned ones included; 'used'
/// is the part of the capacity that they take. 'pushed' and 'popped' are totals since the queue was
/// created. 'claimed' messages are with the COMMANDs of 'pop --exec', or were when these failed:
/// the next 'pop' takes them again. A 'pinned' message is done, but the queue cannot reuse its
/// space before an older message is done. 'oldest_claim' is the age of the oldest claim in seconds.
/// 'consumer_sleeps' and 'producer_sleeps' report whether one waits; if a wait has timed out or was
/// killed, they still say so until the next 'push' or 'pop'.
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
    const JSON: &'static [Json] = &[Json::object::<Status>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let open = self
            .name
            .open()
            .map_err(|error| not_there(explain(error, &self.name), &self.name, CREATE));
        let open = open.about(&self.name)?;
        let status = open.status;
        let ring = attach(&self.name, open.file).about(&self.name)?;
        let stat = ring.stat().map_err(|error| explain(error, &self.name)).about(&self.name)?;
        // The ring is closed before the holders are read, so that this process is not one of them.
        drop(ring);
        let shown = Status { stat, status, holders: Holders::of(&status), name: self.name };
        listing::show(&shown, self.format, &mut context.output)?;
        Ok(Exit::Done)
    }
}

/// What `stat` shows.
#[derive(Debug)]
struct Status {
    name: RingName,
    stat: ring::Stat,
    status: FileStat,
    holders: Holders,
}

impl Owned for Status {
    fn ownership(&self) -> Ownership {
        Ownership::from(&self.status)
    }
}

impl Held for Status {
    const UNSEEN: Unseen = Unseen::Inline;

    fn holders(&self) -> &Holders {
        &self.holders
    }
}

impl About for Status {
    fn name(&self) -> &RingName {
        &self.name
    }

    fn stat(&self) -> Option<ring::Stat> {
        Some(self.stat)
    }
}

impl Columns for Status {
    const COLUMNS: &'static [Column<Self>] = &[
        name(),
        messages(),
        bytes(),
        Column::new(Key::new("used", Type::Size, "Bytes that they take of the capacity"), |it| {
            it.stat.used.into()
        }),
        capacity(),
        Column::new(Key::new("pushed", Type::Number, "Number of messages ever pushed"), |it| {
            it.stat.pushed.into()
        }),
        Column::new(Key::new("popped", Type::Number, "Number of messages ever popped"), |it| {
            it.stat.popped.into()
        }),
        Column::new(Key::new("redelivered", Type::Number, "Number of redeliveries"), |it| {
            it.stat.redelivered.into()
        }),
        Column::new(
            Key::new("claimed", Type::Number, "Number of messages that COMMANDs work on"),
            |it| it.stat.claimed.into(),
        ),
        Column::new(
            Key::new("pinned", Type::Number, "Number of messages that are done and take space"),
            |it| it.stat.pinned.into(),
        ),
        Column::new(
            Key::new("oldest_claim", Type::Seconds, "Age of the oldest claim").or_null(),
            Self::oldest_claim,
        ),
        Column::new(
            Key::new(
                "consumer_sleeps",
                Type::Flag,
                "Whether a consumer waits, or stopped waiting since the last push",
            ),
            |it| it.stat.consumer_sleeps.into(),
        ),
        Column::new(
            Key::new(
                "producer_sleeps",
                Type::Flag,
                "Whether a producer waits, or stopped waiting since the last pop",
            ),
            |it| it.stat.producer_sleeps.into(),
        ),
        Column::new(Key::new("closed", Type::Flag, "Whether it is closed"), |it| {
            it.stat.closed.into()
        }),
        columns::mode(),
        columns::uid(),
        columns::gid(),
        Column::new(Key::new("changed", Type::Time, "Time of the last change of the file"), |it| {
            Value::Time(it.status.st_mtime)
        }),
        columns::holders(),
        columns::hidden(),
    ];
}

impl Status {
    fn oldest_claim(&self) -> Value {
        let age = self.stat.oldest_claim.map(|age| age.as_millis() as f64 / 1000.0);
        age.map_or(Value::MISSING, Value::fraction)
    }
}

/// A row about a queue, whose contents may be unknown.
trait About {
    fn name(&self) -> &RingName;
    fn stat(&self) -> Option<ring::Stat>;
}

const fn name<R: About>() -> Column<R> {
    Column::new(Key::new("name", Type::Text, "Name of the queue"), |it| {
        Value::text(it.name().as_ref().as_encoded_bytes())
    })
}

const fn messages<R: About>() -> Column<R> {
    let meaning = "Number of messages, claimed and pinned ones included";
    Column::new(Key::new("messages", Type::Number, meaning).or_null(), |it| {
        it.stat().map(|stat| stat.messages).into()
    })
}

const fn bytes<R: About>() -> Column<R> {
    Column::new(Key::new("bytes", Type::Size, "Bytes of these messages").or_null(), |it| {
        it.stat().map(|stat| stat.bytes).into()
    })
}

const fn capacity<R: About>() -> Column<R> {
    Column::new(Key::new("capacity", Type::Size, "Capacity").or_null(), |it| {
        it.stat().map(|stat| stat.capacity).into()
    })
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

impl About for Listed {
    fn name(&self) -> &RingName {
        &self.name
    }

    fn stat(&self) -> Option<ring::Stat> {
        self.stat
    }
}

impl Columns for Listed {
    const COLUMNS: &'static [Column<Self>] = &[
        name(),
        messages(),
        bytes(),
        capacity(),
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
    const JSON: &'static [Json] = &[Json::array::<Listed>()];

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
