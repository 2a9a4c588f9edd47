//! A System V segment that is yet to be filled: shmget(2), IPC_SET of shmctl(2).

use crate::base::errno::Errno;
use crate::mechanism::memory::segment::system_v::attachable::Attachable;
use crate::mechanism::memory::segment::{Access, Error, PageSize, Segment};
use crate::sys::system_v::{self, Kind, NEW, OURS, Target};
use crate::sys::{meminfo, offset, sysctl, system_v_segment};

/// A segment that is not yet as it shall be.
#[derive(Debug)]
pub struct Unfinished(system_v::Unfinished);

impl Unfinished {
    /// Makes one that its maker may write to, whatever its permissions shall be, and for which there
    /// is memory: the kernel promises none, and ends processes when there is no more.
    pub fn make(target: Target, size: u64, mode: u32, page_size: PageSize) -> Result<Self, Error> {
        let make = || make(target, size, mode | OURS, page_size);
        let made = system_v::Unfinished::make(Kind::Segment, make)?;
        // Huge pages are set aside when the segment is made.
        if page_size == PageSize::Ordinary {
            meminfo::refuse_beyond_available(size)?;
        }
        Ok(Self(made))
    }

    /// Its identifier.
    pub fn id(&self) -> i32 {
        self.0.id()
    }

    /// The segment, to be written to.
    pub fn attachable(&self) -> Result<Attachable, Errno> {
        Attachable::new(self.id(), Access::Write)
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
            set_mode(self.id(), mode)?;
        }
        self.0.keep();
        Ok(())
    }
}

fn set_mode(id: i32, mode: u32) -> Result<(), Errno> {
    let mut status = system_v_segment::status(id)?;
    status.shm_perm.mode = mode as _;
    system_v_segment::set(id, status)
}

fn make(target: Target, size: u64, mode: u32, page_size: PageSize) -> Result<i32, Error> {
    let key = target.new_key().map_err(|_| Error::Identifier)?;
    if size == 0 {
        return Err(Error::Empty);
    }
    let bytes = offset::signed(size)? as usize;
    let huge = if page_size == PageSize::Huge { libc::SHM_HUGETLB } else { 0 };
    system_v_segment::get(key, bytes, NEW | huge | mode as i32)
        .map_err(|errno| why_not_made(errno, size, page_size))
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
