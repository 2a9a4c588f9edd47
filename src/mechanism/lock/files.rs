//! Files that are opened in order to be locked: open(2), stat(2).

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno::{EAGAIN, EISDIR, ENOENT};
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode as Permissions, SFlag, fstat, stat};
use nix::unistd::{AccessFlags, access, unlink};

use super::{Error, Kind, Lock, Mode};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::interrupt::{Attempt, until};
use crate::sys::regular_file::{self, HARMLESS, Links};
use crate::sys::{descriptor, inode};

/// The flags to open a file for a lock: for no more than the lock needs, as closing a file that was open
/// for writing is an event that other processes may watch for.
pub(super) fn flags(lock: Lock) -> OFlag {
    match (lock.kind, lock.mode) {
        (Kind::Flock, _) | (_, Mode::Shared) => OFlag::O_RDONLY,
        (_, Mode::Exclusive) => OFlag::O_RDWR,
    }
}

/// The access for which a file is opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Reading and writing.
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

/// The access for which flock(1) opens a file for this lock.
pub fn access_of_utility(lock: Lock) -> Access {
    if flags(lock) == OFlag::O_RDONLY { Access::Read } else { Access::Write }
}

/// Whether this process may open a file for reading and writing.
pub fn may_open_for_both(path: &OsStr) -> bool {
    access(path, AccessFlags::R_OK | AccessFlags::W_OK).is_ok()
}

/// Opens a file as flock(1) does: it creates a missing file with the permissions 0666 without those of the
/// umask, and waits for the other end of a FIFO. A directory is opened for reading.
pub fn open_like_utility(path: &OsStr, access: Access) -> Result<OwnedFd, Errno> {
    let access = access.flags();
    let flags = OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    match open(path, access | flags | OFlag::O_CREAT, Permissions::from_bits_truncate(0o666)) {
        Err(EISDIR) => Ok(open(path, OFlag::O_RDONLY | flags, Permissions::empty())?),
        opened => Ok(opened?),
    }
}

/// Opens a regular file, which may not be a link, to read it and lock it.
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

/// Opens a file for reading, following links; `None` if it is missing or no regular file.
pub fn open_if_regular(path: &OsStr) -> Result<Option<OwnedFd>, Errno> {
    match regular_file::open(Path::new(path), OFlag::O_RDONLY, Links::Followed) {
        Ok((file, _)) => Ok(Some(file)),
        Err(regular_file::Error::NotRegular | regular_file::Error::Kernel(Errno(libc::ENOENT))) => {
            Ok(None)
        }
        Err(regular_file::Error::Kernel(errno)) => Err(errno),
    }
}

/// Opens a regular file again by a descriptor of it, for locks of its own.
pub fn reopen(fd: impl AsFd, access: Access) -> Result<OwnedFd, Error> {
    match regular_file::open(&descriptor::path(fd), access.flags(), Links::Followed) {
        Ok((file, _)) => Ok(file),
        Err(regular_file::Error::Kernel(errno)) => Err(errno.into()),
        Err(regular_file::Error::NotRegular) => Err(Error::NotRegular),
    }
}

/// Removes a name if it leads to the open file. The caller has it locked: without a lock, another process
/// could replace the file in between.
pub fn unlink_if_at(path: &OsStr, fd: impl AsFd) -> Result<(), Errno> {
    if is_at(path, fd)? { Ok(unlink(path)?) } else { Ok(()) }
}

/// Whether the path still leads to the open file.
pub fn is_at(path: &OsStr, fd: impl AsFd) -> Result<bool, Errno> {
    match stat(path) {
        Ok(there) => Ok(inode::is_same(&there, &fstat(fd)?)),
        Err(ENOENT) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// Opens a file for a lock; creates a missing file for its owner alone.
pub(super) fn open_file(
    path: &OsStr,
    access: OFlag,
    deadline: Deadline,
) -> Result<Waited<OwnedFd>, Error> {
    let owner_only = Permissions::S_IRUSR | Permissions::S_IWUSR;
    let opened = match open(path, access | HARMLESS, Permissions::empty()) {
        Err(ENOENT) => open(path, access | HARMLESS | OFlag::O_CREAT, owner_only),
        opened => opened,
    };
    let fd = match opened {
        // Another process has a lease, which the kernel asks it to release: fcntl(2), F_SETLEASE.
        Err(EAGAIN) => until(deadline, |attempt| {
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

pub(super) fn refuse_fifo(fd: OwnedFd) -> Result<OwnedFd, Error> {
    if inode::kind(&fstat(&fd)?) == SFlag::S_IFIFO { Err(Error::Fifo) } else { Ok(fd) }
}
