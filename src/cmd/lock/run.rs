//! `ipc lock run`.

use std::ffi::OsString;
use std::os::fd::OwnedFd;

use crate::app::arguments::Plain;
use crate::app::command::{Action as Verb, Example, Statuses};
use crate::app::context::Context;
use crate::app::options::Conflict;
use crate::app::options::Waiting;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::output::Output;
use crate::mechanism::lock_file::locked;
use crate::run::job;
use crate::run::job::Command;
use crate::run::watchdog::within;
use crate::sys::descriptor;
use crate::sys::lock::{self, Error};

use super::{Holders, What, explain};

/// Lock a file and run a command
///
/// The lock is given back when COMMAND ends. A missing file is made, readable and writable for
/// its owner alone, since whoever may open a lock file may hold it for ever; a directory may be
/// locked as well. A file that is replaced while we wait is opened again. Signals are passed on.
///
/// A lock file that 'ipc lock take' has made counts as locked, until it is dropped or its owner has
/// ended.
///
/// A --timeout is for all of it. A file system that does not answer, as of a server that is gone, is
/// given up a second after it. With --nonblock it is waited for.
///
/// The lock is ours, so what COMMAND leaves running does not hold it; if we are killed, the lock
/// is free although COMMAND goes on. With --no-fork or --inherit the lock is COMMAND's instead,
/// and lasts until the last process that inherited it has ended.
#[derive(Debug, clap::Args, Plain)]
pub struct Run {
    /// File or directory to lock
    #[arg(value_name = "FILE")]
    file: OsString,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    conflict: Conflict,
    /// Become COMMAND, which then holds the lock by an inherited descriptor
    #[arg(short = 'F', long)]
    no_fork: bool,
    /// Keep the descriptor from COMMAND; this is the default
    #[arg(short = 'o', long, conflicts_with_all = ["no_fork", "inherit"])]
    close: bool,
    /// Let COMMAND and its children inherit the descriptor, and hold the lock by it
    #[arg(long)]
    inherit: bool,
    /// Remove FILE afterwards, while we have the lock
    ///
    /// Others who wait for it find out and lock the next file of that name, if they are ipc.
    #[arg(long, conflicts_with_all = ["no_fork", "inherit"])]
    remove: bool,
    /// Command to run, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Verb for Run {
    const EXAMPLES: &'static [Example] = &[
        ("Let only one backup run at a time", "ipc lock run -n /run/backup.lock -- ./backup"),
        ("Read while nobody writes", "ipc lock run -s data.csv -- ./report data.csv"),
        (
            "Lock the second record of a file",
            "ipc lock run accounts --range 64:64 -t 5s -- ./transfer",
        ),
    ];
    const STATUSES: Statuses = Statuses::OfCommand;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let fd = match self.lock(output) {
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
    /// Locks the file.
    fn lock(&self, output: &Output) -> anyhow::Result<OwnedFd> {
        let deadline = self.waiting.deadline();
        let wanted = self.what.lock()?;
        let holders = Holders::new(&self.file, &self.file, wanted);
        let (path, notes, before) = (self.file.clone(), output.notes(), holders.clone());
        let locked = within(deadline, move || {
            locked::open(&path, wanted, deadline, |taken| before.tell_before(taken, &notes))
        });
        let locked = locked.map_err(Failure::from).about(&self.file)?;
        let locked = locked.map_err(explain_open).about(&self.file)?;
        let settled = self.waiting.or_error(locked).about(&self.file);
        settled.inspect_err(|error| holders.tell_after(error, output))
    }
}

/// Puts the way out beside the reason why a file that was opened for the lock is not locked.
fn explain_open(error: Error) -> Failure {
    match error {
        Error::NotOpenFor(_) | Error::Kernel(Errno(libc::EBADF)) => Failure::from(Errno(
            libc::EBADF,
        ))
        .hint(
            "this file system, as NFS does, locks only what may be written, or for --shared read",
        ),
        error => explain(error),
    }
}
