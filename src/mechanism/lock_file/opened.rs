//! Lock files that are opened to determine their owners.

use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno as Refused;
use nix::sys::stat::{FileStat, fstat, stat};
use nix::sys::uio::pread;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::mechanism::lock::{self, Access, Kind, Lock, Mode, Range};
use crate::mechanism::lock_file::owner::{Content, Fate, Owner};
use crate::mechanism::lock_file::{CurrentOwner, Error, ForeignOwner, Obstacle};
use crate::sys::attribute;
use crate::sys::pidfd::Process;
use crate::sys::poll;
use crate::sys::watch::Watch;

/// The lock that a process has on a lock file that it breaks: an exclusive flock.
pub const FLOCK: Lock =
    Lock { kind: Kind::Flock, mode: Mode::Exclusive, range: Range { start: 0, length: 0 } };

/// A record lock that every other one excludes.
const RECORD: Lock = Lock { kind: Kind::Ofd, ..FLOCK };

/// The contents of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Contents {
    /// Those of a lock file.
    Owner(Owner),
    /// None.
    Empty,
    /// Those of another file.
    Other,
}

/// An open file that may be a lock file.
#[derive(Debug)]
pub struct OpenedLockFile<F = OwnedFd> {
    file: F,
    pub contents: Contents,
}

impl OpenedLockFile {
    /// Opens the file at a path, which is no link; `None` if there is none.
    pub fn open(path: &OsStr) -> Result<Option<Self>, Error> {
        let file = match lock::open_regular(path) {
            Err(lock::Error::Kernel(Errno(libc::ENOENT))) => return Ok(None),
            Err(lock::Error::Kernel(errno)) => return Err(errno.into()),
            Err(_) => return Err(Error::Unreadable),
            Ok(file) => file,
        };
        Ok(Some(Self::new(file)?))
    }

    /// Opens the file at a path, following links; `None` also if it cannot be a lock file.
    pub fn open_followed(path: &OsStr) -> Result<Option<Self>, Errno> {
        match lock::open_if_regular(path) {
            Ok(file) => file.map(Self::new).transpose(),
            Err(Errno(libc::EACCES)) if !may_be_one(path) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// Removes a lock file whose owner has ended, according to `fate`; times out if another process has it locked.
    ///
    /// The flock excludes other processes that would break it, so that no other file replaces it between
    /// the check and the removal. So does a record lock, if this process may write.
    pub fn break_stale(
        &self,
        path: &OsStr,
        fate: impl Fn(&Owner) -> Result<Fate, Errno>,
        deadline: Deadline,
    ) -> Result<Waited, Error> {
        let Some(_guard) = FLOCK.guard(&self.file, deadline)? else {
            return Ok(Waited::TimedOut);
        };
        let writable = lock::reopen(&self.file, Access::Both).ok();
        let record =
            writable.as_ref().map(|file| RECORD.guard(file, Deadline::PASSED)).transpose()?;
        let is_locked = match record {
            Some(guard) => guard.is_none(),
            None => RECORD.is_excluded(&self.file)?,
        };
        if is_locked {
            return Ok(Waited::TimedOut);
        }
        let is_stale = match read(&self.file)? {
            Contents::Owner(owner) => fate(&owner)? == Fate::Gone,
            Contents::Empty | Contents::Other => false,
        };
        if is_stale {
            lock::unlink_if_at(path, &self.file)?;
        }
        Ok(Waited::Done(()))
    }

    /// Removes the file if the path still leads to it.
    pub fn remove(&self, path: &OsStr) -> Result<(), Error> {
        let _guard = FLOCK.guard(&self.file, Deadline::NEVER)?;
        Ok(lock::unlink_if_at(path, &self.file)?)
    }

    /// Waits until the file or the obstacle is gone, or for an interval: not every file system reports the
    /// removal of a name, and the kernel does not report the release of a lock.
    pub fn wait(&self, path: &OsStr, obstacle: Obstacle, deadline: Deadline) -> Result<(), Errno> {
        let after = |milliseconds| Deadline::after(Duration::from_millis(milliseconds));
        let moment = match obstacle {
            Obstacle::None => return Ok(()),
            Obstacle::Owner => deadline.min(after(1000)),
            Obstacle::Lock => deadline.min(after(100)),
            Obstacle::Empty => after(20),
        };
        self.wait_while(|| lock::is_at(path, &self.file), moment)
    }
}

impl<F: AsFd> OpenedLockFile<F> {
    /// Reads the contents of an open file.
    pub fn new(file: F) -> Result<Self, Errno> {
        let contents = read(&file)?;
        Ok(Self { file, contents })
    }

    /// The owner, if the file is a lock file whose owner may run.
    pub fn current_owner(&self, content: Content) -> Result<Option<CurrentOwner>, Errno> {
        match &self.contents {
            Contents::Owner(owner) if content == Content::Full && !owner.is_unmistakable() => {
                Ok(None)
            }
            _ => self.current_owner_of(content),
        }
    }

    /// The owner in the same way, also if the file contains a process ID alone.
    pub fn current_owner_of(&self, content: Content) -> Result<Option<CurrentOwner>, Errno> {
        let Contents::Owner(owner) = &self.contents else { return Ok(None) };
        let process = match owner.fate(content)? {
            Fate::Gone => return Ok(None),
            Fate::Alive => Ok(owner.pid),
            fate => Err(ForeignOwner(fate, owner.pid)),
        };
        Ok(Some(CurrentOwner { process, since: self.changed()? }))
    }

    /// Waits until the owner has ended or the file loses a name, while `is_there`.
    ///
    /// If the owner is not known to run, its process ID may be that of another process here.
    pub fn wait_while(
        &self,
        is_there: impl Fn() -> Result<bool, Errno>,
        deadline: Deadline,
    ) -> Result<(), Errno> {
        // The number of watches is limited; without one, it waits until the deadline.
        let watch = Watch::of_names(&self.file).ok();
        if !is_there()? {
            return Ok(());
        }
        // A process ID alone is enough to wait for the end of its process.
        let owner = match &self.contents {
            Contents::Owner(owner) if owner.fate(Content::PidOnly)? == Fate::Alive => {
                Process::open(owner.pid).ok()
            }
            _ => None,
        };
        let fds = watch.iter().map(AsFd::as_fd).chain(owner.iter().map(AsFd::as_fd));
        let fds: Vec<_> = fds.collect();
        let _: Waited = poll::any_readable(&fds, deadline)?;
        Ok(())
    }

    /// The time of the last change of the contents, in seconds since 1970.
    pub fn changed(&self) -> Result<i64, Errno> {
        Ok(fstat(&self.file)?.st_mtime)
    }

    /// Whether the file still has a name.
    pub fn has_name(&self) -> Result<bool, Errno> {
        Ok(fstat(&self.file)?.st_nlink > 0)
    }
}

/// The size that no lock file reaches.
const LIMIT: usize = 4096;

/// Whether a file has the size of a lock file.
fn may_be_one(path: &OsStr) -> bool {
    stat(path).is_ok_and(|status| (1..LIMIT as i64).contains(&status.st_size))
}

/// Reads the contents. A file that cannot be read, such as a directory, is no lock file.
fn read(file: impl AsFd) -> Result<Contents, Errno> {
    let mut text = [0; LIMIT];
    match pread(&file, &mut text, 0) {
        Ok(0) => Ok(Contents::Empty),
        Ok(LIMIT) | Err(Refused::EISDIR | Refused::EINVAL | Refused::ESPIPE | Refused::EBADF) => {
            Ok(Contents::Other)
        }
        Ok(length) => match Owner::parse(&text[..length]) {
            Some(owner) => Ok(Contents::Owner(with_record(owner, file))),
            None => Ok(Contents::Other),
        },
        Err(errno) => Err(errno.into()),
    }
}

/// The extended attribute of a pidfile with the identity of the process.
const RECORD_NAME: &CStr = c"user.ipc.owner";

/// The size that no record reaches.
const RECORD_LIMIT: usize = 256;

/// The owner with the record that a pidfile has, if there is one.
fn with_record(owner: Owner, file: impl AsFd) -> Owner {
    if owner.is_unmistakable() {
        return owner;
    }
    let record = attribute::get::<RECORD_LIMIT>(&file, RECORD_NAME);
    match (record, fstat(&file)) {
        (Ok(record), Ok(status)) => owner.recorded(&record, nanoseconds(&status)),
        _ => owner,
    }
}

/// Records the owner of a pidfile that was written already. Not every file system has extended
/// attributes; a pidfile without the record is judged by its process ID.
pub fn record(file: impl AsFd, owner: &Owner) {
    if let Ok(status) = fstat(&file)
        && let Some(text) = owner.record(nanoseconds(&status))
    {
        let _ = attribute::set(&file, RECORD_NAME, text.as_bytes());
    }
}

/// The time of the last change of the contents. It is only compared with itself.
fn nanoseconds(status: &FileStat) -> i128 {
    i128::from(status.st_mtime) * 1_000_000_000 + i128::from(status.st_mtime_nsec)
}
