//! Locks on open files: flock(2), and the record locks of fcntl(2) in both kinds.
//!
//! A flock or OFD lock belongs to the open file description, and so to everybody who inherited the
//! descriptor; a POSIX lock belongs to the process. OFD and POSIX locks exclude each other; a
//! flock knows nothing of either.

mod files;
#[cfg(test)]
mod tests;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::fcntl::OFlag;

pub use self::files::{
    Access, access_of_utility, is_at, may_open_for_both, open_like_utility, open_locked,
    open_regular, open_to_look, probe, reopen, status, unlink_if_at,
};

use super::interrupt::{Attempt, until};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;

/// Whose a lock is, and what it excludes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Of the open file description, on the whole file.
    Flock,
    /// Of the open file description, on a range of bytes.
    Ofd,
    /// Of the process, on a range of bytes.
    Posix,
}

/// How many may hold a lock at a time.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Mode {
    /// Any number of such.
    Shared,
    /// One.
    Exclusive,
}

/// Bytes of a file, whether there are any or not.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Range {
    /// The first.
    pub start: i64,
    /// How many; 0 is all from the first one on.
    pub length: i64,
}

/// What to lock of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lock {
    /// In whose name.
    pub kind: Kind,
    /// Alone or not.
    pub mode: Mode,
    /// Which bytes; a flock has them all.
    pub range: Range,
}

/// Why there is no lock.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// There is a FIFO, which is for talking.
    #[error("is a FIFO, which is not locked")]
    Fifo,
    /// There is something else than a file.
    #[error("is no regular file")]
    NotRegular,
    /// Record locks want a descriptor that may read, or write for an exclusive one.
    #[error("is not open for {0}, which a lock of this kind needs")]
    NotOpenFor(&'static str),
}

impl From<nix::errno::Errno> for Error {
    fn from(errno: nix::errno::Errno) -> Self {
        Self::Kernel(errno.into())
    }
}

impl Error {
    /// The nearest number of the kernel's, for those who lock files of their own, open for both.
    pub fn errno(self) -> Errno {
        match self {
            Self::Kernel(errno) => errno,
            Self::Fifo | Self::NotRegular => Errno(libc::EINVAL),
            Self::NotOpenFor(_) => Errno(libc::EBADF),
        }
    }
}

/// A lock that is given back when this is dropped.
#[derive(Debug)]
pub struct Guard<'a> {
    lock: Lock,
    fd: BorrowedFd<'a>,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        // It fails for descriptors that are none.
        let _ = self.lock.release(self.fd);
    }
}

impl Lock {
    /// An exclusive lock of one byte, which need not exist, for the open file description.
    pub const fn of_byte(at: i64) -> Self {
        Self { kind: Kind::Ofd, mode: Mode::Exclusive, range: Range { start: at, length: 1 } }
    }

    /// Locks an open file for as long as what it returns lives; `None` if that was not to be had
    /// before `deadline`.
    ///
    /// # Errors
    /// Those of [`Lock::acquire`].
    pub fn guard(
        self,
        fd: &(impl AsFd + ?Sized),
        deadline: Deadline,
    ) -> Result<Option<Guard<'_>>, Errno> {
        match self.acquire(fd, deadline).map_err(Error::errno)? {
            Waited::Done(()) => Ok(Some(Guard { lock: self, fd: fd.as_fd() })),
            Waited::TimedOut => Ok(None),
        }
    }

    /// Locks an open file in the same way, unless `is_canceled`, which is asked before each call and
    /// after each signal.
    ///
    /// # Errors
    /// ECANCELED; those of [`Lock::acquire`].
    pub fn guard_unless(
        self,
        fd: &(impl AsFd + ?Sized),
        deadline: Deadline,
        is_canceled: impl Fn() -> bool,
    ) -> Result<Option<Guard<'_>>, Errno> {
        let fd = fd.as_fd();
        let locked = until(deadline, |attempt| match is_canceled() {
            true => Err(Errno(libc::ECANCELED)),
            false => self.attempt(fd, attempt),
        });
        match locked? {
            Waited::Done(()) => Ok(Some(Guard { lock: self, fd })),
            Waited::TimedOut => Ok(None),
        }
    }

    /// Locks an open file, waiting until `deadline`.
    ///
    /// # Errors
    /// [`Error::NotOpenFor`]; EDEADLK among POSIX locks, ENOLCK at a limit of the kernel.
    pub fn acquire(self, fd: impl AsFd, deadline: Deadline) -> Result<Waited, Error> {
        self.wait(fd, deadline).map_err(|errno| match errno {
            Errno(libc::EBADF) => Error::NotOpenFor(self.access()),
            errno => errno.into(),
        })
    }

    /// The same, but where that takes a wait, `before_waiting` is called first.
    pub fn acquire_after(
        self,
        fd: impl AsFd,
        deadline: Deadline,
        before_waiting: impl FnOnce(),
    ) -> Result<Waited, Error> {
        let tried = self.acquire(&fd, Deadline::PASSED)?;
        if tried == Waited::Done(()) || deadline.has_passed() {
            return Ok(tried);
        }
        before_waiting();
        self.acquire(fd, deadline)
    }

    /// The same with the error as the kernel has it.
    pub fn wait(self, fd: impl AsFd, deadline: Deadline) -> Result<Waited, Errno> {
        let fd = fd.as_fd();
        until(deadline, |attempt| self.attempt(fd, attempt))
    }

    /// Gives it back.
    pub fn release(self, fd: impl AsFd) -> Result<(), Errno> {
        match self.kind {
            Kind::Flock => flock(fd.as_fd(), libc::LOCK_UN),
            kind => fcntl(fd.as_fd(), kind.set_command(), &mut self.range.record(libc::F_UNLCK))
                .map(drop),
        }
    }

    /// Whether somebody else's record lock stands in the way of this one, without taking it.
    pub fn is_excluded(self, fd: impl AsFd) -> Result<bool, Errno> {
        let mut record = self.range.record(self.record_type());
        fcntl(fd.as_fd(), libc::F_OFD_GETLK, &mut record)?;
        Ok(i32::from(record.l_type) != libc::F_UNLCK)
    }

    fn attempt(self, fd: BorrowedFd<'_>, attempt: Attempt) -> Result<(), Errno> {
        match self.kind {
            Kind::Flock => flock(fd, self.operation(attempt)),
            kind => {
                let command = kind.command(attempt);
                fcntl(fd, command, &mut self.range.record(self.record_type())).map(drop)
            }
        }
    }

    fn operation(self, attempt: Attempt) -> i32 {
        let operation = match self.mode {
            Mode::Shared => libc::LOCK_SH,
            Mode::Exclusive => libc::LOCK_EX,
        };
        match attempt {
            Attempt::Blocking => operation,
            Attempt::Nonblocking => operation | libc::LOCK_NB,
        }
    }

    fn record_type(self) -> i32 {
        match self.mode {
            Mode::Shared => libc::F_RDLCK,
            Mode::Exclusive => libc::F_WRLCK,
        }
    }

    /// What the descriptor has to be open for.
    fn access(self) -> &'static str {
        match self.mode {
            Mode::Shared => "reading",
            Mode::Exclusive => "writing",
        }
    }

    /// How a file is opened for it: for no more than it needs, as closing one that was open for
    /// writing is an event that others watch for.
    fn flags(self) -> OFlag {
        match (self.kind, self.mode) {
            (Kind::Flock, _) | (_, Mode::Shared) => OFlag::O_RDONLY,
            (_, Mode::Exclusive) => OFlag::O_RDWR,
        }
    }
}

impl Kind {
    fn command(self, attempt: Attempt) -> i32 {
        match (self, attempt) {
            (Self::Posix, Attempt::Blocking) => libc::F_SETLKW,
            (Self::Posix, Attempt::Nonblocking) => libc::F_SETLK,
            (_, Attempt::Blocking) => libc::F_OFD_SETLKW,
            (_, Attempt::Nonblocking) => libc::F_OFD_SETLK,
        }
    }

    fn set_command(self) -> i32 {
        self.command(Attempt::Nonblocking)
    }
}

impl Range {
    fn record(self, record_type: i32) -> libc::flock {
        libc::flock {
            l_type: record_type as libc::c_short,
            l_whence: libc::SEEK_SET as libc::c_short,
            l_start: self.start,
            l_len: self.length,
            l_pid: 0,
        }
    }
}

fn flock(fd: BorrowedFd<'_>, operation: i32) -> Result<(), Errno> {
    // SAFETY: the call takes numbers only.
    Errno::check(unsafe { libc::flock(fd.as_raw_fd(), operation) })
}

fn fcntl(fd: BorrowedFd<'_>, command: i32, record: &mut libc::flock) -> Result<i32, Errno> {
    // SAFETY: the record lives through the call, and is what these commands take.
    match unsafe { libc::fcntl(fd.as_raw_fd(), command, &raw mut *record) } {
        -1 => Err(Errno::last()),
        result => Ok(result),
    }
}
