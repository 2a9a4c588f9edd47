//! Lock files that were opened to be judged.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno as Refused;
use nix::sys::stat::fstat;
use nix::sys::uio::pread;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::mechanism::lock_file::owner::{Content, Fate, Owner};
use crate::mechanism::lock_file::{Error, Obstacle, Stranger, Taken};
use crate::sys::lock::{self, Access, Kind, Lock, Mode, Range};
use crate::sys::pidfd::Process;
use crate::sys::poll;
use crate::sys::watch::Watch;

/// An exclusive flock, under which lock files are broken.
pub const FLOCK: Lock =
    Lock { kind: Kind::Flock, mode: Mode::Exclusive, range: Range { start: 0, length: 0 } };

/// A record lock that every other excludes.
const RECORD: Lock = Lock { kind: Kind::Ofd, ..FLOCK };

/// What a file says about its owner.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Found {
    /// Which process that is.
    Owner(Owner),
    /// Nothing: it is empty.
    Nothing,
    /// It is no lock file.
    Anything,
}

/// A lock file that was opened to be judged.
#[derive(Debug)]
pub struct Judged<F = OwnedFd> {
    file: F,
    pub found: Found,
}

impl Judged {
    /// The lock file at a path, which is no link; `None` if there is none.
    pub fn open(path: &OsStr) -> Result<Option<Self>, Error> {
        let file = match lock::open_regular(path) {
            Err(lock::Error::Kernel(Errno(libc::ENOENT))) => return Ok(None),
            Err(lock::Error::Kernel(errno)) => return Err(errno.into()),
            Err(_) => return Err(Error::Unreadable),
            Ok(file) => file,
        };
        Ok(Some(Self::new(file)?))
    }

    /// The same, but a link is followed, and what cannot be a lock file is `None` as well.
    pub fn open_followed(path: &OsStr) -> Result<Option<Self>, Errno> {
        match lock::open_to_look(path) {
            Ok(file) => file.map(Self::new).transpose(),
            Err(Errno(libc::EACCES)) if !may_be_one(path) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// Breaks a lock file of a dead owner's; it times out where somebody has locked it.
    ///
    /// The flock keeps others from doing the same meanwhile, so no other file can have come to the
    /// path between the look and the removal; and so does a record lock, where we may write.
    pub fn break_stale(
        &self,
        path: &OsStr,
        content: Content,
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
        let is_gone = match read(&self.file)? {
            Found::Owner(owner) => owner.fate(content)? == Fate::Gone,
            Found::Nothing | Found::Anything => false,
        };
        if is_gone {
            lock::unlink_if_at(path, &self.file)?;
        }
        Ok(Waited::Done(()))
    }

    /// Removes the file from its path, if the path leads to it still.
    pub fn remove(&self, path: &OsStr) -> Result<(), Error> {
        let _guard = FLOCK.guard(&self.file, Deadline::NEVER)?;
        Ok(lock::unlink_if_at(path, &self.file)?)
    }

    /// Waits until the file is gone or what keeps it from being taken is, or a while has passed: not
    /// every file system tells when a name goes, and no lock tells that it is released.
    pub fn wait(&self, path: &OsStr, obstacle: Obstacle, deadline: Deadline) -> Result<(), Errno> {
        let after = |milliseconds| Deadline::after(Duration::from_millis(milliseconds));
        let moment = match obstacle {
            Obstacle::None => return Ok(()),
            Obstacle::Owner => deadline.min(after(1000)),
            Obstacle::Lock => deadline.min(after(100)),
            Obstacle::NotYet => after(20),
        };
        self.wait_while(|| lock::is_at(path, &self.file), moment)
    }
}

impl<F: AsFd> Judged<F> {
    /// An open file.
    pub fn new(file: F) -> Result<Self, Errno> {
        let found = read(&file)?;
        Ok(Self { file, found })
    }

    /// By whom it is taken, if it is.
    pub fn taken(&self, content: Content) -> Result<Option<Taken>, Errno> {
        match &self.found {
            Found::Owner(owner) if content == Content::Full && !owner.is_unmistakable() => Ok(None),
            _ => self.whose(content),
        }
    }

    /// The same where a number alone counts as well, which cannot be judged.
    pub fn whose(&self, content: Content) -> Result<Option<Taken>, Errno> {
        let Found::Owner(owner) = &self.found else { return Ok(None) };
        let by = match owner.fate(content)? {
            Fate::Gone => return Ok(None),
            Fate::Alive => Ok(owner.pid),
            fate => Err(Stranger(fate, owner.pid)),
        };
        Ok(Some(Taken { by, since: fstat(&self.file)?.st_mtime }))
    }

    /// Waits until an owner has ended or the file loses a name, while `is_there`.
    ///
    /// Of an owner that is not known to live the number may be that of another process here.
    pub fn wait_while(
        &self,
        is_there: impl Fn() -> Result<bool, Errno>,
        deadline: Deadline,
    ) -> Result<(), Errno> {
        // There are few watches for each user; without one, the deadline has to do.
        let watch = Watch::of_names(&self.file).ok();
        if !is_there()? {
            return Ok(());
        }
        // The number alone is enough to wait for its end, where all agree on that.
        let owner = match &self.found {
            Found::Owner(owner) if owner.fate(Content::PidOnly)? == Fate::Alive => {
                Process::open(owner.pid).ok()
            }
            _ => None,
        };
        let fds = watch.iter().map(AsFd::as_fd).chain(owner.iter().map(AsFd::as_fd));
        let fds: Vec<_> = fds.collect();
        let _: Waited = poll::any_readable(&fds, deadline)?;
        Ok(())
    }

    /// Whether the file has a name still.
    pub fn has_name(&self) -> Result<bool, Errno> {
        Ok(fstat(&self.file)?.st_nlink > 0)
    }
}

/// Longer than any lock file.
const LIMIT: usize = 4096;

/// Whether a file has the size of a lock file.
fn may_be_one(path: &OsStr) -> bool {
    lock::status(path).is_ok_and(|status| (1..LIMIT as i64).contains(&status.st_size))
}

/// What a file says about its owner. What cannot be read so, such as a directory, is no lock file.
fn read(file: impl AsFd) -> Result<Found, Errno> {
    let mut text = [0; LIMIT];
    match pread(file, &mut text, 0) {
        Ok(0) => Ok(Found::Nothing),
        Ok(LIMIT) | Err(Refused::EISDIR | Refused::EINVAL | Refused::ESPIPE | Refused::EBADF) => {
            Ok(Found::Anything)
        }
        Ok(length) => Ok(Owner::parse(&text[..length]).map_or(Found::Anything, Found::Owner)),
        Err(errno) => Err(errno.into()),
    }
}
