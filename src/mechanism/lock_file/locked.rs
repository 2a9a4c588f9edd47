//! Locks of the kernel on files that may be lock files: a lock file that has an owner counts as locked.
//!
//! The contents are read once the lock is acquired. A process breaks a stale lock file only while it has a
//! flock and, if it may write, a record lock on the file. So no process breaks a file whose path still
//! leads to it once the lock is acquired.

use std::ffi::OsStr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::mechanism::lock::eviction::Eviction;
use crate::mechanism::lock::{self, Access, Error, Lock};
use crate::mechanism::lock_file::CurrentOwner;
use crate::mechanism::lock_file::opened::OpenedLockFile;
use crate::mechanism::lock_file::owner::Content;

/// Opens a file and locks it, as [`lock::open`] does, and waits until a lock file has no owner any more.
/// Calls `before_waiting` before the first wait, with the owner if the wait is for a lock file.
pub fn open(
    path: &OsStr,
    lock: Lock,
    deadline: Deadline,
    before_waiting: impl FnOnce(Option<CurrentOwner>),
) -> Result<Waited<OwnedFd>, Error> {
    let mut first_wait = FirstWait(Some(before_waiting));
    loop {
        let opened = lock::open(path, lock, deadline, || first_wait.begins(None))?;
        let Waited::Done(fd) = opened else { return Ok(Waited::TimedOut) };
        let file = OpenedLockFile::new(&fd)?;
        let Some(owner) = file.current_owner(Content::Full)? else { return Ok(Waited::Done(fd)) };
        lock.release(&fd)?;
        if deadline.has_passed() {
            return Ok(Waited::TimedOut);
        }
        first_wait.begins(Some(owner));
        file.wait_while(|| lock::is_at(path, &fd), next_check(deadline))?;
    }
}

/// The same, and signals the holders that refuse the lock for too long. Calls `report` before each signal.
///
/// # Errors
/// Those of [`Eviction::search`]; [`Error::OfLockFile`] if a lock file has an owner for too long.
pub fn open_evicting(
    path: &OsStr,
    lock: Lock,
    deadline: Deadline,
    mut eviction: Eviction,
    before_waiting: impl FnOnce(Option<CurrentOwner>),
    mut report: impl FnMut(i32, Signal),
) -> Result<Waited<OwnedFd>, Error> {
    let mut first_wait = FirstWait(Some(before_waiting));
    let mut until = Deadline::PASSED;
    let mut file_due: Option<Deadline> = None;
    loop {
        let opened = open(path, lock, until, |owner| first_wait.begins(owner))?;
        if let Waited::Done(_) = opened {
            return Ok(opened);
        }
        if deadline.has_passed() {
            return Ok(Waited::TimedOut);
        }
        eviction.search(path, lock, &mut report)?;
        let file = OpenedLockFile::open_followed(path)?;
        let owner = file.map(|file| file.current_owner(Content::Full)).transpose()?.flatten();
        file_due = owner.map(|_| file_due.unwrap_or_else(|| eviction.due()));
        if file_due.is_some_and(Deadline::has_passed) {
            return Err(Error::OfLockFile);
        }
        until = deadline.min(eviction.next_search());
    }
}

/// Locks a descriptor of the caller in the same way. A removed file and a file that this process may not
/// read are no lock files.
pub fn descriptor(
    fd: BorrowedFd<'_>,
    lock: Lock,
    deadline: Deadline,
    before_waiting: impl FnOnce(Option<CurrentOwner>),
) -> Result<Waited, Error> {
    let mut first_wait = FirstWait(Some(before_waiting));
    let readable = lock::reopen(fd, Access::Read).ok();
    loop {
        // Also before the lock: a lock that the caller has already would be released below.
        if let Some((file, owner)) = owned(readable.as_ref())? {
            if deadline.has_passed() {
                return Ok(Waited::TimedOut);
            }
            first_wait.begins(Some(owner));
            file.wait_while(|| file.has_name(), next_check(deadline))?;
            continue;
        }
        let locked = lock::acquire_after(lock, fd, deadline, || first_wait.begins(None))?;
        if locked == Waited::TimedOut || owned(readable.as_ref())?.is_none() {
            return Ok(locked);
        }
        lock.release(fd)?;
    }
}

/// The lock file and its owner, if it has an owner and a name.
fn owned(
    file: Option<&OwnedFd>,
) -> Result<Option<(OpenedLockFile<&OwnedFd>, CurrentOwner)>, Errno> {
    let Some(file) = file.map(OpenedLockFile::new).transpose()? else { return Ok(None) };
    let owner = file.current_owner(Content::Full)?;
    let is_there = owner.is_some() && file.has_name()?;
    Ok(owner.filter(|_| is_there).map(|owner| (file, owner)))
}

/// The moment of the next check: not every file system reports the removal of a name.
fn next_check(deadline: Deadline) -> Deadline {
    deadline.min(Deadline::after(Duration::from_secs(1)))
}

/// Calls a function before the first wait only.
struct FirstWait<F: FnOnce(Option<CurrentOwner>)>(Option<F>);

impl<F: FnOnce(Option<CurrentOwner>)> FirstWait<F> {
    fn begins(&mut self, owner: Option<CurrentOwner>) {
        if let Some(call) = self.0.take() {
            call(owner);
        }
    }
}
