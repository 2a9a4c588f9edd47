//! Messages whose COMMAND failed, held back for a delay before they return to their queue.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::base::deadline::Deadline;

/// The delay after the first failure; each further failure doubles it.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// How many messages the record of failures has at most. Beyond that it begins anew.
const RECORDED: usize = 1024;

/// How often the COMMAND has failed for each message. A queue gives its messages no identity, so they
/// are told apart by what they hold.
#[derive(Debug, Default)]
pub struct Failures(Mutex<HashMap<u64, u32>>);

impl Failures {
    /// Records a failure; the message returns at this moment.
    pub fn add(&self, message: impl Hash) -> Deadline {
        let mut counts = self.counts();
        if counts.len() >= RECORDED {
            counts.clear();
        }
        let count = counts.entry(digest(message)).or_insert(0);
        *count = count.saturating_add(1);
        Deadline::after(delay(*count))
    }

    /// Records that the COMMAND has succeeded at last.
    pub fn forget(&self, message: impl Hash) {
        self.counts().remove(&digest(message));
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<u64, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(message: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    message.hash(&mut hasher);
    hasher.finish()
}

fn delay(failures: u32) -> Duration {
    let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    FIRST.saturating_mul(doubled).min(LONGEST)
}

/// What is held back, each until a moment of its own.
#[derive(Debug)]
pub struct Delayed<T>(Vec<(Deadline, T)>);

impl<T> Default for Delayed<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Delayed<T> {
    /// How much is held back at most, so that a queue of messages that all fail is not moved into
    /// the memory of a worker.
    const MOST: usize = 64;

    pub fn push(&mut self, until: Deadline, held: T) {
        self.0.push((until, held));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn is_full(&self) -> bool {
        self.0.len() >= Self::MOST
    }

    /// When the first of them is due.
    pub fn first(&self) -> Deadline {
        self.0.iter().fold(Deadline::NEVER, |first, (until, _)| first.min(*until))
    }

    /// Those that are due.
    pub fn due(&mut self) -> impl Iterator<Item = T> {
        self.0.extract_if(.., |(until, _)| until.has_passed()).map(|(_, held)| held)
    }

    /// All of them, due or not.
    pub fn all(&mut self) -> impl Iterator<Item = T> {
        self.0.drain(..).map(|(_, held)| held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_doubles_the_delay_up_to_a_minute() {
        let seconds: Vec<u64> = (1..=8).map(|failures| delay(failures).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(delay(u32::MAX), LONGEST);
    }

    #[test]
    fn failures_are_counted_for_each_message_until_it_succeeds() {
        let failures = Failures::default();
        let left = |moment: Deadline| moment.remaining().unwrap_or_default().as_secs_f64();
        assert!(left(failures.add("a")) <= 1.0);
        assert!(left(failures.add("a")) > 1.0);
        assert!(left(failures.add("b")) <= 1.0);
        failures.forget("a");
        assert!(left(failures.add("a")) <= 1.0);
    }

    #[test]
    fn only_what_is_due_is_given_out_before_the_end() {
        let mut delayed = Delayed::default();
        delayed.push(Deadline::NEVER, "later");
        delayed.push(Deadline::PASSED, "now");
        assert_eq!(delayed.due().collect::<Vec<_>>(), ["now"]);
        assert_eq!(delayed.first(), Deadline::NEVER);
        assert_eq!(delayed.all().collect::<Vec<_>>(), ["later"]);
        assert!(delayed.is_empty());
    }
}
