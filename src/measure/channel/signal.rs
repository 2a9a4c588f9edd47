//! Channels of queued real-time signals. A message is the value of the signal.

use std::sync::atomic::Ordering;

use super::{Ends, Input, Meeting, Output, Side};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::measure::control::Control;
use crate::measure::names::Names;
use crate::measure::trial::{Error, Pace, Trial};
use crate::sys::pidfd::Process;
use crate::sys::signal::Blocked;
use crate::sys::time;

/// The length of a message.
pub const SIZE: usize = size_of::<i32>();

/// Signals queue in the order in which they were sent, from this number on.
const SIGNAL: Signal = Signal::RTMIN;

/// The signal, blocked, to be taken.
pub struct Taker {
    blocked: Blocked,
    deadline: Deadline,
    message: [u8; SIZE],
}

impl Input for Taker {
    #[inline]
    fn receive(&mut self) -> Result<&[u8], Error> {
        loop {
            match self.blocked.take(self.deadline).map_err(Error::of("sigtimedwait"))? {
                Waited::Done(received) => {
                    let value = received.value.ok_or(Error::Wrong("a signal without a value"))?;
                    self.message = value.to_ne_bytes();
                    return Ok(&self.message);
                }
                Waited::TimedOut => std::hint::spin_loop(),
            }
        }
    }
}

/// The process to signal.
pub struct Signaller(Process);

impl Output for Signaller {
    #[inline]
    fn send(&mut self, message: &[u8]) -> Result<(), Error> {
        let value = message.first_chunk().map(|bytes| i32::from_ne_bytes(*bytes));
        let value = value.ok_or(Error::Unsuitable)?;
        loop {
            match self.0.queue(Some(SIGNAL), value) {
                Ok(()) => return Ok(()),
                // As many signals are queued as RLIMIT_SIGPENDING allows.
                Err(Errno(libc::EAGAIN)) => std::thread::yield_now(),
                Err(errno) => return Err(Error::Kernel("pidfd_send_signal", errno)),
            }
        }
    }
}

/// The signal, blocked in both processes from their start.
pub struct Signals {
    blocked: Blocked,
    pace: Pace,
}

impl Signals {
    /// Creates the channels.
    pub fn meet(trial: &Trial, _: &mut Names) -> Result<Box<dyn Meeting>, Error> {
        let blocked = Blocked::new([SIGNAL].into_iter().collect());
        Ok(Box::new(Self { blocked, pace: trial.pace }))
    }
}

impl Meeting for Signals {
    fn join(self: Box<Self>, side: Side, control: &Control) -> Result<Ends, Error> {
        let (own, other) = match side {
            Side::Receiver => (0, 1),
            Side::Sender(_) => (1, 0),
        };
        control.pid(own).store(std::process::id(), Ordering::Release);
        let pid = loop {
            match control.pid(other).load(Ordering::Acquire) {
                0 => time::sleep_until(time::monotonic() + 100_000),
                pid => break pid,
            }
        };
        let process = Process::open(pid as i32).map_err(Error::of("pidfd_open"))?;
        let deadline = match self.pace {
            Pace::Blocking => Deadline::NEVER,
            Pace::Spinning => Deadline::PASSED,
        };
        let taker = Taker { blocked: self.blocked, deadline, message: [0; SIZE] };
        Ok((Box::new(taker), Box::new(Signaller(process))))
    }
}
