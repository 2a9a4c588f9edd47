//! `ipc lock take` and `drop`.

use std::ffi::OsString;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::options::Pid;
use crate::app::options::Waiting;
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::output::{escape, rfc3339};
use crate::mechanism::lock_file;
use crate::mechanism::lock_file::{Content, Owner, Taken};
use crate::run::watchdog::within;
use crate::sys::process;

use super::Holders;

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
    #[command(flatten)]
    pidfile: Pidfile,
}

impl Action for Take {
    const EXAMPLES: &'static [Example] = &[
        ("Let one script run at a time", "ipc lock take -n /run/job.lock || exit"),
        ("Have a daemon own a pidfile", "ipc lock take --pidfile --owner \"$pid\" /run/daemon.pid"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let deadline = self.waiting.deadline();
        let owner = self.ownership.owner()?;
        let content = self.pidfile.content();
        let holders = Holders::new(&self.file, &self.file, lock_file::FLOCK);
        let (path, notes, before) = (self.file.clone(), output.notes(), holders.clone());
        let taken = within(deadline, move || {
            let before_waiting = |taken| before.tell_before(taken, &notes);
            lock_file::take(&path, &owner, content, deadline, before_waiting)
        });
        let taken = taken.map_err(Failure::from).about(&self.file)?;
        let taken = taken.map_err(explain).about(&self.file)?;
        let settled = self.waiting.or_error(taken).about(&self.file);
        settled.inspect_err(|error| holders.tell_after(error, output))?;
        Ok(Exit::Done)
    }
}

/// Drop a lock file
///
/// It has to be the owner's, or its owner has ended, as far as 'ipc lock take' would see that too.
/// Any other is dropped by force.
#[derive(Debug, clap::Args, Plain)]
pub struct Drop {
    /// Path of the lock file
    #[arg(value_name = "FILE")]
    file: OsString,
    #[command(flatten)]
    ownership: Ownership,
    #[command(flatten)]
    pidfile: Pidfile,
    /// Drop it whoever has it
    #[arg(short, long, conflicts_with = "owner")]
    force: bool,
}

impl Action for Drop {
    const EXAMPLES: &'static [Example] = &[(
        "Let others have it",
        "ipc lock take /run/job.lock; ./job; ipc lock drop /run/job.lock",
    )];

    fn run(self, _: &mut Context) -> anyhow::Result<Exit> {
        let dropped = if self.force {
            lock_file::release_any(&self.file)
        } else {
            lock_file::release(&self.file, &self.ownership.owner()?, self.pidfile.content())
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

/// Whether lock files have the number of a process alone.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct Pidfile {
    /// The file has the number of the process alone, as programs that read pidfiles expect
    ///
    /// All processes that use the file have to be in one PID namespace, and to say --pidfile. While
    /// there is a process of that number, be it another one, the lock is respected.
    #[arg(long)]
    pidfile: bool,
}

impl Pidfile {
    /// What is in the file.
    pub fn content(self) -> Content {
        if self.pidfile { Content::PidOnly } else { Content::Full }
    }
}

/// Whose a lock file is, in words.
pub fn owner_in_words(taken: &Taken) -> String {
    let owner = match taken.by {
        Ok(pid) => format!("{pid} ({})", escape(&process::command(pid))),
        Err(stranger) => stranger.description(),
    };
    format!("{owner} since {}", rfc3339(taken.since).unwrap_or_default())
}

/// Puts the way out beside the reason.
pub fn explain(error: lock_file::Error) -> Failure {
    let reason = error.to_string();
    match error {
        lock_file::Error::Kernel(errno) => errno.into(),
        lock_file::Error::TakenAlready(_) => Failure::new(Exit::InUse, reason),
        lock_file::Error::SomebodyElses(..) => Failure::new(Exit::InUse, reason)
            .hint("--owner names another process, --force asks none"),
        lock_file::Error::Foreign { .. } => Failure::new(Exit::InUse, reason)
            .hint("it cannot be seen whether that has ended; --force asks no process"),
        lock_file::Error::Locked => Failure::new(Exit::InUse, reason),
        lock_file::Error::Empty => Failure::failed(reason)
            .hint("'ipc lock drop --force' removes it, and 'ipc lock run' locks it as it is"),
        lock_file::Error::Unreadable => Failure::failed(reason),
    }
}
