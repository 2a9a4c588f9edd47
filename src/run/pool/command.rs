//! Runs one COMMAND in a thread.

use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitStatus;
use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::run::job::FORWARDED;
use crate::sys::pidfd::Process;
use crate::sys::poll;
use crate::sys::spawn::Child;

use super::{Busy, Pool};

/// The time limits of a COMMAND.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Limits {
    /// The time after which it gets TERM.
    pub time: Option<Duration>,
    /// The time from TERM to KILL.
    pub kill_after: Option<Duration>,
}

/// The end of a COMMAND.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct End {
    /// Its status.
    pub status: ExitStatus,
    /// Whether it exceeded its time limit.
    pub timed_out: bool,
}

impl End {
    /// Whether it succeeded within its time limit.
    pub fn is_success(self) -> bool {
        self.status.success() && !self.timed_out
    }
}

/// The signals for a COMMAND that exceeds its time limit.
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

    /// Sends the signal that is due.
    fn ring(&mut self, child: &Child) {
        child.send(self.signal);
        if self.signal == Signal::TERM {
            // A stopped COMMAND acts on the signal only after CONT.
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

/// The interval at which a COMMAND without a process descriptor is polled.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

impl Busy {
    /// Starts a COMMAND with `start` and waits for its end; then waits until the other end of
    /// `leftovers`, which the COMMAND and its children inherit, is closed. `None` if a signal ended
    /// the pool before the COMMAND started.
    ///
    /// # Errors
    /// Those of `start`, if the COMMAND was not started.
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
    /// Starts a COMMAND, unless a signal ends the pool. A signal of the terminal that arrives in
    /// between may have missed the COMMAND, which gets it here.
    fn start(
        &self,
        start: impl FnOnce() -> Result<Child, Errno>,
    ) -> Result<Option<(u64, Option<Process>)>, Errno> {
        let mut state = self.state();
        if self.is_ending(&state) {
            return Ok(None);
        }
        let child = start()?;
        let arrived = self.pending();
        FORWARDED.iter().filter(|&&signal| arrived.contains(signal)).for_each(|&s| child.send(s));
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

    /// Polls for the end of a COMMAND.
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

    /// Reaps a COMMAND that has ended. No signal is sent to its process ID afterwards.
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
