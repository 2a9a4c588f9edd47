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
