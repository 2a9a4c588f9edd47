//! The files that are locked: opened in order to be locked, and looked at again when they are, as
//! another may have come to the path meanwhile: open(2), stat(2).

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::fcntl::{OFlag, open};
use nix::sys::stat::{FileStat, Mode as Permissions, SFlag, fstat, stat};
use nix::unistd::{AccessFlags, access};

use super::{Error, Kind, Lock, Mode, Range};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::descriptor;
use crate::sys::inode;
use crate::sys::interrupt::{Attempt, until};
use crate::sys::regular_file::{self, HARMLESS, Links};

/// Opens a file and locks it, both before `deadline`. A missing file is made, for its owner alone:
/// whoever may open a lock file may also hold it for ever. A directory is locked as it is.
///
/// When the lock is there the path is looked at again. If it leads to another file by then, the
/// lock would exclude nobody who comes now, and everything begins anew.
///
/// Before each wait for a lock, `before_waiting` is called. If this process has POSIX locks on the
/// file, it must not open the file: closing any descriptor of it releases them.
pub fn open_locked(
    path: &OsStr,
    lock: Lock,
    deadline: Deadline,
    mut before_waiting: impl FnMut(),
) -> Result<Waited<OwnedFd>, Error> {
    let mut access = lock.flags();
    loop {
        let Waited::Done(fd) = open_file(path, access, deadline)? else {
            return Ok(Waited::TimedOut);
        };
        match lock.acquire_after(&fd, deadline, &mut before_waiting) {
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

impl Access {
    fn flags(self) -> OFlag {
        match self {
            Self::Read => OFlag::O_RDONLY,
            Self::Write => OFlag::O_WRONLY,
            Self::Both => OFlag::O_RDWR,
        }
    }
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
    let access = access.flags();
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
    match regular_file::open(Path::new(path), OFlag::O_RDONLY, Links::Refused) {
        Ok((file, _)) => Ok(file),
        Err(regular_file::Error::Kernel(errno)) => Err(errno.into()),
        Err(regular_file::Error::NotRegular) => Err(Error::NotRegular),
    }
}

/// Opens a file to read it, if it is a regular one; a link is followed.
pub fn open_to_look(path: &OsStr) -> Result<Option<OwnedFd>, Errno> {
    match regular_file::open(Path::new(path), OFlag::O_RDONLY, Links::Followed) {
        Ok((file, _)) => Ok(Some(file)),
        Err(regular_file::Error::NotRegular | regular_file::Error::Kernel(Errno(libc::ENOENT))) => {
            Ok(None)
        }
        Err(regular_file::Error::Kernel(errno)) => Err(errno),
    }
}

/// Opens a regular file once more by a descriptor of it, so that locks of the two are not the same.
pub fn reopen(fd: impl AsFd, access: Access) -> Result<OwnedFd, Error> {
    match regular_file::open(&descriptor::path(fd), access.flags(), Links::Followed) {
        Ok((file, _)) => Ok(file),
        Err(regular_file::Error::Kernel(errno)) => Err(errno.into()),
        Err(regular_file::Error::NotRegular) => Err(Error::NotRegular),
    }
}

/// Removes a name.
fn unlink(path: &OsStr) -> Result<(), Errno> {
    Ok(nix::unistd::unlink(path)?)
}

/// Removes a name if it leads to the open file. Without a lock on that, another may come between.
pub fn unlink_if_at(path: &OsStr, fd: impl AsFd) -> Result<(), Errno> {
    if is_at(path, fd)? { unlink(path) } else { Ok(()) }
}

/// Whether the path still leads to the open file.
pub fn is_at(path: &OsStr, fd: impl AsFd) -> Result<bool, Errno> {
    match stat(path) {
        Ok(there) => Ok(inode::is_same(&there, &fstat(fd)?)),
        Err(nix::errno::Errno::ENOENT) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
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
    if inode::kind(&fstat(&fd)?) == SFlag::S_IFIFO { Err(Error::Fifo) } else { Ok(fd) }
}
