//! Semaphores of either kind, as one: counting units, and waiting for them by deadlines.

use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;
use crate::name::AnyName;
use crate::permits::{self, Permits};
use crate::sys::semaphore;
use crate::sys::system_v::Target;
use crate::sys::system_v_semaphore::{AtEnd, Set};

/// The name of a semaphore, or of a set of them.
pub type Name = AnyName<251>;

/// An open semaphore.
#[derive(Debug)]
pub enum Semaphore {
    /// A POSIX semaphore.
    Posix(Permits),
    /// One of a System V set, and which.
    SystemV(Set, u16),
}

/// Why a semaphore cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// A POSIX semaphore.
    #[error(transparent)]
    Posix(#[from] permits::Error),
    /// A System V semaphore.
    #[error(transparent)]
    SystemV(#[from] Errno),
}

impl From<semaphore::Error> for Error {
    fn from(error: semaphore::Error) -> Self {
        Self::Posix(error.into())
    }
}

impl Semaphore {
    /// Opens an existing semaphore; of a System V set the one of this index.
    pub fn open(name: &Name, index: u16) -> Result<Self, Error> {
        Ok(match name {
            Name::Posix(name) => Self::Posix(Permits::open(name)?),
            Name::SystemV(name) => Self::SystemV(Set::open(Target::new(name)?)?, index),
        })
    }

    /// The number of units.
    pub fn value(&self) -> Result<u32, Error> {
        match self {
            Self::Posix(permits) => {
                let value = permits.semaphore().value();
                permits.semaphore().verify()?;
                Ok(value)
            }
            Self::SystemV(set, index) => Ok(set.value(*index)?),
        }
    }

    /// Gives `count` units, all at once. Only a System V semaphore can undo it.
    pub fn post(&self, count: u32, at_end: AtEnd) -> Result<(), Error> {
        match self {
            Self::Posix(permits) => Ok(permits.semaphore().post(count)?),
            Self::SystemV(set, index) => Ok(set.post(*index, count, at_end)?),
        }
    }

    /// Takes `count` units, all at once, waiting for them until `deadline`. Only a System V
    /// semaphore can undo it.
    pub fn take(&self, count: u32, at_end: AtEnd, deadline: Deadline) -> Result<Waited, Error> {
        match self {
            Self::Posix(permits) => Ok(permits.take(count, deadline)?),
            Self::SystemV(set, index) => Ok(set.take(*index, count, at_end, deadline)?),
        }
    }

    /// Sets the number of units. Of a System V semaphore the kernel then forgets what was to be
    /// undone; of a POSIX semaphore it is refused while commands hold units.
    pub fn set(&self, value: u32) -> Result<(), Error> {
        match self {
            Self::Posix(permits) => Ok(permits.set(value)?),
            Self::SystemV(set, index) => Ok(set.set_value(*index, value)?),
        }
    }
}
