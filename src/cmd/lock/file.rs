//! `ipc lock take` and `drop`.

use std::ffi::{OsStr, OsString};

use crate::bounded::within;
use crate::cli::{Example, Run};
use crate::cmd::Pid;
use crate::deadline::Waiting;
use crate::exit::{Exit, Failure, Subject};
use crate::lock_file::{self, Content, Owner};
use crate::output::{Output, escape, rfc3339};
use crate::plain::Plain;
use crate::sys::process;

use super::is_of_interest;

/// Take a lock file
///
/// The file is the lock: it says whose it is, and is there until 'ipc lock drop'. The owner is the
/// calling shell, or another process that is named. When the owner has ended, or the machine was
/// started anew, the next one takes the lock file over; without a race, and never one whose owner
/// cannot be judged, as in another PID namespace or on another machine. Where the owner has the
/// lock already, the status is 5.
#[derive(Debug, clap::Args, Plain)]
pub struct Take {
    /// Path of the lock file
    #[arg(value_name = "FILE")]
    file: OsString,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    ownership: Ownership,
    /// Write the number of the process alone, as programs that read pidfiles expect
    ///
    /// All who use the file have to be in one PID namespace, and to say --pidfile. While there is
    /// a process of that number, be it another one, the lock is respected.
    #[arg(long)]
    pidfile: bool,
}

impl Run for Take {
    const EXAMPLES: &'static [Example] = &[
        ("Let one script run at a time", "ipc lock take -n /run/job.lock || exit"),
        ("Have a daemon own a pidfile", "ipc lock take --pidfile --owner \"$pid\" /run/daemon.pid"),
    ];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let deadline = self.waiting.deadline();
        let owner = self.ownership.owner()?;
        let content = if self.pidfile { Content::PidOnly } else { Content::Full };
        let path = self.file.clone();
        let taken = within(deadline, move || lock_file::take(&path, &owner, content, deadline));
        let taken = taken.map_err(Failure::from).about(&self.file)?;
        let taken = taken.map_err(explain).about(&self.file)?;
        let settled = self.waiting.settle(taken).about(&self.file);
        settled.inspect_err(|error| tell_owner(&self.file, error, output))?;
        Ok(Exit::Done)
    }
}

/// Drop a lock file
///
/// Only its owner's can be dropped, unless by force.
#[derive(Debug, clap::Args, Plain)]
pub struct Drop {
    /// Path of the lock file
    #[arg(value_name = "FILE")]
    file: OsString,
    #[command(flatten)]
    ownership: Ownership,
    /// Drop it whoever has it
    #[arg(short, long, conflicts_with = "owner")]
    force: bool,
}

impl Run for Drop {
    const EXAMPLES: &'static [Example] = &[(
        "Let others have it",
        "ipc lock take /run/job.lock; ./job; ipc lock drop /run/job.lock",
    )];

    fn run(self, _: &mut Output) -> anyhow::Result<Exit> {
        let dropped = if self.force {
            lock_file::release_any(&self.file)
        } else {
            lock_file::release(&self.file, &self.ownership.owner()?)
        };
        dropped.map_err(explain).about(&self.file)?;
        Ok(Exit::Done)
    }
}

/// Whose a lock file is to be.
#[derive(Clone, Debug, clap::Args, Plain)]
struct Ownership {
    /// Process that owns the lock file, rather than the one that called us
    #[arg(long, value_name = "PID")]
    owner: Option<Pid>,
}

impl Ownership {
    fn owner(&self) -> anyhow::Result<Owner> {
        let pid = match (&self.owner, process::parent()) {
            (Some(pid), _) => pid.number,
            // The kernel shows no number of a process that is outside of the PID namespace.
            (None, 0) => {
                let reason = "the calling process is in another PID namespace";
                let failure = Failure::failed(reason).hint("--owner PID names the owner");
                return Err(failure).about("owner");
            }
            (None, parent) => parent,
        };
        Owner::now(pid).about(pid.to_string())
    }
}

/// Says whose a lock file is, to the same.
fn tell_owner(file: &OsStr, error: &anyhow::Error, output: &Output) {
    if !is_of_interest(error, output) {
        return;
    }
    let shown = escape(file.as_encoded_bytes());
    match (lock_file::holder(file), lock_file::owner(file)) {
        (Ok(Some((pid, since))), _) => output.warn(format_args!(
            "{shown}: held by {pid} ({}) since {}",
            escape(&process::command(pid)),
            rfc3339(since).unwrap_or_default()
        )),
        (_, Ok(None)) => output.warn(format_args!(
            "{shown}: is there and does not say whose it is; 'ipc lock drop --force' removes it"
        )),
        _ => {}
    }
}

/// Puts the way out beside the reason.
pub fn explain(error: lock_file::Error) -> Failure {
    let reason = error.to_string();
    match error {
        lock_file::Error::Kernel(errno) => errno.into(),
        lock_file::Error::TakenAlready(_) => Failure::new(Exit::InUse, reason),
        lock_file::Error::SomebodyElses(..) => Failure::new(Exit::InUse, reason)
            .hint("--owner names another process, --force asks none"),
        lock_file::Error::Unreadable => Failure::failed(reason),
    }
}
