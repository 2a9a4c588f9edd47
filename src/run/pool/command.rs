//! One COMMAND of a thread, from its start to its end.

use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitStatus;
use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::sys::pidfd::Process;
use crate::sys::poll;
use crate::sys::spawn::Child;

use super::{Busy, Pool};

/// How long a COMMAND may run.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Limits {
    /// After this long it gets TERM.
    pub time: Option<Duration>,
    /// It gets KILL this long after TERM.
    pub kill_after: Option<Duration>,
}

/// How a COMMAND ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct End {
    /// Its status.
    pub status: ExitStatus,
    /// Whether it ran longer than its limit.
    pub timed_out: bool,
}

impl End {
    /// Whether it succeeded in time.
    pub fn is_success(self) -> bool {
        self.status.success() && !self.timed_out
    }
}

/// The signals that a COMMAND gets when it runs too long.
#[derive(Debug)]
struct Alarm {
    next: Deadline,
    signal: Signal,
    kill_after: Option<Duration>,
    timed_out: bool,
}

impl Alarm {
    fn new(Limits { time, kill_after }: Limits) -> Self {
        let next = time.map_or(Deadline::NEVER, Deadline::after);
        Self { next, signal: Signal::TERM, kill_after, timed_out: false }
    }

    /// Sends the signal whose time has come.
    fn ring(&mut self, child: &Child) {
        child.send(self.signal);
        if self.signal == Signal::TERM {
            // It may be stopped.
            child.send(Signal::CONT);
        }
        self.timed_out = true;
        self.next = match (self.signal, self.kill_after) {
            (Signal::TERM, Some(kill_after)) => Deadline::after(kill_after),
            _ => Deadline::NEVER,
        };
        self.signal = Signal::KILL;
    }
}

/// How long to wait before a COMMAND is looked at again for which no descriptor was left.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

impl Busy {
    /// Runs a COMMAND, which `start` starts, to its end; then waits until the other end of
    /// `leftovers` is closed, which the COMMAND and its children inherit. `None` if a signal ends the
    /// pool, and the COMMAND was not started.
    ///
    /// # Errors
    /// Why it was not started.
    pub fn run(
        &self,
        start: impl FnOnce() -> Result<Child, Errno>,
        limits: Limits,
        leftovers: Option<OwnedFd>,
    ) -> Result<Option<End>, Errno> {
        let pool = &self.0;
        let Some((number, process)) = pool.start(start)? else { return Ok(None) };
        let mut alarm = Alarm::new(limits);
        let waited = pool.wait_for_end(number, process.as_ref(), &mut alarm).and_then(|()| {
            leftovers.map_or(Ok(()), |end| pool.wait_for_leftovers(number, &end, &mut alarm))
        });
        let status = pool.reap(number);
        waited?;
        Ok(Some(End { status: status?, timed_out: alarm.timed_out }))
    }
}

impl Pool {
    /// Starts a COMMAND, unless a signal ends the pool; none arrives in between.
    fn start(
        &self,
        start: impl FnOnce() -> Result<Child, Errno>,
    ) -> Result<Option<(u64, Option<Process>)>, Errno> {
        let mut state = self.state();
        if state.signal.is_some() {
            return Ok(None);
        }
        let child = start()?;
        let process = child.process().ok();
        state.started += 1;
        let number = state.started;
        state.commands.push((number, child));
        Ok(Some((number, process)))
    }

    fn wait_for_end(
        &self,
        number: u64,
        process: Option<&Process>,
        alarm: &mut Alarm,
    ) -> Result<(), Errno> {
        loop {
            let ended = match process {
                Some(process) => process.wait_until_ended(alarm.next)?,
                None => self.look_for_end(number, alarm.next)?,
            };
            match ended {
                Waited::Done(()) => return Ok(()),
                Waited::TimedOut => self.with(number, |child| alarm.ring(child)),
            }
        }
    }

    /// Looks for the end of a COMMAND again and again.
    fn look_for_end(&self, number: u64, deadline: Deadline) -> Result<Waited, Errno> {
        loop {
            let mut state = self.state();
            let child = state.commands.iter_mut().find(|(other, _)| *other == number);
            if child.is_none_or(|(_, child)| matches!(child.try_wait(), Ok(Some(_)) | Err(_))) {
                return Ok(Waited::Done(()));
            }
            drop(state);
            if deadline.has_passed() {
                return Ok(Waited::TimedOut);
            }
            let _: Waited = poll::any_readable(&[], deadline.min(Deadline::after(LOOK_AGAIN)))?;
        }
    }

    /// Waits until all processes that inherited the other end have closed it.
    fn wait_for_leftovers(
        &self,
        number: u64,
        end: &OwnedFd,
        alarm: &mut Alarm,
    ) -> Result<(), Errno> {
        while poll::readable(end.as_fd(), alarm.next)? == Waited::TimedOut {
            self.with(number, |child| alarm.ring(child));
        }
        Ok(())
    }

    fn with(&self, number: u64, act: impl FnOnce(&Child)) {
        let state = self.state();
        if let Some((_, child)) = state.commands.iter().find(|(other, _)| *other == number) {
            act(child);
        }
    }

    /// Reaps a COMMAND that has ended, after which no signal is sent to its number.
    fn reap(&self, number: u64) -> Result<ExitStatus, Errno> {
        let mut state = self.state();
        let index = state.commands.iter().position(|(other, _)| *other == number);
        let (_, mut child) =
            state.commands.swap_remove(index.expect("its own thread alone removes it"));
        match child.try_wait()? {
            Some(status) => Ok(status),
            None => {
                drop(state);
                child.wait()
            }
        }
    }
}
