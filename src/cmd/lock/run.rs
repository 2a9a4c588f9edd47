//! `ipc lock run`.

use std::ffi::OsString;
use std::os::fd::OwnedFd;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Effect, Example, Statuses};
use crate::app::context::Context;
use crate::app::options::{Conflict, Waiting};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::output::Output;
use crate::mechanism::lock::{self, Error};
use crate::mechanism::lock_file::locked;
use crate::run::job::{self, Command};
use crate::run::watchdog::within;
use crate::sys::descriptor;

use super::{Holders, LockOptions, explain};

/// Lock a file and run a command
///
/// The lock is released when COMMAND ends. A missing file is created, readable and writable for its owner
/// alone, since a user who may open a lock file may hold the lock without end; a directory can be locked as
/// well. A file that is replaced during the wait is opened again. Signals are passed on.
///
/// A lock file of 'ipc lock take' counts as locked until it is dropped or its owner has ended.
///
/// The --timeout includes opening the file. If the file system does not answer, as when its server is gone,
/// 'ipc' times out a second later. With --nonblock it waits for the file system.
///
/// 'ipc' holds the lock, so processes that COMMAND leaves running do not; if 'ipc' is killed, the lock is
/// free although COMMAND still runs. With --no-fork or --inherit COMMAND holds the lock instead, until the
/// last process that inherited it has ended.
#[derive(Debug, clap::Args, Plain)]
pub struct Run {
    /// File or directory to lock
    #[arg(value_name = "FILE")]
    file: OsString,
    #[command(flatten)]
    lock: LockOptions,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    conflict: Conflict,
    /// Become COMMAND, which holds the lock by an inherited descriptor
    #[arg(short = 'F', long, hide_short_help = true)]
    no_fork: bool,
    /// Close the descriptor in COMMAND; this is the default
    #[arg(short = 'o', long, hide_short_help = true, conflicts_with_all = ["no_fork", "inherit"])]
    close: bool,
    /// Let COMMAND and its children hold the lock by an inherited descriptor
    #[arg(long, hide_short_help = true)]
    inherit: bool,
    /// Remove FILE when COMMAND has ended, before the lock is released
    ///
    /// An 'ipc' that waits for the lock then locks the next file of that name.
    #[arg(long, conflicts_with_all = ["no_fork", "inherit"])]
    remove: bool,
    /// Command to run, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Action for Run {
    const EXAMPLES: &'static [Example] = &[
        ("Let only one backup run at a time", "ipc lock run -n /run/backup.lock -- ./backup"),
        ("Read while no other process writes", "ipc lock run -s data.csv -- ./report data.csv"),
        (
            "Lock the second record of a file",
            "ipc lock run accounts --range 64:64 -t 5s -- ./transfer",
        ),
    ];
    const STATUSES: Statuses = Statuses::OfCommand;
    const EFFECT: Effect = Effect::BecomesCommand;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let fd = match self.open(output) {
            Ok(fd) => fd,
            Err(error) => return self.conflict.or_error(error, output),
        };
        if self.inherit || self.no_fork {
            descriptor::pass_on(&fd).about(&self.file)?;
        }
        if self.no_fork {
            return Err(job::exec(&self.command));
        }
        let ended = Command::new(&self.command).and_then(|command| command.run(|_| {}));
        if self.remove {
            lock::unlink_if_at(&self.file, &fd).about(&self.file)?;
        }
        ended
    }
}

impl Run {
    /// Opens the file and locks it.
    fn open(&self, output: &Output) -> anyhow::Result<OwnedFd> {
        let deadline = self.waiting.deadline();
        let wanted = self.lock.lock()?;
        let holders = Holders::new(&self.file, &self.file, wanted);
        let (path, notes, before) = (self.file.clone(), output.notes(), holders.clone());
        let locked = within(deadline, move || {
            locked::open(&path, wanted, deadline, |owner| before.report_before(owner, &notes))
        });
        let locked = locked.map_err(Failure::from).about(&self.file)?;
        let locked = locked.map_err(explain_open).about(&self.file)?;
        let locked = self.waiting.or_error(locked).about(&self.file);
        locked.inspect_err(|error| holders.report_after(error, output))
    }
}

/// The message, status and hint for an error of a file that was opened for the lock.
fn explain_open(error: Error) -> Failure {
    match error {
        Error::NotOpenFor(_) | Error::Kernel(Errno(libc::EBADF)) => Failure::from(Errno(
            libc::EBADF,
        ))
        .hint(
            "this file system, like NFS, needs write access for the lock, or read access with --shared",
        ),
        error => explain(error),
    }
}
