//! A semaphore that is held while something is done, and given back however that ends: also by a
//! signal that ends us, of those that can be caught. A System V semaphore the kernel gives back
//! whatever ends us.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::deadline::{Deadline, Waited, announced};
use crate::base::name::SemaphoreName;
use crate::mechanism::semaphore::robust;
use crate::mechanism::semaphore::robust::RobustSemaphore;
use crate::mechanism::semaphore::{Error, Name};
use crate::sys::cleanup;
use crate::sys::signal::Blocked;
use crate::sys::system_v::Target;
use crate::sys::system_v_semaphore::{AtEnd, Set};

/// The POSIX semaphore, where the handler finds it. A process guards once.
static SEMAPHORE: OnceLock<RobustSemaphore> = OnceLock::new();

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
    /// Where there is none at once, it calls `before` first.
    pub fn take(
        name: &Name,
        deadline: Deadline,
        before: impl FnOnce(Held<'_>),
    ) -> Result<Waited<Self>, Error> {
        match name {
            Name::Posix(name) => Ok(take_posix(name, deadline, before)?.map(|()| Self::Posix)),
            Name::SystemV(name) => {
                let set = Set::open(Target::new(name)?)?;
                let taken = announced(
                    deadline,
                    || before(Held::SystemV(&set)),
                    |until| set.take(0, 1, AtEnd::Undo, until),
                );
                Ok(taken?.map(|()| Self::SystemV(set)))
            }
        }
    }
}

/// A semaphore of which others hold the units.
#[derive(Debug)]
pub enum Held<'a> {
    /// A POSIX semaphore, and the claims on it.
    Posix(&'a RobustSemaphore),
    /// The first semaphore of this set.
    SystemV(&'a Set),
}

fn take_posix(
    name: &SemaphoreName,
    deadline: Deadline,
    before: impl FnOnce(Held<'_>),
) -> Result<Waited, robust::Error> {
    let semaphore = RobustSemaphore::open(name)?;
    let semaphore = SEMAPHORE.get_or_init(|| semaphore);
    cleanup::undo_first(give_back);
    let within = |take: &dyn Fn() -> bool| {
        // No signal comes between the unit and the note that we have it.
        let _blocked = Blocked::new(cleanup::signals());
        let taken = take();
        HELD.store(taken, Ordering::Relaxed);
        taken
    };
    let tell = || before(Held::Posix(semaphore));
    announced(deadline, tell, |until| semaphore.take_within(until, within))
}

impl Drop for Guard {
    fn drop(&mut self) {
        match self {
            Self::Posix => {
                // No signal comes between the note that we have it no more and its return.
                let _blocked = Blocked::new(cleanup::signals());
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
