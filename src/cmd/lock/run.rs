//! `ipc lock run`.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::str::FromStr;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Effect, Example, Statuses};
use crate::app::context::Context;
use crate::app::options::{Conflict, Waiting};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::signal::Signal;
use crate::base::units::Timeout;
use crate::io::output::{Output, escape};
use crate::mechanism::lock::eviction::Eviction;
use crate::mechanism::lock::{self, Error};
use crate::mechanism::lock_file::locked;
use crate::run::job::{self, Command};
use crate::run::watchdog::within;
use crate::sys::{descriptor, process};

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
    /// Signal a holder that refuses the lock for this long
    ///
    /// For a holder that hangs. The time counts from the first refusal by the same process, identified by
    /// its process ID and its start time. The signals of --then go by pidfd to every process whose
    /// descriptors have the lock, also those that inherited it; processes that it started without the
    /// lock get none. If one of these processes is PID 1, 'ipc' itself or an ancestor, none is signalled:
    /// status 5. If a holder is not visible, as one of another user, none is signalled either: status 6.
    /// The owner of a lock file is not signalled: status 5.
    #[arg(long, value_name = "DURATION", conflicts_with = "nonblock", hide_short_help = true)]
    steal_after: Option<Timeout>,
    /// Send these signals, one after the other; TERM,KILL if not given
    ///
    /// Each one follows the signal before it after the time of --steal-after, or after 10 seconds if that
    /// is shorter. CONT follows each signal, as a stopped process handles no other.
    #[arg(
        long,
        value_name = "SIGNAL,...",
        requires = "steal_after",
        conflicts_with = "nonblock",
        hide_short_help = true
    )]
    then: Option<Sequence>,
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
            "End a backup that has the lock for more than an hour",
            "ipc lock run --steal-after 1h --then TERM,KILL /run/backup.lock -- ./backup",
        ),
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
    /// The signals for holders that hang.
    fn eviction(&self) -> Option<Eviction> {
        let signals = self.then.clone().map_or(vec![Signal::TERM, Signal::KILL], |then| then.0);
        match self.steal_after {
            Some(Timeout::For(after)) => Some(Eviction::new(after, signals)),
            Some(Timeout::Forever) | None => None,
        }
    }

    /// Opens the file and locks it.
    fn open(&self, output: &Output) -> anyhow::Result<OwnedFd> {
        let deadline = self.waiting.deadline();
        let wanted = self.lock.lock()?;
        let holders = Holders::new(&self.file, &self.file, wanted);
        let (path, notes, before) = (self.file.clone(), output.notes(), holders.clone());
        let eviction = self.eviction();
        let locked = within(deadline, move || {
            let report = |pid, signal| before.report_signal(pid, signal, &notes);
            let before_waiting = |owner| before.report_before(owner, &notes);
            match eviction {
                Some(eviction) => {
                    locked::open_evicting(&path, wanted, deadline, eviction, before_waiting, report)
                }
                None => locked::open(&path, wanted, deadline, before_waiting),
            }
        });
        let locked = locked.map_err(Failure::from).about(&self.file)?;
        let locked = locked.map_err(explain_open).about(&self.file)?;
        let locked = self.waiting.or_error(locked).about(&self.file);
        locked.inspect_err(|error| holders.report_after(error, output))
    }
}

/// Signals that follow each other, separated by commas.
#[derive(Clone, Debug)]
struct Sequence(Vec<Signal>);

impl FromStr for Sequence {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',').map(str::parse).collect::<Result<_, _>>().map(Self)
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
        Error::Protected(pid) => {
            let reason = format!("held by process {pid} ({}), {}", name(pid), relation(pid));
            Failure::new(IN_USE, reason)
        }
        Error::NotPermitted(pid) => {
            let reason = format!("held by process {pid} ({}), which may not be signalled", name(pid));
            Failure::new(DENIED, reason)
        }
        Error::Unseen => Failure::new(DENIED, format!("{error}, so none is signalled"))
            .hint("root sees the processes of all users, and a /proc of the host those of all containers"),
        Error::OfLockFile => Failure::new(IN_USE, error.to_string())
            .hint("'ipc lock test' prints the owner, 'ipc lock drop --force' drops the lock file"),
        error => explain(error),
    }
}

/// The statuses of a holder that is not signalled, which other failures before COMMAND do not have.
const IN_USE: Exit = Exit::Command(5);
const DENIED: Exit = Exit::Command(6);

fn name(pid: i32) -> String {
    escape(&process::command(pid)).into_owned()
}

/// The reason why a process is not signalled.
fn relation(pid: i32) -> &'static str {
    match pid {
        1 => "the first process, which is not signalled",
        pid if pid == std::process::id() as i32 => "which is this process itself",
        _ => "an ancestor of this process, which is not signalled",
    }
}
