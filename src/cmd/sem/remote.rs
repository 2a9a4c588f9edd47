//! `ipc sem` with semaphores and barriers of a server.

use std::ffi::OsString;

use clap::builder::RangedI64ValueParser;
use serde_json::json;

use crate::app::command::{Example, Manual, Noun, Statuses, Verb};
use crate::app::context::Context;
use crate::app::listing::{self, Column, Columns, Json, Listing};
use crate::app::objects::{self, report_wait};
use crate::app::options::{Conflict, Format, TimeLimit, Waiting, done};
use crate::app::remote::leased::{Leased, in_words};
use crate::app::remote::{Lifetime, Remote, RemoteAction, Storage, answered, finished};
use crate::base::deadline::Waited;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::remote_name::RemoteFolder;
use crate::base::text::escape;
use crate::io::output::{Key, Output, Type, Value, rfc3339};
use crate::mechanism::remote::barrier::PARTIES_MAX;
use crate::mechanism::remote::holder::Holder;
use crate::mechanism::remote::lease::RecordLease;
use crate::mechanism::remote::lock::Locked;
use crate::mechanism::remote::permits::{Found, PERMITS_MAX, Wanted};
use crate::mechanism::remote::{Error, Kind, RemoteName, barrier, permits};

pub const NOUN: Noun = Noun {
    name: "sem",
    about: "Limit work across machines",
    verbs: &[
        Verb::remote::<Run>("run"),
        Verb::remote::<Barrier>("barrier"),
        Verb::remote::<Stat>("stat"),
        Verb::remote::<Ls>("ls"),
        Verb::remote::<Rm>("rm"),
    ],
    see_also: &[],
    manual: Manual::NONE,
};

/// Run a command while it has permits of a server
///
/// The permits come back when COMMAND has ended. The server keeps them for the time of --ttl after 'ipc'
/// was seen last, and 'ipc' renews them, as for 'ipc lock run'. If that fails, a second process kills the
/// process group of COMMAND before others can have the permits: status 125.
#[derive(Debug, clap::Args)]
pub struct Run {
    /// Name of the semaphore, such as nats://HOST/NAME
    name: RemoteName,
    /// Number of permits
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = RangedI64ValueParser::<u32>::new().range(1..=PERMITS_MAX.into())
    )]
    count: u32,
    /// Create the semaphore with N permits if it is missing
    #[arg(
        long,
        value_name = "N",
        value_parser = RangedI64ValueParser::<u32>::new().range(1..=PERMITS_MAX.into())
    )]
    create: Option<u32>,
    /// The permits end with COMMAND, as without it
    #[arg(long = "close", hide = true)]
    _close: bool,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    lifetime: Lifetime,
    #[command(flatten)]
    storage: Storage,
    #[command(flatten)]
    conflict: Conflict,
    /// Command to run, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl RemoteAction for Run {
    const EXAMPLES: &'static [Example] = &[(
        "Let four builds run at a time, on all machines together",
        "ipc sem run nats://broker/builds --create 4 -- make",
    )];
    const STATUSES: Statuses = Statuses::OfCommand;

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let leased = Leased::new(&self.command, self.lifetime)?;
        match self.acquire(&remote, &leased, output) {
            Ok(lease) => leased.run(&self.name, "the permit", lease, output),
            Err(error) => self.conflict.or_error(error, output),
        }
    }
}

impl Run {
    fn acquire(
        &self,
        remote: &Remote,
        leased: &Leased,
        output: &Output,
    ) -> anyhow::Result<RecordLease> {
        let deadline = self.waiting.deadline();
        let tell = |holders: &[Holder]| {
            let name = escape(self.name.as_ref().as_encoded_bytes()).into_owned();
            for holder in holders {
                output.note(format_args!("{name}: held by {}", in_words(holder)));
            }
            output.note(format_args!("{name}: waiting for {} of the permits", self.count));
        };
        let creation = self.create.map(|_| self.storage.into());
        let acquire = || -> Result<Waited<RecordLease>, Error> {
            match remote.records(&self.name, Kind::Semaphore, creation, deadline)? {
                Waited::TimedOut => Ok(Waited::TimedOut),
                Waited::Done(records) => {
                    let (count, create) = (self.count, self.create);
                    let wanted = Wanted { count, create, holder: leased.holder.clone() };
                    permits::acquire(records, self.name.key(), &wanted, deadline, tell)
                }
            }
        };
        match acquire() {
            Err(error @ Error::NotFound) => {
                let failure = Failure::from(error).hint("--create N makes it with N permits");
                Err(failure).about(&self.name)
            }
            acquired => finished(acquired, self.waiting, &self.name),
        }
    }
}

/// Wait until all parties have arrived, on any machine
///
/// It ends in all parties, and then the name can be used again. A party that times out is not counted any
/// more, and one that is killed not after the time of --ttl; the others go on waiting, and another process
/// can take its part.
#[derive(Debug, clap::Args)]
pub struct Barrier {
    /// Name of the barrier, such as nats://HOST/NAME
    name: RemoteName,
    /// Number of parties, including this one
    #[arg(
        long,
        value_name = "N",
        value_parser = RangedI64ValueParser::<u32>::new().range(1..=PARTIES_MAX.into())
    )]
    parties: u32,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    lifetime: Lifetime,
    #[command(flatten)]
    storage: Storage,
}

impl RemoteAction for Barrier {
    const EXAMPLES: &'static [Example] = &[(
        "Let three machines begin at the same time",
        "ipc sem barrier nats://broker/start --parties 3 && ./work",
    )];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let (name, deadline) = (&self.name, self.waiting.deadline());
        let lifetime = self.lifetime.duration()?;
        report_wait(&context.output, name, format_args!("until {} have arrived", self.parties));
        let kind = (Kind::Barrier, Some(self.storage.into()));
        let waited = remote.with(name, kind, deadline, |records| {
            barrier::wait(records, name.key(), self.parties, lifetime, deadline)
        });
        finished(waited, self.waiting, name)?;
        Ok(Exit::Done)
    }
}

/// List the semaphores of a server
#[derive(Debug, clap::Args)]
pub struct Ls {
    /// Server, or a path that the names begin with
    folder: RemoteFolder,
    #[command(flatten)]
    limit: TimeLimit,
    #[command(flatten)]
    listing: Listing<Found>,
}

impl RemoteAction for Ls {
    const EXAMPLES: &'static [Example] =
        &[("Print the permits that are free", "ipc sem ls nats://broker -o name,free")];
    const JSON: &'static [Json] = &[Json::array::<Found>()];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let (name, deadline) = (self.folder.name(), self.limit.deadline());
        let found = remote.with(name, (Kind::Semaphore, None), deadline, |records| {
            permits::list(records, name.key(), deadline)
        });
        let found = match found {
            Err(Error::NotFound) => Vec::new(),
            found => answered(found, name)?,
        };
        self.listing.print(found, &mut context.output)?;
        Ok(Exit::Done)
    }
}

impl Columns for Found {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("name", Type::Text, "Name on the server"), |row| {
            Value::text(&row.key)
        }),
        Column::new(Key::new("permits", Type::Number, "Number of permits"), |row| {
            row.permits.into()
        }),
        Column::new(Key::new("free", Type::Number, "Permits that nobody holds"), |row| {
            row.free().into()
        }),
        Column::new(Key::new("hosts", Type::Words, "Machines of the holders"), |row| {
            let hosts = row.held.iter().map(|held| held.holder.host.clone());
            Value::several(hosts, ",", "-")
        }),
    ];
}

/// Show the state of a semaphore of a server
///
/// A COMMAND that has several permits is listed once for each.
#[derive(Debug, clap::Args)]
pub struct Stat {
    /// Name of the semaphore
    name: RemoteName,
    #[command(flatten)]
    limit: TimeLimit,
    #[command(flatten)]
    format: Format,
}

impl RemoteAction for Stat {
    const EXAMPLES: &'static [Example] = &[
        ("See who has permits", "ipc sem stat nats://broker/builds"),
        ("Print the machines", "ipc sem stat --json nats://broker/builds | jq -r '.runs[].host'"),
    ];
    const JSON: &'static [Json] = &[Json::object::<Shown>()];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let (name, deadline) = (&self.name, self.limit.deadline());
        let found = remote.with(name, (Kind::Semaphore, None), deadline, |records| {
            permits::find(records, name.key(), deadline)
        });
        listing::show(&Shown(answered(found, name)?), self.format, &mut context.output)?;
        Ok(Exit::Done)
    }
}

/// What `stat` shows.
#[derive(Debug)]
struct Shown(Found);

impl Shown {
    fn runs(&self) -> Value {
        let json = |held: &Locked| {
            let Holder { host, pid, command, since, .. } = &held.holder;
            let since = rfc3339(*since);
            json!({ "host": host, "pid": pid, "command": command, "since": since, "token": held.token })
        };
        let values = self.0.held.iter().map(json).collect();
        let texts: Vec<String> = self.0.held.iter().map(|held| in_words(&held.holder)).collect();
        let text = if texts.is_empty() { "none".to_owned() } else { texts.join(", ") };
        Value::Several(values, text.into_bytes())
    }
}

/// The keys of a holder.
const RUN: &[Key] = &[
    Key::new("host", Type::Text, "Its machine"),
    Key::new("pid", Type::Number, "Its process ID there"),
    Key::new("command", Type::Text, "Name of its COMMAND"),
    Key::new("since", Type::Time, "Time of the acquisition").or_null(),
    Key::new("token", Type::Number, "Fencing token"),
];

impl Columns for Shown {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("name", Type::Text, "Name on the server"), |it| {
            Value::text(&it.0.key)
        }),
        Column::new(Key::new("permits", Type::Number, "Number of permits"), |it| {
            it.0.permits.into()
        }),
        Column::new(Key::new("free", Type::Number, "Permits that nobody holds"), |it| {
            it.0.free().into()
        }),
        Column::new(
            Key::new("runs", Type::Objects(RUN), "Commands of 'ipc sem run' that hold permits"),
            Self::runs,
        ),
    ];
}

/// Remove semaphores of a server
///
/// One whose permits COMMANDs hold is not removed: status 5.
#[derive(Debug, clap::Args)]
pub struct Rm {
    /// Names of semaphores
    #[arg(required = true)]
    names: Vec<RemoteName>,
    /// Ignore semaphores that do not exist
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    limit: TimeLimit,
}

impl RemoteAction for Rm {
    const EXAMPLES: &'static [Example] = &[("Remove one", "ipc sem rm nats://broker/builds")];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let deadline = self.limit.deadline();
        let remove = |name: &RemoteName| -> Result<(), Failure> {
            let kind = (Kind::Semaphore, None);
            let removed = remote.with(name, kind, deadline, |records| {
                permits::remove(records, name.key(), deadline)
            });
            done(removed.map_err(Failure::from))
        };
        objects::remove(&self.names, self.force, &mut context.output, remove)
    }
}
