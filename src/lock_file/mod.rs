//! Lock files: the file is the lock, and says whose it is, so that one whose owner has died is
//! found out and broken.
//!
//! A lock file is linked when it is complete, so nobody ever reads half of one. To remove one
//! takes a flock on the very file that was judged, and another look at the path once the flock is
//! there: of two who find the same dead owner, the second finds the path gone, or leading to the
//! lock of somebody who lives. What cannot be judged is never broken: content that is not ours, an
//! owner in another PID namespace, or on another machine.

mod owner;

use std::ffi::OsStr;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use nix::unistd::fsync;

pub use self::owner::{Content, Owner};

use self::owner::Fate;
use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;
use crate::sys::lock::{self, Kind, Lock, Mode, Range};
use crate::sys::new_file::NewFile;
use crate::sys::pidfd::Process;
use crate::sys::poll;
use crate::sys::watch::Watch;

/// Why a lock file is not taken or dropped.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// It is one's own already, and waiting for it would never end.
    #[error("taken by process {0} already")]
    TakenAlready(i32),
    /// It is not the lock of whom it was to be dropped for.
    #[error("the lock of process {0}, not of {1}")]
    SomebodyElses(i32, i32),
    /// It does not say whose it is.
    #[error("not a lock file of ours: it does not say whose it is")]
    Unreadable,
}

impl From<nix::errno::Errno> for Error {
    fn from(errno: nix::errno::Errno) -> Self {
        Self::Kernel(errno.into())
    }
}

/// Takes a lock file for its owner, waiting until `deadline` for whoever has it.
pub fn take(
    path: &OsStr,
    owner: &Owner,
    content: Content,
    deadline: Deadline,
) -> Result<Waited, Error> {
    let new = NewFile::holding(Path::new(path), 0o600, owner.content(content).as_bytes())?;
    fsync(new.file())?;
    loop {
        match new.link() {
            Err(Errno(libc::EEXIST)) => {}
            linked => return Ok(linked.map(Waited::Done)?),
        }
        let Some(judged) = Judged::open(path)? else { continue };
        let fate = match &judged.owner {
            Some(holder) if holder.is(owner) => return Err(Error::TakenAlready(owner.pid)),
            Some(holder) => holder.fate(content)?,
            None => Fate::Unknown,
        };
        if fate == Fate::Gone {
            let is_gone = |owner: Option<&Owner>| match owner {
                Some(owner) => Ok(owner.fate(content)? == Fate::Gone),
                None => Ok(false),
            };
            if judged.remove(path, deadline, is_gone)? == Waited::Done(()) {
                continue;
            }
        }
        if deadline.has_passed() {
            return Ok(Waited::TimedOut);
        }
        judged.wait(path, fate, deadline)?;
    }
}

/// Drops a lock file of its owner's.
///
/// # Errors
/// ENOENT if there is none; [`Error::SomebodyElses`].
pub fn release(path: &OsStr, owner: &Owner) -> Result<(), Error> {
    let judged = Judged::open(path)?.ok_or(Errno(libc::ENOENT))?;
    match &judged.owner {
        Some(holder) if holder.is(owner) => {}
        Some(holder) => return Err(Error::SomebodyElses(holder.pid, owner.pid)),
        None => return Err(Error::Unreadable),
    }
    remove(path, &judged)
}

/// Drops a lock file, whoever has it.
///
/// # Errors
/// ENOENT if there is none.
pub fn release_any(path: &OsStr) -> Result<(), Error> {
    let judged = Judged::open(path)?.ok_or(Errno(libc::ENOENT))?;
    remove(path, &judged)
}

/// Whose a lock file is, or a pidfile; `None` if it does not say.
///
/// # Errors
/// ENOENT if there is none.
pub fn owner(path: &OsStr) -> Result<Option<Owner>, Error> {
    Ok(Judged::open(path)?.ok_or(Errno(libc::ENOENT))?.owner)
}

/// Who has a lock file, and since when, in seconds since 1970; `None` if nobody has it.
pub fn holder(path: &OsStr) -> Result<Option<(i32, i64)>, Error> {
    let Some(judged) = Judged::open(path)? else { return Ok(None) };
    let since = lock::status(path)?.st_mtime;
    Ok(judged.owner.map(|owner| (owner.pid, since)))
}

/// A lock file that was opened to be judged.
#[derive(Debug)]
struct Judged {
    file: OwnedFd,
    owner: Option<Owner>,
}

impl Judged {
    /// The lock file at a path; `None` if there is none.
    fn open(path: &OsStr) -> Result<Option<Self>, Error> {
        let file = match lock::open_regular(path) {
            Err(lock::Error::Kernel(Errno(libc::ENOENT))) => return Ok(None),
            Err(lock::Error::Kernel(errno)) => return Err(errno.into()),
            Err(_) => return Err(Error::Unreadable),
            Ok(file) => file,
        };
        let owner = read(&file)?;
        Ok(Some(Self { file, owner }))
    }

    /// Removes the file from its path, if the path leads to it still and `agrees` with its owner.
    ///
    /// The flock keeps others from doing the same meanwhile; so nobody else's file can have come
    /// to the path between the look and the removal.
    fn remove(
        &self,
        path: &OsStr,
        deadline: Deadline,
        agrees: impl Fn(Option<&Owner>) -> Result<bool, Errno>,
    ) -> Result<Waited, Error> {
        let whole = Lock { kind: Kind::Flock, mode: Mode::Exclusive, range: Range::default() };
        if whole.wait(&self.file, deadline)? == Waited::TimedOut {
            return Ok(Waited::TimedOut);
        }
        if lock::is_at(path, &self.file)? && agrees(read(&self.file)?.as_ref())? {
            lock::unlink(path)?;
        }
        whole.release(&self.file)?;
        Ok(Waited::Done(()))
    }

    /// Waits until the file is gone or its owner is, or a second has passed: not every file system
    /// tells when a name goes.
    ///
    /// Of an owner whose fate is unknown the number may be that of another process here.
    fn wait(&self, path: &OsStr, fate: Fate, deadline: Deadline) -> Result<(), Errno> {
        const LOOK_AGAIN: Duration = Duration::from_secs(1);
        // There are few watches for each user; without one, the second has to do.
        let watch = Watch::of_names(&self.file).ok();
        if !lock::is_at(path, &self.file)? {
            return Ok(());
        }
        let owner = self.owner.as_ref().filter(|_| fate == Fate::Alive);
        let owner = owner.and_then(|owner| Process::open(owner.pid).ok());
        let fds = watch.iter().map(AsFd::as_fd).chain(owner.iter().map(AsFd::as_fd));
        let fds: Vec<_> = fds.collect();
        let _: Waited = poll::any_readable(&fds, deadline.min(Deadline::after(LOOK_AGAIN)))?;
        Ok(())
    }
}

/// Whose a lock file is; nobody's that we know of, where it is none of ours.
fn read(file: &OwnedFd) -> Result<Option<Owner>, Errno> {
    /// Longer than any of ours.
    const LIMIT: u64 = 4096;
    let mut text = Vec::new();
    let mut file = std::fs::File::from(file.try_clone()?);
    std::io::Seek::rewind(&mut file)?;
    file.take(LIMIT).read_to_end(&mut text)?;
    Ok(Owner::parse(&text))
}

fn remove(path: &OsStr, judged: &Judged) -> Result<(), Error> {
    // Without a deadline it does not time out.
    judged.remove(path, Deadline::NEVER, |_| Ok(true)).map(|_: Waited| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> Owner {
        Owner::now(std::process::id() as i32).unwrap()
    }

    /// One that had our number before us.
    fn dead() -> Owner {
        let start = me().start().unwrap();
        let content = me().content(Content::Full);
        let earlier = content.replace(&format!("start {start}"), &format!("start {}", start + 1));
        Owner::parse(earlier.as_bytes()).unwrap()
    }

    #[test]
    fn a_stale_lock_is_broken_and_a_live_one_is_respected() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let path = path.as_os_str();
        let dead = dead();
        let take = |owner: &Owner| take(path, owner, Content::Full, Deadline::PASSED);
        assert_eq!(take(&dead), Ok(Waited::Done(())));
        assert_eq!(take(&me()), Ok(Waited::Done(())));
        assert_eq!(take(&me()), Err(Error::TakenAlready(me().pid)));
        assert_eq!(take(&dead), Ok(Waited::TimedOut));
        assert_eq!(release(path, &dead), Err(Error::SomebodyElses(me().pid, me().pid)));
        assert_eq!(release(path, &me()), Ok(()));
        assert_eq!(release(path, &me()), Err(Errno(libc::ENOENT).into()));
    }
}
