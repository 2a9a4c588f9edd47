//! Spinning: repeated attempts for a short time before a wait.
//!
//! The kernel takes tens of microseconds to wake a process on another CPU. If the peer of an
//! exchange runs there, its answer often arrives sooner; if the peer waits for this CPU, a yield
//! lets it run. So a process that would sleep first yields and tries again, for about the time of a
//! wake-up.
//!
//! After failures, because the peer is slow or the CPUs are busy, fewer and fewer waits spin.

use std::sync::OnceLock;
use std::time::Duration;

use crate::base::deadline::Deadline;
use crate::sys::cpu;

/// The duration of the attempts: about that of a wake-up.
const DURATION: Duration = Duration::from_micros(40);

/// The maximum number of waits that do not spin after failures.
const SKIPPED_MAX: u32 = 64;

/// The spinning before waits of one kind, such as those for room in a queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spin {
    /// The number of failures in a row.
    failures: u32,
    /// The number of waits to come that do not spin.
    skipped: u32,
}

impl Spin {
    /// Repeats an attempt for a short time until it succeeds. After `None` the caller waits.
    pub fn retry<T>(&mut self, attempt: impl FnMut() -> Option<T>) -> Option<T> {
        self.unless_skipped(|| retry(attempt))
    }

    /// Polls memory for a short time and without a system call, until `look` succeeds. After
    /// `false` the caller waits.
    pub fn watch(&mut self, look: impl FnMut() -> bool) -> bool {
        self.unless_skipped(|| watch(look).then_some(())).is_some()
    }

    fn unless_skipped<T>(&mut self, spin: impl FnOnce() -> Option<T>) -> Option<T> {
        if self.skipped > 0 {
            self.skipped -= 1;
            return None;
        }
        let result = spin();
        self.failures = if result.is_some() { 0 } else { self.failures + 1 };
        self.skipped = (1 << self.failures.min(SKIPPED_MAX.ilog2())) - 1;
        result
    }
}

/// The number of polls between two reads of the clock.
const LOOKS: u32 = 32;

/// Polls memory for about the time of a wake-up, without a system call; returns whether `look`
/// succeeded. It polls once if no other CPU could change the memory meanwhile.
fn watch(mut look: impl FnMut() -> bool) -> bool {
    if !has_other_cpu() {
        return look();
    }
    let end = Deadline::after(DURATION);
    loop {
        for _ in 0..LOOKS {
            if look() {
                return true;
            }
            std::hint::spin_loop();
        }
        if end.has_passed() {
            return false;
        }
    }
}

fn retry<T>(mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Deadline::after(DURATION);
    loop {
        std::thread::yield_now();
        let result = attempt();
        // With one CPU the peer cannot run at the same time.
        if result.is_some() || end.has_passed() || !has_other_cpu() {
            return result;
        }
    }
}

/// Whether another process can run while this one does.
pub fn has_other_cpu() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| cpu::allowed() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_failures_fewer_waits_spin() {
        let mut spin = Spin::default();
        let tried = |spin: &mut Spin| {
            let mut attempts = 0;
            let result = spin.retry(|| {
                attempts += 1;
                None::<()>
            });
            assert_eq!(result, None);
            attempts > 0
        };
        let tries: Vec<bool> = (0..7).map(|_| tried(&mut spin)).collect();
        assert_eq!(tries, [true, false, true, false, false, false, true]);
        let many = (0..6400).filter(|_| tried(&mut spin)).count();
        assert!((100..=106).contains(&many), "{many}");
    }

    #[test]
    fn after_a_success_the_next_wait_spins() {
        let mut spin = Spin { failures: 3, skipped: 0 };
        assert_eq!(spin.retry(|| Some(1)), Some(1));
        assert_eq!(spin.retry(|| Some(2)), Some(2));
    }
}
