//! The locks of a file that is found by its path, and their holders.

use std::ffi::OsStr;

use nix::fcntl::{OFlag, open};
use nix::sys::stat::{FileStat, Mode as Permissions, stat};

use super::files::refuse_fifo;
use super::{Error, Kind, Lock, Mode, Range, acquire};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::lock_table::{self, HeldLock};
use crate::sys::process;
use crate::sys::regular_file::HARMLESS;

/// The locks that touch a range, as far as they are visible without opening the file.
pub fn visible_holders(path: &OsStr, range: Range) -> Result<Vec<HeldLock>, Error> {
    Ok(visible(&stat(path)?, range)?)
}

fn visible(status: &FileStat, range: Range) -> Result<Vec<HeldLock>, Errno> {
    let mut held = lock_table::of_file(status)?;
    held.retain(|held| held.entry.touches(range));
    Ok(held)
}

/// The locks that touch a range. Where locks may be invisible, it opens the file and tries to lock it.
pub fn holders(path: &OsStr, range: Range) -> Result<Vec<HeldLock>, Error> {
    let status = stat(path)?;
    let mut held = visible(&status, range)?;
    if held.is_empty() && !is_complete_for(&status) {
        let hidden = probe(path, range)?;
        held.extend(hidden.into_iter().map(|kind| HeldLock::hidden(kind, &status)));
    }
    Ok(held)
}

/// Whether a file is locked in any way; a missing file is not.
pub fn is_locked(path: &OsStr) -> Result<bool, Error> {
    match holders(path, Range::default()) {
        Err(Error::Kernel(Errno(libc::ENOENT))) => Ok(false),
        locks => Ok(!locks?.is_empty()),
    }
}

/// Whether the table shows every lock of the file. In a PID namespace it leaves out locks of processes in
/// the parent namespaces, and it may show another device for some file systems (major number 0).
fn is_complete_for(status: &FileStat) -> bool {
    libc::major(status.st_dev) != 0 && process::is_first_namespace()
}

/// The kinds in which a file is locked, found by trying. A flock can only be tried by locking the file
/// for a moment.
fn probe(path: &OsStr, range: Range) -> Result<Vec<Kind>, Error> {
    let fd = refuse_fifo(open(path, OFlag::O_RDONLY | HARMLESS, Permissions::empty())?)?;
    let exclusive = |kind| Lock { kind, mode: Mode::Exclusive, range };
    let mut found = Vec::new();
    if acquire(exclusive(Kind::Flock), &fd, Deadline::PASSED)? == Waited::TimedOut {
        found.push(Kind::Flock);
    }
    if exclusive(Kind::Ofd).is_excluded(&fd)? {
        found.push(Kind::Ofd);
    }
    Ok(found)
}
