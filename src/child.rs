//! Running a COMMAND: with the dispositions that it expects, the signals that we get passed on to
//! it, and its status as ours.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;
use crate::exit::{Exit, Failure, Subject};
use crate::signals::Signal;
use crate::sys::signal::{Blocked, Received, await_children, restore_dispositions, unblock_all};
use crate::sys::spawn::{Child, Program, Signals, Streams};

/// The signals that somebody may send to us and mean the COMMAND.
pub const FORWARDED: [Signal; 6] =
    [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2];

/// A COMMAND that can be started.
#[derive(Debug)]
pub struct Command {
    name: OsString,
    program: Program,
}

impl Command {
    /// The COMMAND of these words: its name, then its arguments.
    ///
    /// # Errors
    /// That there is none, with status 126 or 127.
    pub fn new(words: &[OsString]) -> anyhow::Result<Self> {
        let name = words.first().cloned().unwrap_or_default();
        let program = Program::find(words).map_err(|errno| not_started(&name, errno))?;
        Ok(Self { name, program })
    }

    /// Leaves out what begins so of our own environment.
    pub fn without(self, prefixes: &[impl AsRef<str>]) -> Self {
        Self { program: self.program.without(prefixes), ..self }
    }

    /// Runs it beside us until it ends, passing signals on to it; tells its process ID as soon as it
    /// is started.
    ///
    /// # Errors
    /// That it could not be started, with status 125, 126 or 127.
    pub fn run(&self, started: impl FnOnce(i32)) -> anyhow::Result<Exit> {
        let mut job = Job::new(None);
        started(job.start(self, Streams::default())?);
        Ok(job.finish()?.into_iter().next().unwrap_or(Exit::Done))
    }

    /// Starts it beside us, with these variables besides its environment.
    ///
    /// # Errors
    /// Why it could not be started; [`Command::failed`] says it.
    pub fn start(&self, streams: Streams<'_>, variables: &[(&str, &[u8])]) -> Result<Child, Errno> {
        self.program.start(Signals::Clean, streams, variables)
    }

    /// Becomes it, with the dispositions and the mask that we have; comes back only with the
    /// reason why it did not.
    pub fn exec(&self, streams: Streams<'_>, variables: &[(&str, &[u8])]) -> anyhow::Error {
        self.failed(self.program.exec(streams, variables))
    }

    /// What went wrong when it was started, with status 125, 126 or 127.
    pub fn failed(&self, errno: Errno) -> anyhow::Error {
        not_started(&self.name, errno)
    }
}

/// COMMANDs that run beside us, and the signals that we get meanwhile: blocked before the first one
/// starts, so that none falls between.
#[derive(Debug)]
pub struct Job {
    signals: Blocked,
    children: Vec<Child>,
}

/// What happens while COMMANDs run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// All have ended; how, in the order in which they were started.
    Ended(Vec<ExitStatus>),
    /// Somebody sent us a signal, who may mean them.
    Signal(Signal),
}

impl Job {
    /// One without COMMANDs yet, for those that are passed on, and these signals besides.
    pub fn new(besides: Option<Signal>) -> Self {
        await_children();
        let ours = FORWARDED.into_iter().chain([Signal::CHLD]).chain(besides);
        Self { signals: Blocked::new(ours.collect()), children: Vec::new() }
    }

    /// Starts a COMMAND more; returns its process ID.
    ///
    /// # Errors
    /// That it could not be started, with status 125, 126 or 127; those before it get TERM.
    pub fn start(&mut self, command: &Command, streams: Streams<'_>) -> anyhow::Result<i32> {
        let child = command.start(streams, &[]).map_err(|errno| {
            self.send(Signal::TERM);
            command.failed(errno)
        })?;
        let pid = child.pid();
        self.children.push(child);
        Ok(pid)
    }

    /// What happens next, before `deadline`.
    pub fn next(&mut self, deadline: Deadline) -> Result<Waited<Event>, Errno> {
        let ours = std::process::id() as i32;
        loop {
            let received = match self.signals.take(deadline)? {
                Waited::Done(received) => received,
                Waited::TimedOut => return Ok(Waited::TimedOut),
            };
            match received {
                Received { signal: Signal::CHLD, .. } => {
                    if let Some(statuses) = self.ended()? {
                        return Ok(Waited::Done(Event::Ended(statuses)));
                    }
                }
                // The terminal sent it, to the COMMANDs as well.
                Received { sender: None, .. } => {}
                // We sent it, to our whole group.
                Received { sender: Some((pid, _)), .. } if pid == ours => {}
                Received { signal, .. } => return Ok(Waited::Done(Event::Signal(signal))),
            }
        }
    }

    /// Sends a signal to all COMMANDs that have not ended.
    pub fn send(&self, signal: Signal) {
        self.children.iter().for_each(|child| child.send(signal));
    }

    /// Waits until all have ended, passing signals on to each of them.
    pub fn finish(mut self) -> anyhow::Result<Vec<Exit>> {
        loop {
            match self.next(Deadline::NEVER)? {
                Waited::Done(Event::Ended(statuses)) => {
                    return Ok(statuses.into_iter().map(exit_of).collect());
                }
                Waited::Done(Event::Signal(signal)) => self.send(signal),
                // It never comes.
                Waited::TimedOut => {}
            }
        }
    }

    /// How all have ended, if they have.
    fn ended(&mut self) -> Result<Option<Vec<ExitStatus>>, Errno> {
        let looked: Result<Vec<_>, _> = self.children.iter_mut().map(Child::try_wait).collect();
        Ok(looked?.into_iter().collect())
    }
}

/// Becomes a COMMAND: nothing of us remains. Comes back only with the reason why it did not.
pub fn exec(words: &[OsString]) -> anyhow::Error {
    match Command::new(words) {
        Ok(command) => {
            start_clean();
            command.exec(Streams::default(), &[])
        }
        Err(error) => error,
    }
}

/// Has signals do to us what a COMMAND expects, before we become it.
pub fn start_clean() {
    restore_dispositions();
    unblock_all();
}

/// The status by which a shell would tell how a COMMAND ended.
pub fn exit_of(status: ExitStatus) -> Exit {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    Exit::Command(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX))
}

/// How a COMMAND ended, in words.
pub fn told(status: ExitStatus) -> String {
    match status.signal().and_then(Signal::new) {
        Some(signal) => format!("died of signal {signal}"),
        None => format!("ended with status {}", status.code().unwrap_or_default()),
    }
}

/// Why a COMMAND did not start: as env(1) has it, 127 if there is none, 126 if it cannot be executed,
/// 125 if we have no room to try.
fn not_started(name: &OsStr, errno: Errno) -> anyhow::Error {
    let exit = match errno {
        Errno(libc::ENOENT) => Exit::CommandNotFound,
        Errno(libc::EAGAIN | libc::EMFILE | libc::ENFILE | libc::ENOMEM) => Exit::CommandNotStarted,
        _ => Exit::CommandNotExecutable,
    };
    let failed: Result<(), Failure> = Err(Failure::new(exit, errno.to_string()));
    failed.about(name).expect_err("it is an error")
}
