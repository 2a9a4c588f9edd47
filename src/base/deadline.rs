//! Moments until which something is waited for, and the options that give one.
//!
//! A deadline is absolute and taken once, before the first system call, so that a wait which is
//! interrupted and begun again lasts no longer. It is on the monotonic clock: setting the time of
//! day neither ends nor stretches a wait.

use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};

/// A moment on the monotonic clock, or never.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deadline(Option<Duration>);

impl Deadline {
    /// Waits for ever.
    pub const NEVER: Self = Self(None);

    /// Has passed already: what can be done at once is done, and nothing is waited for.
    pub const PASSED: Self = Self(Some(Duration::ZERO));

    /// This long from now. A moment that the clock cannot show is never.
    pub fn after(duration: Duration) -> Self {
        let is_shown = |at: &Duration| i64::try_from(at.as_secs()).is_ok();
        Self(now().checked_add(duration).filter(is_shown))
    }

    /// Whether it has passed.
    pub fn has_passed(self) -> bool {
        self.0.is_some_and(|at| at <= now())
    }

    /// The time left, zero when it has passed; `None` is for ever.
    pub fn remaining(self) -> Option<Duration> {
        self.0.map(|at| at.saturating_sub(now()))
    }

    /// The moment on CLOCK_MONOTONIC; `None` is never.
    pub fn on_clock(self) -> Option<TimeSpec> {
        self.0.map(TimeSpec::from_duration)
    }

    /// The earlier of two.
    pub fn min(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(a), Some(b)) => Self(Some(a.min(b))),
            (one, None) | (None, one) => Self(one),
        }
    }
}

fn now() -> Duration {
    // Linux always has this clock, and the call takes no other argument.
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from)
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Waited<T = ()> {
    /// With what was waited for.
    Done(T),
    /// At the deadline, with nothing changed.
    TimedOut,
}

impl<T> Waited<T> {
    /// The same, with something made of what was waited for.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Waited<U> {
        match self {
            Self::Done(value) => Waited::Done(make(value)),
            Self::TimedOut => Waited::TimedOut,
        }
    }
}

/// Tries, and where that does not succeed at once, calls `before` and waits until `deadline`.
///
/// # Errors
/// Those of `wait`.
pub fn announced<T, E>(
    deadline: Deadline,
    before: impl FnOnce(),
    mut wait: impl FnMut(Deadline) -> Result<Waited<T>, E>,
) -> Result<Waited<T>, E> {
    match wait(Deadline::PASSED)? {
        Waited::TimedOut if deadline != Deadline::PASSED => {
            before();
            wait(deadline)
        }
        waited => Ok(waited),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_passes_and_never_does_not() {
        assert!(Deadline::PASSED.has_passed());
        assert!(Deadline::after(Duration::ZERO).has_passed());
        assert!(!Deadline::after(Duration::from_secs(60)).has_passed());
        assert!(!Deadline::NEVER.has_passed());
        assert_eq!(Deadline::NEVER.remaining(), None);
        assert_eq!(Deadline::PASSED.remaining(), Some(Duration::ZERO));
    }

    #[test]
    fn a_moment_beyond_the_clock_is_never() {
        for seconds in [u64::MAX, i64::MAX as u64] {
            assert_eq!(Deadline::after(Duration::from_secs(seconds)), Deadline::NEVER);
        }
    }

    #[test]
    fn the_earlier_of_two_is_the_one_that_comes() {
        let soon = Deadline::after(Duration::from_secs(1));
        assert_eq!(soon.min(Deadline::NEVER), soon);
        assert_eq!(soon.min(Deadline::PASSED), Deadline::PASSED);
    }
}
