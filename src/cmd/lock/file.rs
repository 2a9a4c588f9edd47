//! `ipc lock take` and `drop`.

use std::ffi::OsString;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::{Caller, Context};
use crate::app::options::{Pid, Waiting};
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::output::{escape, rfc3339};
use crate::mechanism::lock_file::{self, Content, CurrentOwner, Owner};
use crate::run::watchdog::within;
use crate::sys::process;

use super::Holders;

/// Take a lock file
///
/// The existence of the file is the lock: it names its owner, and exists until 'ipc lock drop'. The owner
/// is the calling shell, or the process of --owner. When the owner has ended, or the machine was restarted,
/// the next caller takes the lock file over, without a race. A lock file whose owner is in another PID
/// namespace or on another machine is never taken over. If the owner has the lock file already, the status
/// is 5.
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
        let deadline = self.waiting.deadline();
        let owner = self.ownership.owner(context.caller)?;
        let output = &context.output;
        let content = self.pidfile.content();
        let holders = Holders::new(&self.file, &self.file, lock_file::FLOCK);
        let (path, notes, before) = (self.file.clone(), output.notes(), holders.clone());
        let waited = within(deadline, move || {
            let before_waiting = |owner| before.report_before(owner, &notes);
            lock_file::acquire(&path, &owner, content, deadline, before_waiting)
        });
        let waited = waited.map_err(Failure::from).about(&self.file)?;
        let waited = waited.map_err(explain).about(&self.file)?;
        let acquired = self.waiting.or_error(waited).about(&self.file);
        acquired.inspect_err(|error| holders.report_after(error, output))?;
        Ok(Exit::Done)
    }
}

/// Drop a lock file
///
/// It drops the lock file of the owner, or one whose owner has ended as 'ipc lock take' determines it.
/// Others need --force.
#[derive(Debug, clap::Args, Plain)]
pub struct Drop {
    /// Path of the lock file
    #[arg(value_name = "FILE")]
    file: OsString,
    #[command(flatten)]
    ownership: Ownership,
    #[command(flatten)]
    pidfile: Pidfile,
    /// Drop a lock file of any owner
    #[arg(short, long, conflicts_with = "owner")]
    force: bool,
}

impl Action for Drop {
    const EXAMPLES: &'static [Example] = &[(
        "Hold a lock file for a part of a script",
        "ipc lock take /run/job.lock; ./job; ipc lock drop /run/job.lock",
    )];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let dropped = if self.force {
            lock_file::force_release(&self.file)
        } else {
            lock_file::release(
                &self.file,
                &self.ownership.owner(context.caller)?,
                self.pidfile.content(),
            )
        };
        dropped.map_err(explain).about(&self.file)?;
        Ok(Exit::Done)
    }
}

/// The owner that the options name.
#[derive(Clone, Debug, clap::Args, Plain)]
struct Ownership {
    /// Owner of the lock file; the calling process by default
    #[arg(long, value_name = "PID")]
    owner: Option<Pid>,
}

impl Ownership {
    fn owner(&self, caller: Caller) -> anyhow::Result<Owner> {
        let pid = match (&self.owner, caller.pid()) {
            (Some(pid), _) => pid.number,
            // The kernel shows no process ID of a process outside of the PID namespace.
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

/// The content of lock files that the options choose.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct Pidfile {
    /// Write only the process ID, as programs that read pidfiles expect
    ///
    /// All processes that use the file have to be in one PID namespace and to use --pidfile. The start time
    /// of the owner is recorded beside the file, in an extended attribute, where the file system has them.
    /// If the process with that process ID has another start time, or the machine was started again, the
    /// lock is free. Without the record, as in a file of another program, the lock is respected while a
    /// process with that process ID exists, even if it is another one; but 'ipc lock take' takes the file
    /// over if the process ID is that of 'ipc', of the new owner or of an ancestor of one of them. So a
    /// pidfile that survives the restart of a container, where the process IDs repeat, does not keep the
    /// lock. The time of the file is not evidence, as the clock may have been set.
    #[arg(long)]
    pidfile: bool,
}

impl Pidfile {
    /// The content.
    pub fn content(self) -> Content {
        if self.pidfile { Content::PidOnly } else { Content::Full }
    }
}

/// The owner of a lock file, in words.
pub fn owner_in_words(owner: &CurrentOwner) -> String {
    let process = match owner.process {
        Ok(pid) => format!("{pid} ({})", escape(&process::command(pid))),
        Err(owner) => owner.description(),
    };
    format!("{process} since {}", rfc3339(owner.since).unwrap_or_default())
}

/// The message, status and hint for an error.
pub fn explain(error: lock_file::Error) -> Failure {
    let reason = error.to_string();
    match error {
        lock_file::Error::Kernel(errno) => errno.into(),
        lock_file::Error::AlreadyOwned(_) => Failure::new(Exit::InUse, reason),
        lock_file::Error::OtherOwner(..) => Failure::new(Exit::InUse, reason)
            .hint("--owner names another owner, --force drops the lock file of any owner"),
        lock_file::Error::Foreign { .. } => Failure::new(Exit::InUse, reason).hint(
            "whether the owner has ended is not visible; --force drops the lock file of any owner",
        ),
        lock_file::Error::Locked => Failure::new(Exit::InUse, reason),
        lock_file::Error::Empty => Failure::failed(reason)
            .hint("'ipc lock drop --force' removes it, and 'ipc lock run' locks it as it is"),
        lock_file::Error::Unreadable => Failure::failed(reason),
    }
}
