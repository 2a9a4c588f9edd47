//! A System V segment that is created and not filled yet: shmget(2), IPC_SET of shmctl(2).

use crate::base::errno::Errno;
use crate::mechanism::memory::segment::available::check_available;
use crate::mechanism::memory::segment::system_v::attachable::Attachable;
use crate::mechanism::memory::segment::{Access, Error, New, PageSize, Segment};
use crate::mechanism::system_v_object;
use crate::sys::system_v::{self, Kind, NEW, OURS, Target};
use crate::sys::{offset, sysctl, system_v_segment};

/// A segment whose bytes and permissions are not set yet.
#[derive(Debug)]
pub struct Unfinished(system_v_object::Unfinished);

impl Unfinished {
    /// Creates a segment that its creator may write to, whatever its permissions will be, and checks
    /// that there is memory for it: the kernel reserves none, and ends processes when none is left.
    pub fn make(target: Target, new: New) -> Result<Self, Error> {
        let make = || create(target, New { mode: new.mode | OURS, ..new });
        let made = system_v_object::Unfinished::make(Kind::Segment, make)?;
        // Huge pages are reserved by shmget(2).
        if new.page_size == PageSize::Ordinary {
            check_available(new.size)?;
        }
        Ok(Self(made))
    }

    /// The identifier.
    pub fn id(&self) -> i32 {
        self.0.id()
    }

    /// The segment, to be written to.
    pub fn attachable(&self) -> Result<Attachable, Errno> {
        Attachable::new(self.id(), Access::Write)
    }

    /// Allocates all of its memory.
    pub fn populate(&self, page_size: PageSize) -> Result<(), Error> {
        if page_size == PageSize::Huge {
            return Ok(());
        }
        let segment = self.attachable()?;
        match segment.window(0..segment.size()?)?.populate_if_possible() {
            Err(Errno(libc::EFAULT)) => Err(Error::Kernel(Errno(libc::ENOMEM))),
            populated => Ok(populated?),
        }
    }

    /// Sets its permissions. From now on it stays when it is dropped.
    ///
    /// # Errors
    /// [`Error::NotFound`] if another process has removed it.
    pub fn finish(self, mode: u32) -> Result<(), Error> {
        if mode & OURS != OURS {
            set_mode(self.id(), mode)?;
        }
        self.0.keep();
        Ok(())
    }
}

fn set_mode(id: i32, mode: u32) -> Result<(), Errno> {
    let mut status = Kind::Segment.status(id)?;
    status.set_mode(mode);
    Kind::Segment.set_status(id, status)
}

fn create(target: Target, new: New) -> Result<i32, Error> {
    let New { size, mode, page_size } = new;
    let key = target.new_key().map_err(|_| Error::Identifier)?;
    if size == 0 {
        return Err(Error::Empty);
    }
    let bytes = offset::signed(size)? as usize;
    let huge = if page_size == PageSize::Huge { libc::SHM_HUGETLB } else { 0 };
    let created = system_v_segment::get(key, bytes, NEW | huge | mode as i32);
    created.map_err(|errno| reason(errno, size, page_size))
}

/// The reason why shmget(2) failed.
fn reason(errno: Errno, size: u64, page_size: PageSize) -> Error {
    let limit = sysctl::number("kernel/shmmax", u64::MAX);
    match (errno, page_size) {
        (Errno(libc::ENOMEM | libc::EPERM), PageSize::Huge) => {
            Error::NoHugePages("no huge pages are set aside, as 'sysctl vm.nr_hugepages' does")
        }
        (Errno(libc::EINVAL), _) if size > limit => Error::BeyondMaximum { size, limit },
        (Errno(libc::ENOSPC), _) => limit_reached(),
        (errno, _) => errno.into(),
    }
}

/// The limit that is reached: the number of segments, or of all their pages.
fn limit_reached() -> Error {
    let segments = system_v::table("shm").map_or(0, |rows| rows.len() as u64);
    match sysctl::number("kernel/shmmni", 4096) {
        limit if segments >= limit => Error::TooMany { limit },
        _ => Error::TooManyPages { limit: sysctl::number("kernel/shmall", u64::MAX) },
    }
}
