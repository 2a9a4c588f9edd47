//! Locks of the kernel on files that are found by their paths.

pub mod eviction;
mod files;
mod holders;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};

use nix::fcntl::OFlag;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;

pub use self::files::{
    Access, access_of_utility, is_at, may_open_for_both, open_if_regular, open_like_utility,
    open_regular, reopen, unlink_if_at,
};
pub use self::holders::{holders, is_locked, visible_holders};
pub use crate::sys::lock::{Kind, Lock, Mode, Range};

/// Why a file is not locked.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// Any error of the kernel without a variant of its own.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// The file is a FIFO.
    #[error("is a FIFO, which cannot be locked")]
    Fifo,
    /// The file is no regular file.
    #[error("is no regular file")]
    NotRegular,
    /// A record lock needs a descriptor that is open for reading, or for writing if it is exclusive.
    #[error("is not open for {0}, which a lock of this kind needs")]
    NotOpenFor(&'static str),
    /// A process has the lock that is never signalled: the first process, this one or an ancestor.
    #[error("held by process {0}, which is not signalled")]
    Protected(i32),
    /// This process may not signal a holder.
    #[error("held by process {0}, which this user may not signal")]
    NotPermitted(i32),
    /// A holder is not visible, so that none is signalled.
    #[error("held by a process that is not visible")]
    Unseen,
    /// A lock file has an owner, which is not signalled.
    #[error("held by a lock file, whose owner is not signalled")]
    OfLockFile,
}

impl From<nix::errno::Errno> for Error {
    fn from(errno: nix::errno::Errno) -> Self {
        Self::Kernel(errno.into())
    }
}

impl Error {
    /// The nearest error of the kernel.
    pub fn errno(self) -> Errno {
        match self {
            Self::Kernel(errno) => errno,
            Self::Fifo | Self::NotRegular => Errno(libc::EINVAL),
            Self::NotOpenFor(_) => Errno(libc::EBADF),
            Self::Protected(_) | Self::OfLockFile => Errno(libc::EBUSY),
            Self::NotPermitted(_) | Self::Unseen => Errno(libc::EPERM),
        }
    }
}

/// Opens a file and locks it, both before `deadline`. A missing file is created for its owner alone,
/// since a user who may open a lock file may also hold it without end. A directory is locked as it is.
///
/// If the path leads to another file once the lock is acquired, the lock would exclude no process that
/// comes now, so it begins again.
///
/// It calls `before_waiting` before each wait for a lock. A process that has POSIX locks on the file must
/// not call this: closing any descriptor of the file releases them.
pub fn open(
    path: &OsStr,
    lock: Lock,
    deadline: Deadline,
    mut before_waiting: impl FnMut(),
) -> Result<Waited<OwnedFd>, Error> {
    let mut access = files::flags(lock);
    loop {
        let Waited::Done(fd) = files::open_file(path, access, deadline)? else {
            return Ok(Waited::TimedOut);
        };
        match acquire_after(lock, &fd, deadline, &mut before_waiting) {
            // Over NFS an exclusive flock is a record lock of the server.
            Err(Error::NotOpenFor(_)) if access == OFlag::O_RDONLY => access = OFlag::O_RDWR,
            Err(error) => return Err(error),
            Ok(Waited::TimedOut) => return Ok(Waited::TimedOut),
            Ok(Waited::Done(())) if is_at(path, &fd)? => return Ok(Waited::Done(fd)),
            Ok(Waited::Done(())) => {}
        }
    }
}

/// Locks an open file, waiting until `deadline`. Calls `before_waiting` first where it has to wait.
///
/// # Errors
/// [`Error::NotOpenFor`]; EDEADLK among POSIX locks; ENOLCK at a limit of the kernel.
pub fn acquire_after(
    lock: Lock,
    fd: impl AsFd,
    deadline: Deadline,
    before_waiting: impl FnOnce(),
) -> Result<Waited, Error> {
    let tried = acquire(lock, &fd, Deadline::PASSED)?;
    if tried == Waited::Done(()) || deadline.has_passed() {
        return Ok(tried);
    }
    before_waiting();
    acquire(lock, fd, deadline)
}

fn acquire(lock: Lock, fd: impl AsFd, deadline: Deadline) -> Result<Waited, Error> {
    lock.wait(fd, deadline).map_err(|errno| match (errno, lock.mode) {
        (Errno(libc::EBADF), Mode::Shared) => Error::NotOpenFor("reading"),
        (Errno(libc::EBADF), Mode::Exclusive) => Error::NotOpenFor("writing"),
        (errno, _) => errno.into(),
    })
}
