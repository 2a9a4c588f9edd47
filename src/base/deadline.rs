//! Deadlines of waits.
//!
//! A deadline is absolute and is taken once, before the first system call, so that a wait that is
//! interrupted and begins again lasts no longer. It is on the monotonic clock: a change of the time
//! of day has no effect on a wait.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};

/// A moment on the monotonic clock, or never.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deadline(Option<Duration>);

impl Deadline {
    /// The wait has no end.
    pub const NEVER: Self = Self(None);

    /// It has passed already: the call is tried once, without a wait.
    pub const PASSED: Self = Self(Some(Duration::ZERO));

    /// This long from now; never, if the clock cannot represent the moment.
    pub fn after(duration: Duration) -> Self {
        let is_shown = |at: &Duration| i64::try_from(at.as_secs()).is_ok();
        Self(now().checked_add(duration).filter(is_shown))
    }

    /// Whether it has passed.
    pub fn has_passed(self) -> bool {
        // Short commands do not use the clock otherwise, and its first use is a page fault.
        self == Self::PASSED || self.0.is_some_and(|at| at <= now())
    }

    /// The time left, zero if it has passed; `None` is without end.
    pub fn remaining(self) -> Option<Duration> {
        match self {
            Self::PASSED => Some(Duration::ZERO),
            Self(at) => at.map(|at| at.saturating_sub(now())),
        }
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
    // Linux always has this clock, and the call has no other error.
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from)
}

/// A deadline that activity postpones. Threads share it.
#[derive(Debug)]
pub struct IdleLimit {
    /// The time without activity; `None` is without limit.
    limit: Option<Duration>,
    /// The moment of the last activity, in nanoseconds of the monotonic clock.
    last: AtomicU64,
}

impl IdleLimit {
    /// A limit for the time without activity, which begins now.
    pub fn new(limit: Option<Duration>) -> Self {
        let idle = Self { limit, last: AtomicU64::new(0) };
        idle.postpone();
        idle
    }

    /// Records activity.
    pub fn postpone(&self) {
        if self.limit.is_some() {
            let nanoseconds = u64::try_from(now().as_nanos()).unwrap_or(u64::MAX);
            // A thread that was preempted here must not undo a later postponement.
            self.last.fetch_max(nanoseconds, Ordering::Relaxed);
        }
    }

    /// The end of the time without activity.
    pub fn deadline(&self) -> Deadline {
        let last = Duration::from_nanos(self.last.load(Ordering::Relaxed));
        Deadline(self.limit.and_then(|limit| last.checked_add(limit)))
    }
}

/// The outcome of a wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Waited<T = ()> {
    /// With a result.
    Done(T),
    /// At the deadline, with nothing changed.
    TimedOut,
}

impl<T> Waited<T> {
    /// The same, with a function of the result.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Waited<U> {
        match self {
            Self::Done(value) => Waited::Done(make(value)),
            Self::TimedOut => Waited::TimedOut,
        }
    }
}

/// Tries once without a wait; if that fails, calls `before` and waits until `deadline`.
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
    fn activity_postpones_the_end_of_an_idle_time() {
        let idle = IdleLimit::new(Some(Duration::from_secs(3600)));
        let before = idle.deadline();
        assert!(!before.has_passed());
        idle.postpone();
        assert_eq!(before.min(idle.deadline()), before);
        assert!(IdleLimit::new(Some(Duration::ZERO)).deadline().has_passed());
        assert_eq!(IdleLimit::new(None).deadline(), Deadline::NEVER);
    }

    #[test]
    fn min_is_the_earlier_deadline() {
        let soon = Deadline::after(Duration::from_secs(1));
        assert_eq!(soon.min(Deadline::NEVER), soon);
        assert_eq!(soon.min(Deadline::PASSED), Deadline::PASSED);
    }
}
