//! Semaphores of either kind, as one: counting units, and waiting for them by deadlines.

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::name::AnyName;
use crate::mechanism::semaphore::robust::RobustSemaphore;

use crate::sys::system_v::{Row, Target, wait_for_maker};
use crate::sys::system_v_semaphore::{AtEnd, Set};

/// The name of a semaphore, or of a set of them.
pub type Name = AnyName<251>;

/// An open semaphore.
#[derive(Debug)]
pub enum Semaphore {
    /// A POSIX semaphore.
    Posix(RobustSemaphore),
    /// One of a System V set, and which.
    SystemV(Set, u16),
}

/// Why a semaphore cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// A POSIX semaphore.
    #[error(transparent)]
    Posix(#[from] robust::Error),
    /// A System V semaphore.
    #[error(transparent)]
    SystemV(#[from] Errno),
}

impl From<posix::Error> for Error {
    fn from(error: posix::Error) -> Self {
        Self::Posix(error.into())
    }
}

/// Waits until a set that exists is finished, which its first change tells, or has this value in all
/// its semaphores, as one of a program that sets values never changes; and returns its row.
///
/// # Errors
/// ENOENT if it is removed meanwhile.
pub fn wait_until_finished(set: Set, value: u32) -> Result<Waited<Row>, Errno> {
    let mut row = set.row()?;
    let waited = wait_for_maker(|| {
        row = set.row()?;
        Ok(row.number("otime") != 0 || has_value(set, &row, value))
    })?;
    Ok(waited.map(|()| row))
}

fn has_value(set: Set, row: &Row, value: u32) -> bool {
    let count = u16::try_from(row.number("nsems")).unwrap_or(u16::MAX);
    set.values(count).is_ok_and(|values| values.iter().all(|&there| u32::from(there) == value))
}

impl Semaphore {
    /// Opens an existing semaphore; of a System V set the one of this index.
    pub fn open(name: &Name, index: u16) -> Result<Self, Error> {
        Ok(match name {
            Name::Posix(name) => Self::Posix(RobustSemaphore::open(name)?),
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
pub mod guard;
pub mod posix;
pub mod robust;
