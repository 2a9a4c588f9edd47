//! Locks of the kernel on files that may be lock files: one that is taken counts as locked.
//!
//! The content is looked at when the lock is there. A stale lock file is broken only by a process
//! that has a flock and, where it may write, a record lock of its own on the file; so a file whose
//! path still leads to it once we have our lock is not being broken.

use std::ffi::OsStr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::mechanism::lock_file::Taken;
use crate::mechanism::lock_file::judged::Judged;
use crate::mechanism::lock_file::owner::Content;
use crate::sys::lock::{self, Access, Error, Lock};

/// Opens a file and locks it, as [`lock::open_locked`] does; one that is a lock file is waited for
/// until it is not taken any more. Before the first wait, `before_waiting` is called with what is
/// known of the owner, if it is for a lock file.
pub fn open(
    path: &OsStr,
    lock: Lock,
    deadline: Deadline,
    before_waiting: impl FnOnce(Option<Taken>),
) -> Result<Waited<OwnedFd>, Error> {
    let mut first_wait = FirstWait(Some(before_waiting));
    loop {
        let opened = lock::open_locked(path, lock, deadline, || first_wait.comes(None))?;
        let Waited::Done(fd) = opened else { return Ok(Waited::TimedOut) };
        let judged = Judged::new(&fd)?;
        let Some(taken) = judged.taken(Content::Full)? else { return Ok(Waited::Done(fd)) };
        lock.release(&fd)?;
        if deadline.has_passed() {
            return Ok(Waited::TimedOut);
        }
        first_wait.comes(Some(taken));
        judged.wait_while(|| lock::is_at(path, &fd), before_looking_again(deadline))?;
    }
}

/// Locks a descriptor of the caller's in the same way. A lock file that was removed is none any
/// more, and what may not be read is none.
pub fn descriptor(
    fd: BorrowedFd<'_>,
    lock: Lock,
    deadline: Deadline,
    before_waiting: impl FnOnce(Option<Taken>),
) -> Result<Waited, Error> {
    let mut first_wait = FirstWait(Some(before_waiting));
    let readable = lock::reopen(fd, Access::Read).ok();
    loop {
        // Before the lock as well: if it is the caller's already, it would be lost afterwards.
        if let Some((judged, taken)) = look(readable.as_ref())? {
            if deadline.has_passed() {
                return Ok(Waited::TimedOut);
            }
            first_wait.comes(Some(taken));
            judged.wait_while(|| judged.has_name(), before_looking_again(deadline))?;
            continue;
        }
        let locked = lock.acquire_after(fd, deadline, || first_wait.comes(None))?;
        if locked == Waited::TimedOut || look(readable.as_ref())?.is_none() {
            return Ok(locked);
        }
        lock.release(fd)?;
    }
}

/// A lock file that is taken, if it is and has a name.
fn look(file: Option<&OwnedFd>) -> Result<Option<(Judged<&OwnedFd>, Taken)>, Errno> {
    let Some(judged) = file.map(Judged::new).transpose()? else { return Ok(None) };
    let taken = judged.taken(Content::Full)?;
    let is_there = taken.is_some() && judged.has_name()?;
    Ok(taken.filter(|_| is_there).map(|taken| (judged, taken)))
}

/// Not every file system tells when a name goes.
fn before_looking_again(deadline: Deadline) -> Deadline {
    deadline.min(Deadline::after(Duration::from_secs(1)))
}

/// What is called before the first wait, until that comes.
struct FirstWait<F: FnOnce(Option<Taken>)>(Option<F>);

impl<F: FnOnce(Option<Taken>)> FirstWait<F> {
    fn comes(&mut self, taken: Option<Taken>) {
        if let Some(call) = self.0.take() {
            call(taken);
        }
    }
}
