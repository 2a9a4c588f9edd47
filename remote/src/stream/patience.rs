//! How long a request is repeated while the server has no leader, or does not answer.

use std::future::Future;
use std::time::Duration;

use ipc_suite::remote::{Deadline, Waited};

use super::Error;

/// The time for one answer. A request that is lost with a connection is sent again after that.
const ATTEMPT: Duration = Duration::from_secs(2);

/// The time for the answer to a caller that does not wait.
const AT_ONCE: Duration = Duration::from_secs(5);

/// The longest pause between two attempts.
const LONGEST: Duration = Duration::from_secs(1);

/// The deadline of a request, and the pauses between its attempts.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    until: Deadline,
    is_at_once: bool,
    pause: Duration,
}

impl Patience {
    /// Until this deadline. A deadline that has passed means that the caller does not wait for an event;
    /// the server still needs its time to answer.
    pub fn new(deadline: Deadline) -> Self {
        let is_at_once = deadline == Deadline::PASSED;
        let until = if is_at_once { Deadline::after(AT_ONCE) } else { deadline };
        Self { until, is_at_once, pause: Duration::from_millis(10) }
    }

    /// Whether the caller does not wait for events.
    pub fn is_at_once(&self) -> bool {
        self.is_at_once
    }

    /// The time for one attempt.
    pub fn attempt(&self) -> Duration {
        self.until.remaining().map_or(ATTEMPT, |left| left.min(ATTEMPT))
    }

    /// The outcome if there is no time left.
    pub fn ended<T>(&self) -> Option<Result<Waited<T>, Error>> {
        let outcome = || if self.is_at_once { Err(Error::Silent) } else { Ok(Waited::TimedOut) };
        self.until.has_passed().then(outcome)
    }

    /// Whether there is no time left.
    pub fn has_ended(&self) -> bool {
        self.until.has_passed()
    }

    /// Lets some time pass before the next attempt, more each time.
    pub fn pause(&mut self) -> impl Future<Output = ()> + use<> {
        let left = self.until.remaining().unwrap_or(LONGEST);
        let pause = self.pause.min(left);
        self.pause = (self.pause * 2).min(LONGEST);
        tokio::time::sleep(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_that_does_not_wait_gives_the_server_time_to_answer() {
        let patience = Patience::new(Deadline::PASSED);
        assert!(patience.is_at_once());
        assert_eq!(patience.ended::<()>(), None);
        assert_eq!(patience.attempt(), ATTEMPT);
    }

    #[test]
    fn the_deadline_of_the_caller_is_a_timeout() {
        let patience = Patience::new(Deadline::after(Duration::ZERO));
        assert_eq!(patience.ended::<()>(), Some(Ok(Waited::TimedOut)));
        assert_eq!(patience.attempt(), Duration::ZERO);
    }
}
