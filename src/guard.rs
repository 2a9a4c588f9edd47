//! A semaphore that is held while something is done, and given back however that ends: also by a
//! signal that ends us, of those that can be caught.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::deadline::{Deadline, Waited};
use crate::name::SemaphoreName;
use crate::permits::{Error, Permits};
use crate::sys::ending;
use crate::sys::signal::Blocked;

/// The semaphore, where the handler finds it. A process guards once.
static SEMAPHORE: OnceLock<Permits> = OnceLock::new();

/// Whether we have a unit of it.
static HELD: AtomicBool = AtomicBool::new(false);

/// Holds a unit for as long as it lives.
#[derive(Debug)]
pub struct Guard(());

impl Guard {
    /// Takes a unit of a semaphore, waiting for one until `deadline`.
    pub fn take(name: &SemaphoreName, deadline: Deadline) -> Result<Waited<Self>, Error> {
        let semaphore = Permits::open(name)?;
        let semaphore = SEMAPHORE.get_or_init(|| semaphore);
        ending::undo_first(give_back);
        let waited = semaphore.take_within(deadline, |take| {
            // No signal comes between the unit and the note that we have it.
            let _blocked = Blocked::new(ending::signals());
            let taken = take();
            HELD.store(taken, Ordering::Relaxed);
            taken
        })?;
        Ok(match waited {
            Waited::Done(()) => Waited::Done(Self(())),
            Waited::TimedOut => Waited::TimedOut,
        })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // No signal comes between the note that we have it no more and its return.
        let _blocked = Blocked::new(ending::signals());
        give_back();
    }
}

/// Gives the unit back, unless somebody did. It only makes atomic changes and a system call, so
/// that a signal handler may call it.
fn give_back() {
    if let Some(semaphore) = SEMAPHORE.get().filter(|_| HELD.swap(false, Ordering::Relaxed)) {
        // It had one unit less than it can count.
        let _ = semaphore.semaphore().post(1);
    }
}
