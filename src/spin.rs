//! Trying again for a moment before going to sleep.
//!
//! A process that sleeps takes tens of microseconds to wake on another CPU. Where the other side
//! of an exchange runs there, its answer is often sooner here than that. Where there is no other
//! CPU, trying again only keeps the other side from running.

use std::sync::OnceLock;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::sys::process::allowed_cpus;

/// For how long it is worth it: about as long as it takes to be woken.
pub const WORTHWHILE: Duration = Duration::from_micros(40);

/// Makes an attempt again and again until it comes to something, for [`WORTHWHILE`] at most;
/// `None` if it never did, or if no other CPU could help it to.
pub fn retry<T>(mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    if !has_other_cpu() {
        return None;
    }
    let end = Deadline::after(WORTHWHILE);
    while !end.has_passed() {
        std::hint::spin_loop();
        if let Some(result) = attempt() {
            return Some(result);
        }
    }
    None
}

fn has_other_cpu() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| allowed_cpus() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_that_never_succeeds_is_given_up() {
        assert_eq!(retry(|| None::<()>), None);
    }

    #[test]
    fn an_attempt_that_succeeds_later_is_made_again_where_another_cpu_is_allowed() {
        let mut attempts = 0;
        let result = retry(|| {
            attempts += 1;
            (attempts == 3).then_some("done")
        });
        assert_eq!(result.is_some(), has_other_cpu());
    }
}
