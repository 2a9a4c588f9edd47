//! Segments that have a descriptor: POSIX shared memory objects, and files.
//!
//! Bytes in bulk are moved by the kernel between descriptors and never through a mapping, so that
//! nobody can pull the memory from under us.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno::{EINTR, ENXIO, EOPNOTSUPP};
use nix::fcntl::{FallocateFlags, OFlag, fallocate};
use nix::sys::mman::MsFlags;
use nix::sys::stat::{FileStat, fstat};
use nix::sys::statfs::{FsType, HUGETLBFS_MAGIC, TMPFS_MAGIC, fstatfs};
use nix::sys::uio::pread;
use nix::unistd::{Whence, fsync, ftruncate, lseek};

use crate::base::errno::Errno;
use crate::io::fill;
use crate::io::fill::Destination;
use crate::io::transfer;
use crate::io::transfer::{Side, Transfer};
use crate::mechanism::memory::segment::{
    Access, Error, Fact, PageSize, Passing, Segment, Sync, Value, Window, WriteError,
};
use crate::sys::inode::is_same;
use crate::sys::meminfo;
use crate::sys::memory::{self, HUGE_PAGE};
use crate::sys::offset::{self, remaining};

/// An open file, whose size is that of the segment.
#[derive(Debug)]
pub struct FileSegment {
    file: OwnedFd,
    access: Access,
    /// Whether it had a name when it was opened.
    had_name: bool,
}

impl FileSegment {
    /// The segment that a file is, which was opened for such access.
    pub fn new(file: OwnedFd, access: Access) -> Self {
        let had_name = fstat(&file).is_ok_and(|status| status.st_nlink > 0);
        Self { file, access, had_name }
    }

    /// Has memory or disk be there for these bytes, as a program that writes to each would, without
    /// changing any: for file systems that cannot be asked for it.
    fn touch(&self, bytes: Range<u64>) -> Result<(), Errno> {
        match self.window(bytes)?.populate_if_possible() {
            Err(Errno(libc::EFAULT)) => Err(Errno(libc::ENOSPC)),
            touched => touched,
        }
    }
}

impl Segment for FileSegment {
    fn size(&self) -> Result<u64, Errno> {
        Ok(fstat(&self.file)?.st_size as u64)
    }

    fn was_removed(&self) -> bool {
        self.had_name && fstat(&self.file).is_ok_and(|status| status.st_nlink == 0)
    }

    fn can_grow(&self) -> bool {
        true
    }

    fn is(&self, fd: BorrowedFd<'_>) -> bool {
        match (fstat(&self.file), fstat(fd)) {
            (Ok(ours), Ok(other)) => is_same(&ours, &other),
            _ => false,
        }
    }

    fn fill(
        &self,
        source: BorrowedFd<'_>,
        offset: u64,
        limit: Option<u64>,
    ) -> Result<u64, transfer::Error> {
        let size = self.size().map_err(|errno| Side::Destination.failed(errno))?;
        let destination = Destination::new(&self.file, size);
        match remaining(source) {
            Some(_) => fill::in_pieces(source, destination, offset, limit),
            None => fill::from_stream(source, destination, offset, limit),
        }
    }

    fn drain(
        &self,
        destination: BorrowedFd<'_>,
        bytes: Range<u64>,
        passing: Passing,
    ) -> Result<u64, transfer::Error> {
        offset::seek(&self.file, bytes.start).map_err(|errno| Side::Source.failed(errno))?;
        let transfer = Transfer::new(self.file.as_fd(), destination, Some(bytes.end - bytes.start));
        match passing {
            Passing::ByReference => transfer.finish(),
            Passing::ByValue => transfer.by_value().finish(),
        }
    }

    fn read(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Errno> {
        let offset = offset::signed(offset)?;
        loop {
            match pread(&self.file, buffer, offset) {
                Err(EINTR) => {}
                result => return Ok(result?),
            }
        }
    }

    fn stored(&self, bytes: Range<u64>) -> Result<Range<u64>, Errno> {
        let find = |from, whence| match lseek(&self.file, offset::signed(from)?, whence) {
            // There is nothing more.
            Err(ENXIO) => Ok(bytes.end),
            found => Ok::<u64, Errno>(found?.cast_unsigned().min(bytes.end)),
        };
        match find(bytes.start, Whence::SeekData) {
            // Not every file system knows.
            Err(Errno(libc::EINVAL)) => Ok(bytes),
            start => {
                let start = start?;
                let end = if start < bytes.end { find(start, Whence::SeekHole)? } else { start };
                Ok(start..end)
            }
        }
    }

    fn window(&self, bytes: Range<u64>) -> Result<Window<'_>, Errno> {
        Window::map(self.file.as_fd(), bytes, self.access)
    }

    fn reserve(&self, bytes: Range<u64>) -> Result<(), Error> {
        allocate(&self.file, bytes).map(drop).map_err(|errno| {
            self.release();
            errno.into()
        })
    }

    /// What somebody appends at this very moment is cut off.
    fn release(&self) {
        let _ = self.size().and_then(|size| truncate(&self.file, size));
    }

    fn resize(&self, size: u64) -> Result<(), Error> {
        let before = self.size()?;
        if size <= before {
            return Ok(truncate(&self.file, size)?);
        }
        refuse_if_no_room(&self.file, size - before)?;
        let allocated = allocate(&self.file, before..size);
        let grown = allocated.and_then(|allocated| truncate(&self.file, size).map(|()| allocated));
        match grown {
            Ok(Allocated::Yes) => Ok(()),
            Ok(Allocated::Unknown) => self.touch(before..size).map_err(|errno| {
                let _ = truncate(&self.file, before);
                errno.into()
            }),
            Err(errno) => {
                self.release();
                Err(errno.into())
            }
        }
    }

    fn sync(&self, how: Sync) -> Result<(), Errno> {
        let flags = match how {
            // What was changed in memory is written as well, and the size.
            Sync::Now => return Ok(fsync(&self.file)?),
            Sync::Soon => MsFlags::MS_ASYNC,
            Sync::Invalidate => MsFlags::MS_INVALIDATE,
        };
        match self.size()? {
            0 => Ok(()),
            size => self.window(0..size)?.sync(flags),
        }
    }
}

/// How a file has to be opened for such access.
pub fn flags(access: Access) -> OFlag {
    match access {
        Access::Read => OFlag::O_RDONLY,
        Access::Write => OFlag::O_RDWR,
    }
}

/// Fills an empty file, that nobody else sees yet, with zeros that are really there.
pub fn fill_new(file: &OwnedFd, size: u64, page_size: PageSize) -> Result<(), Error> {
    refuse_if_no_room(file, size)?;
    let segment = FileSegment::new(file.try_clone().map_err(Errno::from)?, Access::Write);
    if page_size == PageSize::Ordinary {
        return segment.resize(size);
    }
    match fstatfs(file)?.filesystem_type() {
        // It has no others.
        HUGETLBFS_MAGIC => segment.resize(size),
        TMPFS_MAGIC => {
            truncate(file, size)?;
            let collapsed = collapse(file, size);
            // What no huge page is behind. Where there is no room for it, that is the reason to tell.
            segment.reserve(0..size)?;
            collapsed
        }
        _ => Err(Error::NoHugePages("huge pages for files are those of a hugetlbfs or a tmpfs")),
    }
}

/// Fills an empty file, that nobody else sees yet, with zeros up to `offset` and then with all the
/// bytes of `source`.
pub fn fill_new_from(
    file: &OwnedFd,
    source: BorrowedFd<'_>,
    offset: u64,
) -> Result<(), WriteError> {
    let known = remaining(source).unwrap_or(0);
    let size = offset.checked_add(known).ok_or(Errno(libc::EFBIG))?;
    let segment = FileSegment::new(file.try_clone().map_err(Errno::from)?, Access::Write);
    let is_tmpfs = fstatfs(file).map_err(Errno::from)?.filesystem_type() == TMPFS_MAGIC;
    refuse_if_no_room(file, size)?;
    let written = if is_tmpfs && fill::is_worthwhile(known) {
        segment.reserve(0..offset)?;
        truncate(file, size)?;
        fill::from_both_ends(source, file, offset, known)?
    } else {
        // Now rather than after most of it was copied.
        segment.reserve(0..size)?;
        segment.fill(source, offset, None)?
    };
    // The source may have had less than it said, or nothing at all.
    Ok(truncate(file, offset + written)?)
}

/// What is known of every file.
pub fn facts(status: &FileStat) -> Vec<Fact> {
    [
        ("size", Value::Number(status.st_size as u64)),
        ("allocated", Value::Number(status.st_blocks as u64 * 512)),
        ("mode", Value::Mode(status.st_mode)),
        ("uid", Value::Number(status.st_uid.into())),
        ("gid", Value::Number(status.st_gid.into())),
        ("accessed", Value::Time(status.st_atime)),
        ("modified", Value::Time(status.st_mtime)),
        ("changed", Value::Time(status.st_ctime)),
    ]
    .map(|(key, value)| Fact { key, value })
    .into()
}

/// Refuses what a file system for memory has no room for, or the machine no memory, before all of it
/// is used up: processes would be ended for want of it. One without a limit has no blocks to count.
fn refuse_if_no_room(file: &OwnedFd, size: u64) -> Result<(), Errno> {
    let system = fstatfs(file)?;
    if !matches!(system.filesystem_type(), TMPFS_MAGIC | RAMFS_MAGIC) {
        return Ok(());
    }
    let room = system.blocks_available().saturating_mul(system.block_size() as u64);
    match system.blocks() > 0 && size > room {
        true => Err(Errno(libc::ENOSPC)),
        false => meminfo::refuse_beyond_available(size),
    }
}

const RAMFS_MAGIC: FsType = FsType(0x8584_58f6);

/// Whether there is memory or disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Allocated {
    Yes,
    /// The file system cannot be asked for it.
    Unknown,
}

/// Gets memory or disk for these bytes, which are zeros where nothing was before. The file ends
/// where it did.
fn allocate(file: &OwnedFd, bytes: Range<u64>) -> Result<Allocated, Errno> {
    if bytes.is_empty() {
        return Ok(Allocated::Yes);
    }
    let (start, length) = (offset::signed(bytes.start)?, offset::signed(bytes.end - bytes.start)?);
    loop {
        match fallocate(file, FallocateFlags::FALLOC_FL_KEEP_SIZE, start, length) {
            Err(EINTR) => {}
            Err(EOPNOTSUPP) => return Ok(Allocated::Unknown),
            result => return Ok(result.map(|()| Allocated::Yes)?),
        }
    }
}

fn truncate(file: &OwnedFd, size: u64) -> Result<(), Errno> {
    Ok(ftruncate(file, offset::signed(size)?)?)
}

/// Has huge pages behind all of an empty file that they can be behind.
fn collapse(file: &OwnedFd, size: u64) -> Result<(), Error> {
    let size = usize::try_from(size).map_err(|_| Errno(libc::EFBIG))?;
    let whole = NonZeroUsize::new(size - size % HUGE_PAGE)
        .ok_or(Error::NoHugePages("a huge page has 2 MiB, more than the segment"))?;
    // Where a file has nothing the kernel makes no huge page. One byte is enough, and what is not
    // there needs not be moved.
    for start in (0..whole.get() as u64).step_by(HUGE_PAGE) {
        allocate(file, start..start + 1)?;
    }
    memory::collapse(file, whole).map_err(|errno| match errno.0 {
        libc::ENOMEM | libc::EAGAIN => Error::NoHugePages("no huge page is free at the moment"),
        libc::EINVAL => Error::NoHugePages("there are no huge pages for this file system"),
        _ => errno.into(),
    })
}
