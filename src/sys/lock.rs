//! Locks on open files: flock(2), and the record locks of fcntl(2) in both kinds.
//!
//! A flock or OFD lock belongs to the open file description, and so to everybody who inherited the
//! descriptor; a POSIX lock belongs to the process. OFD and POSIX locks exclude each other; a
//! flock knows nothing of either.

use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::{FileStat, Mode as Permissions, SFlag, fstat, stat};
use nix::unistd::{AccessFlags, access};

use super::interrupt::{Attempt, until};
use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;

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

/// Opens a file and locks it, both before `deadline`. A missing file is made, for its owner alone:
/// whoever may open a lock file may also hold it for ever. A directory is locked as it is.
///
/// When the lock is there the path is looked at again. If it leads to another file by then, the
/// lock would exclude nobody who comes now, and everything begins anew.
pub fn open_locked(path: &OsStr, lock: Lock, deadline: Deadline) -> Result<Waited<OwnedFd>, Error> {
    let mut access = lock.flags();
    loop {
        let Waited::Done(fd) = open_file(path, access, deadline)? else {
            return Ok(Waited::TimedOut);
        };
        match lock.acquire(&fd, deadline) {
            // Over NFS an exclusive flock is a record lock of the server's.
            Err(Error::NotOpenFor(_)) if access == OFlag::O_RDONLY => access = OFlag::O_RDWR,
            Err(error) => return Err(error),
            Ok(Waited::TimedOut) => return Ok(Waited::TimedOut),
            Ok(Waited::Done(())) if is_at(path, &fd)? => return Ok(Waited::Done(fd)),
            Ok(Waited::Done(())) => {}
        }
    }
}

/// What a file is opened for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Both.
    Both,
}

/// What flock(1) opens a file for, so that it may take this lock.
pub fn access_of_utility(lock: Lock) -> Access {
    if lock.flags() == OFlag::O_RDONLY { Access::Read } else { Access::Write }
}

/// Whether we may open a file for both, as access(2) tells.
pub fn may_open_for_both(path: &OsStr) -> bool {
    access(path, AccessFlags::R_OK | AccessFlags::W_OK).is_ok()
}

/// Opens a file as flock(1) does: a missing one is made with what the umask leaves of 0666, and a
/// FIFO is waited for. A directory can be opened for reading alone.
pub fn open_like_utility(path: &OsStr, access: Access) -> Result<OwnedFd, Errno> {
    let access = match access {
        Access::Read => OFlag::O_RDONLY,
        Access::Write => OFlag::O_WRONLY,
        Access::Both => OFlag::O_RDWR,
    };
    let flags = OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    match open(path, access | flags | OFlag::O_CREAT, Permissions::from_bits_truncate(0o666)) {
        Err(nix::errno::Errno::EISDIR) => {
            Ok(open(path, OFlag::O_RDONLY | flags, Permissions::empty())?)
        }
        opened => Ok(opened?),
    }
}

/// Opens what has to be a regular file, not a link, to read it and lock it.
///
/// # Errors
/// [`Error::NotRegular`].
pub fn open_regular(path: &OsStr) -> Result<OwnedFd, Error> {
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | HARMLESS;
    let fd = match open(path, flags, Permissions::empty()) {
        Err(nix::errno::Errno::ELOOP) => return Err(Error::NotRegular),
        opened => opened?,
    };
    let format = SFlag::from_bits_truncate(fstat(&fd)?.st_mode) & SFlag::S_IFMT;
    if format == SFlag::S_IFREG { Ok(fd) } else { Err(Error::NotRegular) }
}

/// Removes a name.
pub fn unlink(path: &OsStr) -> Result<(), Errno> {
    Ok(nix::unistd::unlink(path)?)
}

/// Removes a name if it leads to the open file. Without a lock on that, another may come between.
pub fn unlink_if_at(path: &OsStr, fd: impl AsFd) -> Result<(), Errno> {
    if is_at(path, fd)? { unlink(path) } else { Ok(()) }
}

/// The file, without opening it.
pub fn status(path: &OsStr) -> Result<FileStat, Errno> {
    Ok(stat(path)?)
}

/// The kinds in which somebody has a file locked, found out by trying, as the table of locks may
/// not show him. A flock can only be tried by taking it for a moment.
pub fn probe(path: &OsStr, range: Range) -> Result<Vec<Kind>, Error> {
    let fd = refuse_fifo(open(path, OFlag::O_RDONLY | HARMLESS, Permissions::empty())?)?;
    let exclusive = |kind| Lock { kind, mode: Mode::Exclusive, range };
    let mut found = Vec::new();
    if exclusive(Kind::Flock).acquire(&fd, Deadline::PASSED)? == Waited::TimedOut {
        found.push(Kind::Flock);
    }
    if exclusive(Kind::Ofd).is_excluded(&fd)? {
        found.push(Kind::Ofd);
    }
    Ok(found)
}

/// Never waits for the other end of a FIFO, never makes a terminal ours, never leaks.
const HARMLESS: OFlag = OFlag::O_NONBLOCK.union(OFlag::O_NOCTTY).union(OFlag::O_CLOEXEC);

fn open_file(path: &OsStr, access: OFlag, deadline: Deadline) -> Result<Waited<OwnedFd>, Error> {
    let owner_only = Permissions::S_IRUSR | Permissions::S_IWUSR;
    let opened = match open(path, access | HARMLESS, Permissions::empty()) {
        Err(nix::errno::Errno::ENOENT) => {
            open(path, access | HARMLESS | OFlag::O_CREAT, owner_only)
        }
        opened => opened,
    };
    let fd = match opened {
        // Somebody has a lease on it, and is being asked to give it up: fcntl(2), F_SETLEASE.
        Err(nix::errno::Errno::EAGAIN) => until(deadline, |attempt| {
            let without = match attempt {
                Attempt::Nonblocking => OFlag::empty(),
                Attempt::Blocking => OFlag::O_NONBLOCK,
            };
            let flags = (access | HARMLESS).difference(without);
            Ok(open(path, flags, Permissions::empty())?)
        })?,
        opened => Waited::Done(opened?),
    };
    match fd {
        Waited::Done(fd) => refuse_fifo(fd).map(Waited::Done),
        Waited::TimedOut => Ok(Waited::TimedOut),
    }
}

fn refuse_fifo(fd: OwnedFd) -> Result<OwnedFd, Error> {
    let format = SFlag::from_bits_truncate(fstat(&fd)?.st_mode) & SFlag::S_IFMT;
    if format == SFlag::S_IFIFO { Err(Error::Fifo) } else { Ok(fd) }
}

/// Whether the path still leads to the open file.
pub fn is_at(path: &OsStr, fd: impl AsFd) -> Result<bool, Errno> {
    match stat(path) {
        Ok(there) => Ok(is_same(&there, &fstat(fd)?)),
        Err(nix::errno::Errno::ENOENT) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// Whether both are one file.
pub fn is_same(one: &FileStat, other: &FileStat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

fn flock(fd: BorrowedFd<'_>, operation: i32) -> Result<(), Errno> {
    // SAFETY: the call takes numbers only.
    match unsafe { libc::flock(fd.as_raw_fd(), operation) } {
        0 => Ok(()),
        _ => Err(Errno::last()),
    }
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

    const EXCLUSIVE: Lock =
        Lock { kind: Kind::Ofd, mode: Mode::Exclusive, range: Range { start: 0, length: 0 } };

    fn bytes(start: i64, length: i64) -> Lock {
        Lock { range: Range { start, length }, ..EXCLUSIVE }
    }

    #[test]
    fn adjacent_ranges_are_independent_and_overlapping_ones_are_not() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (one, other) = (file.reopen().unwrap(), file.reopen().unwrap());
        assert_eq!(bytes(0, 10).acquire(&one, Deadline::PASSED), Ok(Waited::Done(())));
        assert_eq!(bytes(10, 10).acquire(&other, Deadline::PASSED), Ok(Waited::Done(())));
        assert_eq!(bytes(19, 1).is_excluded(&one), Ok(true));
        assert_eq!(bytes(20, 0).is_excluded(&one), Ok(false));
        assert_eq!(bytes(9, 2).acquire(&other, Deadline::PASSED), Ok(Waited::TimedOut));
    }

    #[test]
    fn a_file_that_is_replaced_while_we_wait_is_not_the_one_we_lock() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let lock = Lock { kind: Kind::Flock, ..EXCLUSIVE };
        let Ok(Waited::Done(old)) = open_locked(path.as_os_str(), lock, Deadline::NEVER) else {
            panic!("the lock is free");
        };
        let waiting = path.clone();
        let thread =
            std::thread::spawn(move || open_locked(waiting.as_os_str(), lock, Deadline::NEVER));
        let status = status(path.as_os_str()).unwrap();
        let waits = || {
            let held = crate::sys::lock_table::of_file(&status).unwrap();
            held.iter().any(|held| !held.waiters.is_empty())
        };
        while !waits() {
            std::thread::yield_now();
        }
        std::fs::rename(directory.path().join("lock"), directory.path().join("old")).unwrap();
        drop(old);
        let Waited::Done(new) = thread.join().unwrap().unwrap() else { panic!("no deadline") };
        assert_eq!(is_at(path.as_os_str(), &new), Ok(true));
    }
}
