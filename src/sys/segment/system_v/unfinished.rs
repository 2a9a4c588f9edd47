//! A System V segment that is yet to be filled: shmget(2), IPC_SET and IPC_RMID of shmctl(2).

use std::mem::ManuallyDrop;
use std::sync::Once;
use std::sync::atomic::{AtomicI32, Ordering};

use super::super::{Access, Error, PageSize, Segment};
use super::attachable::{self, Attachable, destroy, get};
use crate::errno::Errno;
use crate::sys::signal::Blocked;
use crate::sys::system_v::{self, NEW, OURS, Target, no_such};
use crate::sys::{ending, meminfo, offset, sysctl};

/// A segment that is not yet as it shall be. Dropping it removes it, and so do HUP, INT and TERM
/// that end us. Others may find it meanwhile: the kernel gives a key only to a
/// segment that it makes.
#[derive(Debug)]
pub struct Unfinished {
    id: i32,
}

/// The segment that is to be removed when a signal comes; -1 for none.
static UNFINISHED: AtomicI32 = AtomicI32::new(-1);

impl Unfinished {
    /// Makes one that we may write to, whatever its permissions shall be, and for which there is
    /// memory: the kernel promises none, and ends processes when there is no more.
    pub fn make(target: Target, size: u64, mode: u32, page_size: PageSize) -> Result<Self, Error> {
        static WATCHED: Once = Once::new();
        WATCHED.call_once(|| ending::undo_first(remove_unfinished));
        // No signal comes between the segment and the note that we have it.
        let _blocked = Blocked::new(ending::signals());
        let id = make(target, size, mode | OURS, page_size)?;
        UNFINISHED.store(id, Ordering::Relaxed);
        let made = Self { id };
        // Huge pages are set aside when the segment is made.
        if page_size == PageSize::Ordinary {
            meminfo::refuse_beyond_available(size)?;
        }
        Ok(made)
    }

    /// Its identifier.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// The segment, to be written to.
    pub fn attachable(&self) -> Result<Attachable, Errno> {
        Attachable::new(self.id, Access::Write)
    }

    /// Has all of its memory be there.
    pub fn populate(&self, page_size: PageSize) -> Result<(), Errno> {
        if page_size == PageSize::Huge {
            return Ok(());
        }
        let segment = self.attachable()?;
        match segment.window(0..segment.size()?)?.populate_if_possible() {
            Err(Errno(libc::EFAULT)) => Err(Errno(libc::ENOMEM)),
            populated => populated,
        }
    }

    /// Gives it its permissions, and leaves it to everybody.
    ///
    /// # Errors
    /// ENOENT if somebody has removed it meanwhile.
    pub fn finish(self, mode: u32) -> Result<(), Errno> {
        if mode & OURS != OURS {
            set_mode(self.id, mode)?;
        }
        let _finished = ManuallyDrop::new(self);
        UNFINISHED.store(-1, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        remove_unfinished();
    }
}

/// Removes the segment that is not finished, unless somebody did. It only makes an atomic change and a
/// system call, so that it may be called when a signal comes.
fn remove_unfinished() {
    let id = UNFINISHED.swap(-1, Ordering::Relaxed);
    if id >= 0 {
        // What went wrong is told already.
        let _ = destroy(id);
    }
}

fn set_mode(id: i32, mode: u32) -> Result<(), Errno> {
    let mut status = attachable::status(id)?;
    status.shm_perm.mode = mode as _;
    // SAFETY: the kernel reads the structure, which lives through the call.
    Errno::check(unsafe { libc::shmctl(id, libc::IPC_SET, &raw mut status) }).map_err(no_such)
}

fn make(target: Target, size: u64, mode: u32, page_size: PageSize) -> Result<i32, Error> {
    let key = target.new_key().map_err(|_| Error::Identifier)?;
    if size == 0 {
        return Err(Error::Empty);
    }
    let bytes = offset::signed(size)? as usize;
    let huge = if page_size == PageSize::Huge { libc::SHM_HUGETLB } else { 0 };
    get(key, bytes, NEW | huge | mode as i32).map_err(|errno| why_not_made(errno, size, page_size))
}

fn why_not_made(errno: Errno, size: u64, page_size: PageSize) -> Error {
    let limit = sysctl::number("kernel/shmmax", u64::MAX);
    match (errno, page_size) {
        (Errno(libc::ENOMEM | libc::EPERM), PageSize::Huge) => {
            Error::NoHugePages("no huge pages are set aside, as 'sysctl vm.nr_hugepages' does")
        }
        (Errno(libc::EINVAL), _) if size > limit => Error::TooLarge { size, limit },
        (Errno(libc::ENOSPC), _) => why_no_more(),
        (errno, _) => errno.into(),
    }
}

/// Which of two limits is reached: that of segments, or that of all their pages.
fn why_no_more() -> Error {
    let segments = system_v::table("shm").map_or(0, |rows| rows.len() as u64);
    match sysctl::number("kernel/shmmni", 4096) {
        limit if segments >= limit => Error::TooMany { limit },
        _ => Error::TooManyPages { limit: sysctl::number("kernel/shmall", u64::MAX) },
    }
}
