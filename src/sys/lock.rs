//! Locks on open files: flock(2), and the record locks of fcntl(2).
//!
//! A flock or OFD lock belongs to an open file description, and so to each process that inherited the
//! descriptor; a POSIX lock belongs to a process. OFD and POSIX locks exclude each other. A flock is
//! independent of both.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use super::interrupt::{Attempt, until};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;

/// The kind of a lock: its owner, and what it excludes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Owned by the open file description, on the whole file.
    Flock,
    /// Owned by the open file description, on a range of bytes.
    Ofd,
    /// Owned by the process, on a range of bytes.
    Posix,
}

/// The mode of a lock.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Mode {
    /// Excludes exclusive locks.
    Shared,
    /// Excludes all other locks.
    Exclusive,
}

/// A range of bytes, which may be beyond the end of the file.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Range {
    /// The first byte.
    pub start: i64,
    /// The number of bytes; 0 means all bytes from the first one on.
    pub length: i64,
}

/// The parameters of a lock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lock {
    /// The kind.
    pub kind: Kind,
    /// The mode.
    pub mode: Mode,
    /// The bytes; a flock locks all of them.
    pub range: Range,
}

/// A lock that is released on drop.
#[derive(Debug)]
pub struct Guard<'a> {
    lock: Lock,
    fd: BorrowedFd<'a>,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        // It fails only for invalid descriptors.
        let _ = self.lock.release(self.fd);
    }
}

impl Lock {
    /// An exclusive OFD lock of one byte, which need not exist.
    pub const fn of_byte(at: i64) -> Self {
        Self { kind: Kind::Ofd, mode: Mode::Exclusive, range: Range { start: at, length: 1 } }
    }

    /// Locks an open file until the result is dropped; `None` if `deadline` passed before.
    ///
    /// # Errors
    /// Those of [`Lock::wait`].
    pub fn guard(
        self,
        fd: &(impl AsFd + ?Sized),
        deadline: Deadline,
    ) -> Result<Option<Guard<'_>>, Errno> {
        self.guard_unless(fd, deadline, || false)
    }

    /// Locks an open file in the same way, unless `is_canceled`, which is called before each attempt and
    /// after each signal.
    ///
    /// # Errors
    /// ECANCELED; those of [`Lock::wait`].
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
    /// EBADF for a record lock on a descriptor that is not open for reading, or for writing if the lock
    /// is exclusive; EDEADLK among POSIX locks; ENOLCK at a limit of the kernel.
    pub fn wait(self, fd: impl AsFd, deadline: Deadline) -> Result<Waited, Errno> {
        let fd = fd.as_fd();
        until(deadline, |attempt| self.attempt(fd, attempt))
    }

    /// Releases the lock.
    pub fn release(self, fd: impl AsFd) -> Result<(), Errno> {
        match self.kind {
            Kind::Flock => flock(fd.as_fd(), libc::LOCK_UN),
            kind => fcntl(fd.as_fd(), kind.set_command(), &mut self.range.record(libc::F_UNLCK))
                .map(drop),
        }
    }

    /// Whether a record lock of another owner excludes this one. It does not lock.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(start: i64, length: i64) -> Lock {
        Lock { range: Range { start, length }, ..Lock::of_byte(0) }
    }

    #[test]
    fn adjacent_ranges_are_independent_and_overlapping_ones_are_not() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (one, other) = (file.reopen().unwrap(), file.reopen().unwrap());
        assert_eq!(bytes(0, 10).wait(&one, Deadline::PASSED), Ok(Waited::Done(())));
        assert_eq!(bytes(10, 10).wait(&other, Deadline::PASSED), Ok(Waited::Done(())));
        assert_eq!(bytes(19, 1).is_excluded(&one), Ok(true));
        assert_eq!(bytes(20, 0).is_excluded(&one), Ok(false));
        assert_eq!(bytes(9, 2).wait(&other, Deadline::PASSED), Ok(Waited::TimedOut));
    }
}
