//! Segments that are files: POSIX shared memory objects, and mapped files.
//!
//! Bytes in bulk are copied by the kernel between descriptors, and not through a mapping, in which a
//! page is lost when another process truncates the file.

mod mapped;
mod name;
mod new;
mod posix;
mod space;

use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::errno::Errno::{EINTR, ENXIO};
use nix::sys::mman::MsFlags;
use nix::sys::stat::fstat;
use nix::sys::uio::pread;
use nix::unistd::{Whence, fsync, lseek};

use self::name::FileName;
use self::space::Allocated;
use crate::base::errno::Errno;
use crate::io::fill;
use crate::io::fill::Destination;
use crate::io::transfer::{Counter, Side, Transfer};
use crate::mechanism::memory::segment::{Access, Error, Moved, Passing, Segment, Sync, Window};
use crate::sys::inode::is_same;
use crate::sys::offset::{self, remaining};

/// An open file. Its size is the size of the segment.
#[derive(Debug)]
pub struct FileSegment {
    file: OwnedFd,
    access: Access,
    /// Whether it had a name when it was opened.
    had_name: bool,
}

impl FileSegment {
    /// The segment of a file that was opened for this access.
    pub fn new(file: OwnedFd, access: Access) -> Self {
        let had_name = fstat(&file).is_ok_and(|status| status.st_nlink > 0);
        Self { file, access, had_name }
    }

    /// Allocates memory or disk space for these bytes by a write to each page that changes nothing, on
    /// file systems without fallocate(2).
    fn touch(&self, bytes: Range<u64>) -> Result<(), Error> {
        let window = Window::map(self.file.as_fd(), bytes, self.access)?;
        match window.populate_if_possible() {
            Err(Errno(libc::EFAULT)) => Err(Error::Full),
            touched => Ok(touched?),
        }
    }
}

impl Segment for FileSegment {
    fn size(&self) -> Result<u64, Error> {
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
            (Ok(own), Ok(other)) => is_same(&own, &other),
            _ => false,
        }
    }

    fn fill(
        &self,
        source: BorrowedFd<'_>,
        offset: u64,
        limit: Option<u64>,
        counter: &Counter,
    ) -> Moved {
        let status = fstat(&self.file).map_err(|errno| Side::Destination.failed(errno))?;
        let destination = Destination::new(&self.file, status.st_size as u64, counter);
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
        counter: &Counter,
    ) -> Moved {
        offset::seek(&self.file, bytes.start).map_err(|errno| Side::Source.failed(errno))?;
        let count = bytes.end - bytes.start;
        let transfer = Transfer::new(self.file.as_fd(), destination, Some(count)).counted(counter);
        match passing {
            Passing::ByReference => transfer.finish(),
            Passing::ByValue => transfer.by_value().finish(),
        }
    }

    fn read(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Error> {
        let offset = offset::signed(offset)?;
        loop {
            match pread(&self.file, buffer, offset) {
                Err(EINTR) => {}
                result => return Ok(result?),
            }
        }
    }

    fn stored(&self, bytes: Range<u64>) -> Result<Range<u64>, Error> {
        let find = |from, whence| match lseek(&self.file, offset::signed(from)?, whence) {
            // There is nothing behind `from`.
            Err(ENXIO) => Ok(bytes.end),
            found => Ok::<u64, Errno>(found?.cast_unsigned().min(bytes.end)),
        };
        match find(bytes.start, Whence::SeekData) {
            // The file system does not report holes.
            Err(Errno(libc::EINVAL)) => Ok(bytes),
            start => {
                let start = start?;
                let end = if start < bytes.end { find(start, Whence::SeekHole)? } else { start };
                Ok(start..end)
            }
        }
    }

    fn window(&self, bytes: Range<u64>) -> Result<Window<'_>, Error> {
        Ok(Window::map(self.file.as_fd(), bytes, self.access)?)
    }

    fn reserve(&self, bytes: Range<u64>) -> Result<(), Error> {
        space::allocate(&self.file, bytes).map(drop).map_err(|errno| {
            self.release();
            errno.into()
        })
    }

    /// Bytes that another process appends between the two calls are cut off.
    fn release(&self) {
        if let Ok(size) = self.size() {
            let _ = space::truncate(&self.file, size);
        }
    }

    fn resize(&self, size: u64) -> Result<(), Error> {
        let before = self.size()?;
        if size <= before {
            return Ok(space::truncate(&self.file, size)?);
        }
        space::check_room(&self.file, size - before)?;
        let allocated = space::allocate(&self.file, before..size);
        let grown =
            allocated.and_then(|allocated| space::truncate(&self.file, size).map(|()| allocated));
        match grown {
            Ok(Allocated::Yes) => Ok(()),
            Ok(Allocated::Unknown) => self.touch(before..size).inspect_err(|_| {
                let _ = space::truncate(&self.file, before);
            }),
            Err(errno) => {
                self.release();
                Err(errno.into())
            }
        }
    }

    fn sync(&self, how: Sync) -> Result<(), Error> {
        let flags = match how {
            // It writes the size, and changes in memory too.
            Sync::Now => return Ok(fsync(&self.file)?),
            Sync::Soon => MsFlags::MS_ASYNC,
            Sync::Invalidate => MsFlags::MS_INVALIDATE,
        };
        match self.size()? {
            0 => Ok(()),
            size => Ok(self.window(0..size)?.sync(flags)?),
        }
    }
}
