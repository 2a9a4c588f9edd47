//! A semaphore that is held while something is done, and given back however that ends: also by a
//! signal that ends us, of those that can be caught. A System V semaphore the kernel gives back
//! whatever ends us.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::deadline::{Deadline, Waited};
use crate::name::SemaphoreName;
use crate::permits::{self, Permits};
use crate::semaphore::{Error, Name};
use crate::sys::ending;
use crate::sys::signal::Blocked;
use crate::sys::system_v::Target;
use crate::sys::system_v_semaphore::{AtEnd, Set};

/// The POSIX semaphore, where the handler finds it. A process guards once.
static SEMAPHORE: OnceLock<Permits> = OnceLock::new();

/// Whether we have a unit of it.
static HELD: AtomicBool = AtomicBool::new(false);

/// Holds a unit for as long as it lives.
#[derive(Debug)]
pub enum Guard {
    /// Of the POSIX semaphore.
    Posix,
    /// Of the first semaphore of this set.
    SystemV(Set),
}

impl Guard {
    /// Takes a unit of a semaphore, of a System V set the first, waiting for one until `deadline`.
    pub fn take(name: &Name, deadline: Deadline) -> Result<Waited<Self>, Error> {
        match name {
            Name::Posix(name) => Ok(take_posix(name, deadline)?.map(|()| Self::Posix)),
            Name::SystemV(name) => {
                let set = Set::open(Target::new(name)?)?;
                Ok(set.take(0, 1, AtEnd::Undo, deadline)?.map(|()| Self::SystemV(set)))
            }
        }
    }
}

fn take_posix(name: &SemaphoreName, deadline: Deadline) -> Result<Waited, permits::Error> {
    let semaphore = Permits::open(name)?;
    let semaphore = SEMAPHORE.get_or_init(|| semaphore);
    ending::undo_first(give_back);
    semaphore.take_within(deadline, |take| {
        // No signal comes between the unit and the note that we have it.
        let _blocked = Blocked::new(ending::signals());
        let taken = take();
        HELD.store(taken, Ordering::Relaxed);
        taken
    })
}

impl Drop for Guard {
    fn drop(&mut self) {
        match self {
            Self::Posix => {
                // No signal comes between the note that we have it no more and its return.
                let _blocked = Blocked::new(ending::signals());
                give_back();
            }
            // It had one unit less than it can count, unless it was removed.
            Self::SystemV(set) => drop(set.post(0, 1, AtEnd::Undo)),
        }
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
