//! A timer on the clock that goes on while the machine sleeps: timerfd_create(2), CLOCK_BOOTTIME.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use crate::base::errno::Errno;

/// A timer that is readable from a moment on.
#[derive(Debug)]
pub struct BootTimer(TimerFd);

impl BootTimer {
    /// A timer that is not set.
    pub fn new() -> Result<Self, Errno> {
        let flags = TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK;
        Ok(Self(TimerFd::new(ClockId::CLOCK_BOOTTIME, flags)?))
    }

    /// Makes it readable from this moment on, as [`super::time::since_boot`] counts.
    pub fn set(&self, at: Duration) -> Result<(), Errno> {
        // Zero would disarm the timer.
        let at = at.max(Duration::from_nanos(1));
        let at = Expiration::OneShot(TimeSpec::from_duration(at));
        Ok(self.0.set(at, TimerSetTimeFlags::TFD_TIMER_ABSTIME)?)
    }

    /// Makes it unreadable.
    pub fn unset(&self) -> Result<(), Errno> {
        Ok(self.0.unset()?)
    }
}

impl AsFd for BootTimer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
