//! The delay before a COMMAND runs again for a message.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The longest delay, unless the first is longer.
const LONGEST: Duration = Duration::from_secs(60);

/// The maximum number of recorded messages. Beyond that the record is cleared.
const RECORDED: usize = 1024;

/// The number of times that each message was requeued after a failure, by identity.
#[derive(Debug)]
pub struct Failures {
    first: Duration,
    counts: Mutex<BTreeMap<u64, u32>>,
}

impl Failures {
    /// No failures yet; `first` is the delay after the first one.
    pub fn new(first: Duration) -> Self {
        Self { first, counts: Mutex::default() }
    }

    /// Records that a message is requeued; returns the delay before that.
    pub fn add(&self, message: u64) -> Duration {
        let mut counts = self.counts();
        if counts.len() >= RECORDED {
            counts.clear();
        }
        let count = counts.entry(message).or_insert(0);
        *count = count.saturating_add(1);
        self.delay(*count)
    }

    /// Records that COMMAND has succeeded.
    pub fn forget(&self, message: u64) {
        self.counts().remove(&message);
    }

    /// The delay after this number of consecutive failures. It doubles with each.
    pub fn delay(&self, failures: u32) -> Duration {
        let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first.saturating_mul(doubled).min(LONGEST.max(self.first))
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<u64, u32>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_delay_doubles_up_to_a_minute() {
        let failures = Failures::new(SECOND);
        let delays: Vec<u64> = (1..=8).map(|count| failures.delay(count).as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(failures.delay(u32::MAX), LONGEST);
        assert_eq!(Failures::new(SECOND * 300).delay(9), SECOND * 300);
        assert_eq!(Failures::new(Duration::ZERO).delay(9), Duration::ZERO);
    }

    #[test]
    fn failures_count_for_a_message_and_a_success_ends_the_count() {
        let failures = Failures::new(SECOND);
        assert_eq!((failures.add(7), failures.add(7)), (SECOND, SECOND * 2));
        assert_eq!(failures.add(8), SECOND);
        failures.forget(7);
        assert_eq!(failures.add(7), SECOND);
    }

    #[test]
    fn the_record_of_failures_does_not_grow_without_end() {
        let failures = Failures::new(SECOND);
        for message in 0..5000 {
            failures.add(message);
        }
        assert!(failures.counts().len() <= RECORDED);
    }
}
