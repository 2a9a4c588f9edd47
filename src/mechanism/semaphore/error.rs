//! The errors of semaphores.

use crate::base::errno::Errno;
use crate::mechanism::semaphore::posix;
use crate::sys::regular_file;

/// Why an operation on a semaphore failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// Any error of the kernel without a variant of its own.
    #[error(transparent)]
    Kernel(Errno),
    /// The system has no semaphores of this kind.
    #[error("semaphores of this kind are not available")]
    Unavailable,
    /// There is no semaphore of this name.
    #[error("no such semaphore")]
    NotFound,
    /// There is a semaphore of this name.
    #[error("the semaphore exists")]
    Exists,
    /// The semaphore was removed while it was used.
    #[error("the semaphore was removed")]
    Removed,
    /// The file of this name is no semaphore.
    #[error(transparent)]
    Malformed(#[from] posix::Malformed),
    /// The file was truncated while it was used, or has a hole that cannot be filled.
    #[error("the memory of the semaphore is gone: its file was truncated, or /dev/shm is full")]
    Lost,
    /// Semaphores of this kind have no wait for the value 0.
    #[error("a POSIX semaphore has no wait for the value 0")]
    NoWaitForZero,
    /// The value would be too large.
    #[error("the value would be above the maximum, {maximum}")]
    Overflow {
        /// The maximum value.
        maximum: u32,
    },
    /// No slot is free for another lease.
    #[error("{0} commands hold permits already, which is the maximum")]
    Full(usize),
    /// The number of permits that commands hold, which would be counted twice.
    #[error("commands hold {0} of its permits")]
    Held(u32),
    /// A process is stopped while it changes slots.
    #[error("a command is stopped while it acquires or releases permits")]
    Busy,
    /// The set has no semaphore of this index.
    #[error("no semaphore {index}: the set has {count}")]
    NoMember {
        /// The index.
        index: u16,
        /// The number of semaphores in the set.
        count: i64,
    },
    /// A set that exists and was never changed, with other values: its creator was killed or is not
    /// finished.
    #[error("exists with other values, and is not finished")]
    Incomplete,
    /// The kernel cannot record what it has to revert.
    #[error("the kernel has no room to record what it has to revert")]
    UndoFull,
    /// A name that means a new object each time.
    #[error("the name means a new object each time")]
    Nameless,
    /// A name that chooses the identifier of a new object.
    #[error("the kernel chooses identifiers")]
    Identifier,
    /// A set of this many semaphores is too large.
    #[error("{count} semaphores are more than a set may have ({maximum})")]
    SetTooLarge {
        /// The number.
        count: u16,
        /// The maximum.
        maximum: u64,
    },
    /// The kernel has no room for another set.
    #[error("the maximum number of sets is reached ({sets} of {maximum})")]
    TooManySets {
        /// The number of sets.
        sets: u64,
        /// The maximum.
        maximum: u64,
    },
    /// The kernel has no room for so many more semaphores.
    #[error("{count} more semaphores are too many ({used} of {maximum} are in use)")]
    TooManySemaphores {
        /// The number that was asked for.
        count: u16,
        /// The number in all sets.
        used: i64,
        /// The maximum.
        maximum: u64,
    },
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno(libc::ENOENT) => Self::NotFound,
            Errno(libc::EEXIST) => Self::Exists,
            Errno(libc::EIDRM) => Self::Removed,
            Errno(libc::ENOSYS) => Self::Unavailable,
            errno => Self::Kernel(errno),
        }
    }
}

impl From<nix::errno::Errno> for Error {
    fn from(errno: nix::errno::Errno) -> Self {
        Errno::from(errno).into()
    }
}

impl From<regular_file::Error> for Error {
    fn from(error: regular_file::Error) -> Self {
        match error {
            regular_file::Error::Kernel(errno) => errno.into(),
            regular_file::Error::NotRegular => posix::Malformed::NotAFile.into(),
        }
    }
}
