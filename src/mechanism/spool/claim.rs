//! Claiming a message: a lock on its inode.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::stat::fstat;

use super::directory::Spool;
use super::entry::{Entry, Origin};
use super::failure::{self, Report};
use super::files::WHOLE;
use super::history;
use super::part::Part;
use super::reservation;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::inode;

/// A claimed message. The claim lasts until the lock is released, or the last process that inherited
/// the descriptor has ended.
#[derive(Debug)]
pub struct Claim {
    /// The message, as its file is named now.
    pub entry: Entry,
    lock: OwnedFd,
}

/// The result of an attempt to claim a message.
#[derive(Debug)]
pub enum Attempt {
    /// It is claimed.
    Claimed(Claim),
    /// Another worker has claimed it.
    Busy,
    /// It is not there any more.
    Gone,
    /// This user may not read it.
    Unreadable,
    /// The file cannot be a message, for this reason.
    Impossible(&'static str),
}

impl Claim {
    /// Claims a message, without waiting.
    ///
    /// # Errors
    /// EMFILE, and others for which no message can be claimed.
    pub fn attempt(spool: &Spool, entry: &Entry) -> Result<Attempt, Errno> {
        let file = entry.file();
        let lock = match spool.read(Part::Ready, &file) {
            Ok(lock) => lock,
            Err(Errno(libc::ENOENT)) => return Ok(Attempt::Gone),
            Err(Errno(libc::EACCES | libc::EPERM)) => return Ok(Attempt::Unreadable),
            Err(Errno(libc::ELOOP | libc::ENXIO)) => {
                return Ok(Attempt::Impossible(NOT_REGULAR));
            }
            Err(errno) => return Err(errno),
        };
        if WHOLE.wait(&lock, Deadline::PASSED)? == Waited::TimedOut {
            return Ok(Attempt::Busy);
        }
        let status = fstat(&lock)?;
        if !inode::is_regular(&status) {
            return Ok(Attempt::Impossible(NOT_REGULAR));
        }
        // A worker may have removed or renamed it between the two calls.
        match spool.status_of(Part::Ready, &file) {
            Ok(other) if inode::is_same(&status, &other) => {}
            Ok(_) | Err(Errno(libc::ENOENT)) => return Ok(Attempt::Gone),
            Err(errno) => return Err(errno),
        }
        let has_name = status.st_nlink > 1 && owns_name(spool, entry, &lock)?;
        match status.st_nlink as u64 > 1 + u64::from(has_name) {
            true => Ok(Attempt::Impossible(EXTRA_LINK)),
            false => Ok(Attempt::Claimed(Self { entry: entry.clone(), lock })),
        }
    }

    /// Counts one more attempt, durably.
    pub fn begin(&mut self, spool: &Spool) -> Result<u32, Errno> {
        let begun = self.entry.begun();
        spool.rename((Part::Ready, &self.entry.file()), (Part::Ready, &begun.file()))?;
        self.entry = begun;
        spool.sync(Part::Ready)?;
        Ok(self.entry.attempts)
    }

    /// COMMAND was not started, so that the last attempt is none. That is not made durable: after a
    /// power failure it may be counted.
    pub fn undo_begin(&mut self, spool: &Spool) -> Result<(), Errno> {
        let before = self.entry.not_begun();
        spool.rename((Part::Ready, &self.entry.file()), (Part::Ready, &before.file()))?;
        self.entry = before;
        Ok(())
    }

    /// The message, from its beginning.
    pub fn input(&self, spool: &Spool) -> Result<OwnedFd, Errno> {
        spool.read(Part::Ready, &self.entry.file())
    }

    /// The lock alone.
    pub fn lock(&self) -> BorrowedFd<'_> {
        self.lock.as_fd()
    }

    /// Removes the message, which is done, and records that unless nothing is to be kept. Returns the
    /// error for which it is not recorded: a full disk must not bring the message back.
    pub fn acknowledge(
        self,
        spool: &Spool,
        records: history::Keep,
    ) -> Result<Option<Errno>, Errno> {
        let unrecorded = records.add(spool, &self.entry.name, 0).err();
        self.remove(spool)?;
        Ok(unrecorded)
    }

    /// Removes the message.
    pub fn remove(self, spool: &Spool) -> Result<(), Errno> {
        remove(spool, Part::Ready, &self.entry)
    }

    /// Moves the message to the failed ones, with a report. Returns the error for which the report or
    /// the record is missing.
    pub fn fail(
        self,
        spool: &Spool,
        report: &Report,
        records: history::Keep,
    ) -> Result<Option<Errno>, Errno> {
        let written = failure::write(spool, &self.entry, report);
        let recorded = records.add(spool, &self.entry.name, report.status);
        let file = self.entry.file();
        spool.rename((Part::Ready, &file), (Part::Failed, &file))?;
        spool.sync(Part::Failed)?;
        spool.sync(Part::Ready)?;
        self.release()?;
        Ok(written.and(recorded).err())
    }

    /// Ends the claim, also if children of COMMAND have inherited it.
    pub fn release(&self) -> Result<(), Errno> {
        WHOLE.release(&self.lock)
    }
}

/// The reasons why a file cannot be a message: names of directories in the quarantine.
const NOT_REGULAR: &str = "not-a-regular-file";
const EXTRA_LINK: &str = "has-another-link";

/// The reason of a file whose name is not one of a message.
pub const FOREIGN_NAME: &str = "foreign-name";

/// Whether the name of a message leads to this file.
fn owns_name(spool: &Spool, entry: &Entry, file: &OwnedFd) -> Result<bool, Errno> {
    let status = fstat(file)?;
    let other = spool.status_of(Part::Names, &*entry.name);
    Ok(entry.origin == Origin::Given && other.is_ok_and(|other| inode::is_same(&status, &other)))
}

/// Removes a message, then frees its name: the name is in use for as long as the message is there.
pub fn remove(spool: &Spool, part: Part, entry: &Entry) -> Result<(), Errno> {
    let file = entry.file();
    let named = match entry.origin {
        Origin::Given => Some(spool.status_of(part, &file)?),
        Origin::Made => None,
    };
    spool.unlink(part, &file)?;
    if let Some(status) = named {
        reservation::free(spool, &entry.name, &status);
    }
    Ok(())
}
