//! Trying again for a moment before going to sleep.
//!
//! A process that sleeps takes tens of microseconds to wake on another CPU. Where the other side
//! of an exchange runs there, its answer is often sooner here than that; and where it waits for
//! this CPU, it has only to be let. So whoever would sleep yields and looks again, for about as
//! long as a wake-up takes.
//!
//! Where that comes to nothing, because the other side is slow or the CPUs are busy with others,
//! it is done more and more seldom.

use std::sync::OnceLock;
use std::time::Duration;

use crate::base::deadline::Deadline;
use crate::sys::cpu;

/// For how long it is worth it.
const WORTHWHILE: Duration = Duration::from_micros(40);

/// The most waits that are passed over after failures.
const SELDOM: u32 = 64;

/// Trying again before the waits of one kind, such as those for room in a queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spin {
    /// How many times in a row it came to nothing.
    failures: u32,
    /// How many waits to pass over.
    passes: u32,
}

impl Spin {
    /// Makes an attempt again and again, for a moment, until it comes to something. `None` is for
    /// going to sleep.
    pub fn retry<T>(&mut self, attempt: impl FnMut() -> Option<T>) -> Option<T> {
        self.unless_passed_over(|| retry(attempt))
    }

    /// Looks at memory again and again, for a moment and without a system call, until there is
    /// something to see. `false` is for going to sleep.
    pub fn watch(&mut self, look: impl FnMut() -> bool) -> bool {
        self.unless_passed_over(|| watch(look).then_some(())).is_some()
    }

    fn unless_passed_over<T>(&mut self, spin: impl FnOnce() -> Option<T>) -> Option<T> {
        if self.passes > 0 {
            self.passes -= 1;
            return None;
        }
        let result = spin();
        self.failures = if result.is_some() { 0 } else { self.failures + 1 };
        self.passes = (1 << self.failures.min(SELDOM.ilog2())) - 1;
        result
    }
}

/// How many looks are taken between two looks at the clock.
const LOOKS: u32 = 32;

/// Looks at memory again and again, for as long as a wake-up takes, without a system call; whether
/// there was something to see. It looks once where no other CPU could change the memory meanwhile.
fn watch(mut look: impl FnMut() -> bool) -> bool {
    if !has_other_cpu() {
        return look();
    }
    let end = Deadline::after(WORTHWHILE);
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
    let end = Deadline::after(WORTHWHILE);
    loop {
        std::thread::yield_now();
        let result = attempt();
        // With one CPU nobody else runs while we do.
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
    fn what_comes_to_nothing_is_given_up_and_tried_more_seldom() {
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
    fn a_success_is_a_reason_to_try_again_next_time() {
        let mut spin = Spin { failures: 3, passes: 0 };
        assert_eq!(spin.retry(|| Some(1)), Some(1));
        assert_eq!(spin.retry(|| Some(2)), Some(2));
    }
}
