//! `ipc lock` with locks of a server.

use std::ffi::OsString;

use crate::app::command::{Example, Manual, Noun, Statuses, Verb};
use crate::app::context::Context;
use crate::app::listing::{self, Column, Columns, Json, Listing};
use crate::app::options::{Conflict, Format, TimeLimit, Waiting};
use crate::app::remote::leased::{Leased, in_words};
use crate::app::remote::{Lifetime, Remote, RemoteAction, Storage, answered, finished};
use crate::base::deadline::Waited;
use crate::base::exit::Exit;
use crate::base::remote_name::RemoteFolder;
use crate::base::text::escape;
use crate::io::output::{Key, Output, Type, Value};
use crate::mechanism::remote::lease::RecordLease;
use crate::mechanism::remote::lock::{self, Locked};
use crate::mechanism::remote::{Error, Kind, RemoteName};

pub const NOUN: Noun = Noun {
    name: "lock",
    about: "Take locks on a server",
    verbs: &[
        Verb::remote::<Run>("run"),
        Verb::remote::<Test>("test"),
        Verb::remote::<Verify>("verify"),
        Verb::remote::<Ls>("ls"),
    ],
    see_also: &[],
    manual: Manual::NONE,
};

/// Run a command while it has a lock of a server
///
/// No other COMMAND has the lock, on any machine. It is released when COMMAND ends. The server keeps it
/// for the time of --ttl after 'ipc' was seen last, and 'ipc' renews it. COMMAND has a process group of its
/// own, and signals are passed on to that. If the lock cannot be renewed, a second process kills the group
/// before another COMMAND can have the lock: status 125. So does a stop by ^Z that lasts.
///
/// A whole machine that was paused may continue COMMAND for a moment after that. IPC_LOCK_TOKEN has a
/// number that grows with each acquisition: 'ipc lock verify' compares it, and so does
/// 'ipc shm cas --fence'.
#[derive(Debug, clap::Args)]
pub struct Run {
    /// Name of the lock, such as nats://HOST/NAME
    name: RemoteName,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    lifetime: Lifetime,
    #[command(flatten)]
    storage: Storage,
    #[command(flatten)]
    conflict: Conflict,
    #[command(flatten)]
    _implied: Implied,
    /// Command to run, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl RemoteAction for Run {
    const EXAMPLES: &'static [Example] = &[
        ("Deploy from one machine at a time", "ipc lock run -n nats://broker/deploy -- ./deploy"),
        (
            "Survive a fail-over of the server, and a crash of this machine for a minute at most",
            "ipc lock run --ttl 1m nats://a,b,c/nightly -- ./report",
        ),
    ];
    const STATUSES: Statuses = Statuses::OfCommand;

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let leased = Leased::new(&self.command, self.lifetime)?;
        match self.acquire(&remote, &leased, output) {
            Ok(lease) => leased.run(&self.name, "the lock", lease, output),
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
        let tell = |holder: &_| {
            let name = escape(self.name.as_ref().as_encoded_bytes()).into_owned();
            output.note(format_args!("{name}: held by {}", in_words(holder)));
            output.note(format_args!("{name}: waiting for the lock"));
        };
        let acquire = || -> Result<Waited<RecordLease>, Error> {
            let creation = Some(self.storage.into());
            match remote.records(&self.name, Kind::Lock, creation, deadline)? {
                Waited::TimedOut => Ok(Waited::TimedOut),
                Waited::Done(records) => {
                    lock::acquire(records, self.name.key(), leased.holder.clone(), deadline, tell)
                }
            }
        };
        finished(acquire(), self.waiting, &self.name)
    }
}

/// Options that ask for what a lock of a server does anyway.
#[derive(Debug, clap::Args)]
struct Implied {
    /// Exclude all other holders, as without it
    #[arg(short = 'x', long, hide = true)]
    exclusive: bool,
    /// The lock ends with COMMAND, as without it
    #[arg(short = 'o', long, hide = true)]
    close: bool,
}

/// Test whether a lock of a server is held
///
/// The status is 0 if it is free and 1 if it is held. The list has its holder, and the fencing token, which
/// COMMAND of the holder has in IPC_LOCK_TOKEN.
#[derive(Debug, clap::Args)]
pub struct Test {
    /// Name of the lock
    name: RemoteName,
    #[command(flatten)]
    limit: TimeLimit,
    #[command(flatten)]
    format: Format,
}

impl RemoteAction for Test {
    const EXAMPLES: &'static [Example] =
        &[("See who has a lock", "ipc lock test nats://broker/deploy")];
    const JSON: &'static [Json] = &[Json::array::<Locked>()];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let held = find(&remote, &self.name, self.limit)?;
        listing::print_all(held.as_slice(), self.format, &mut context.output)?;
        Ok(if held.is_some() { Exit::No } else { Exit::Done })
    }
}

/// Test whether a fencing token is still valid
///
/// The status is 0 if the COMMAND that found TOKEN in IPC_LOCK_TOKEN still has the lock, and 1 if not. A
/// script calls it before a step that must not come too late, as after the machine was paused.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// Name of the lock
    name: RemoteName,
    /// Token, as in IPC_LOCK_TOKEN
    token: u64,
    #[command(flatten)]
    limit: TimeLimit,
}

impl RemoteAction for Verify {
    const EXAMPLES: &'static [Example] = &[(
        "Publish only while the lock is held",
        "ipc lock verify nats://broker/deploy \"$IPC_LOCK_TOKEN\" && ./publish",
    )];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let name = escape(self.name.as_ref().as_encoded_bytes());
        let output = &context.output;
        match find(&remote, &self.name, self.limit)? {
            Some(held) if held.token == self.token => return Ok(Exit::Done),
            Some(held) => {
                let holder = in_words(&held.holder);
                output.note(format_args!("{name}: held by {holder}, token {}", held.token));
            }
            None => output.note(format_args!("{name}: not held")),
        }
        Ok(Exit::No)
    }
}

/// The lock, if it is held.
fn find(remote: &Remote, name: &RemoteName, limit: TimeLimit) -> anyhow::Result<Option<Locked>> {
    let deadline = limit.deadline();
    let found = remote.with(name, (Kind::Lock, None), deadline, |records| {
        lock::find(records, name.key(), deadline)
    });
    match found {
        // The server has not had a lock yet.
        Err(Error::NotFound) => Ok(None),
        found => answered(found, name),
    }
}

/// List the locks of a server that are held
#[derive(Debug, clap::Args)]
pub struct Ls {
    /// Server, or a path that the names begin with
    folder: RemoteFolder,
    #[command(flatten)]
    limit: TimeLimit,
    #[command(flatten)]
    listing: Listing<Locked>,
}

impl RemoteAction for Ls {
    const EXAMPLES: &'static [Example] = &[
        ("List all locks of a server", "ipc lock ls nats://broker"),
        ("List those below a path", "ipc lock ls nats://broker/eu"),
    ];
    const JSON: &'static [Json] = &[Json::array::<Locked>()];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let (name, deadline) = (self.folder.name(), self.limit.deadline());
        let held = remote.with(name, (Kind::Lock, None), deadline, |records| {
            lock::list(records, name.key(), deadline)
        });
        let held = match held {
            Err(Error::NotFound) => Vec::new(),
            held => answered(held, name)?,
        };
        self.listing.print(held, &mut context.output)?;
        Ok(Exit::Done)
    }
}

impl Columns for Locked {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("name", Type::Text, "Name on the server"), |row| {
            Value::text(&row.key)
        }),
        Column::new(Key::new("host", Type::Text, "Machine of the holder"), |row| {
            Value::text(&row.holder.host)
        }),
        Column::new(Key::new("pid", Type::Number, "Its process ID there"), |row| {
            row.holder.pid.into()
        }),
        Column::new(Key::new("command", Type::Text, "Name of its COMMAND"), |row| {
            Value::text(&row.holder.command)
        }),
        Column::new(Key::new("since", Type::Time, "Time of the acquisition"), |row| {
            Value::Time(row.holder.since)
        }),
        Column::new(Key::new("token", Type::Number, "Fencing token"), |row| row.token.into()),
    ];
}
