//! A permit of this process, without a lease: `--guard` holds it for a moment.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::deadline::{Deadline, Waited, announced};
use crate::mechanism::semaphore::robust::RobustSemaphore;
use crate::mechanism::semaphore::{Error, Guard, Semaphore};
use crate::sys::cleanup::{self, Registered, Undo};
use crate::sys::signal::Blocked;

/// A permit that is released on drop, and before a fatal signal ends the process.
#[derive(Debug)]
pub struct RegisteredPermit(Registered<Release>);

/// Releases a permit once.
#[derive(Debug)]
struct Release {
    semaphore: RobustSemaphore,
    is_held: AtomicBool,
}

impl Undo for Release {
    fn undo(&self) {
        if self.is_held.swap(false, Ordering::SeqCst) {
            // The value was larger before, so it does not overflow.
            let _ = self.semaphore.semaphore().increment(1);
        }
    }
}

impl RegisteredPermit {
    /// Acquires a permit. Calls `before` first where it has to wait.
    pub fn acquire(
        semaphore: RobustSemaphore,
        deadline: Deadline,
        before: &mut dyn FnMut(&dyn Semaphore),
    ) -> Result<Waited<Self>, Error> {
        let release = Registered::new(Release { semaphore, is_held: AtomicBool::new(false) })?;
        let semaphore = &release.semaphore;
        let attempt = || {
            // A signal between the decrement and the store would leave the permit behind.
            let _blocked = Blocked::new(cleanup::signals());
            let acquired = semaphore.semaphore().try_decrement(1);
            release.is_held.store(acquired, Ordering::SeqCst);
            Ok(acquired.then_some(()))
        };
        let tell = || before(semaphore);
        let acquired = announced(deadline, tell, |until| semaphore.attempt(1, until, attempt))?;
        Ok(acquired.map(|()| Self(release)))
    }
}

impl Guard for RegisteredPermit {}

impl Drop for RegisteredPermit {
    fn drop(&mut self) {
        // A signal between the exchange and the increment would leave the permit behind.
        let _blocked = Blocked::new(cleanup::signals());
        self.0.undo();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::name::SemaphoreName;
    use crate::mechanism::semaphore::posix;

    /// A semaphore with the value 1, whose name is removed on drop.
    struct Temporary(SemaphoreName);

    impl Temporary {
        fn new(of: &str) -> Self {
            let name = format!("ipc-guard-{of}-{}", std::process::id());
            let name = SemaphoreName::new(name.as_ref()).unwrap();
            posix::create(&name, 1, 0o600).unwrap();
            Self(name)
        }

        fn guard(&self) -> Waited<Box<dyn Guard>> {
            let semaphore = Box::new(RobustSemaphore::open(&self.0).unwrap());
            semaphore.guard(Deadline::PASSED, &mut |_| ()).unwrap()
        }

        fn value(&self) -> u32 {
            RobustSemaphore::open(&self.0).unwrap().value().unwrap()
        }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            let _ = posix::unlink(&self.0);
        }
    }

    #[test]
    fn two_guards_in_a_row_and_at_a_time_each_acquire_their_own_semaphore() {
        let (one, other) = (Temporary::new("one"), Temporary::new("other"));
        drop(one.guard());
        assert_eq!((one.value(), other.value()), (1, 1));
        let guard = other.guard();
        assert_eq!((one.value(), other.value()), (1, 0));
        let second = one.guard();
        assert_eq!((one.value(), other.value()), (0, 0));
        assert!(matches!(one.guard(), Waited::TimedOut));
        drop(guard);
        assert_eq!((one.value(), other.value()), (0, 1));
        drop(second);
        assert_eq!((one.value(), other.value()), (1, 1));
    }

    #[test]
    fn a_permit_is_released_only_once() {
        let semaphore = Temporary::new("undone");
        let release = Release {
            semaphore: RobustSemaphore::open(&semaphore.0).unwrap(),
            is_held: AtomicBool::new(true),
        };
        assert!(release.semaphore.semaphore().try_decrement(1));
        release.undo();
        assert_eq!(semaphore.value(), 1);
        release.undo();
        assert_eq!(semaphore.value(), 1);
    }
}
