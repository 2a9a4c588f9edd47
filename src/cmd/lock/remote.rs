//! `ipc lock` with locks of a server.

use std::ffi::OsString;

use crate::app::command::{Example, Noun, Statuses, Verb};
use crate::app::context::Context;
use crate::app::options::{Conflict, Waiting};
use crate::app::remote::leased::{Leased, in_words};
use crate::app::remote::{Lifetime, Remote, RemoteAction, Storage, finished};
use crate::base::deadline::Waited;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::text::escape;
use crate::io::output::Output;
use crate::mechanism::remote::lease::RecordLease;
use crate::mechanism::remote::lock;
use crate::mechanism::remote::{Error, Kind, RemoteName};

use super::LockOptions;

pub const NOUN: Noun = Noun {
    name: "lock",
    about: "Take locks on a server",
    verbs: &[Verb::remote::<Run>("run")],
    see_also: &[],
};

/// Run a command while it has a lock of a server
///
/// No other COMMAND has the lock, on any machine. It is released when COMMAND ends. The server keeps it
/// for the time of --ttl after 'ipc' was seen last, and 'ipc' renews it. COMMAND has a process group of its
/// own, and signals are passed on to that. If the lock cannot be renewed, a second process kills the group
/// before another COMMAND can have the lock: status 125.
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
    lock: LockOptions,
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
        refuse_kinds(self.lock).about(&self.name)?;
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

/// Refuses the kinds of locks that a server does not have.
fn refuse_kinds(options: LockOptions) -> Result<(), Failure> {
    let reason = match options {
        LockOptions { shared: true, .. } => "--shared: a lock of a server has one holder",
        LockOptions { range: Some(_), .. } => "--range: a lock of a server has no bytes",
        LockOptions { kind: Some(_), .. } => "--kind: a lock of a server has one kind",
        _ => return Ok(()),
    };
    Err(Failure::new(Exit::Usage, reason).hint("each name is a lock: nats://HOST/NAME/PART"))
}
