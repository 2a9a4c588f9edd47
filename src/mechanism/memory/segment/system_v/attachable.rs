//! An existing System V segment: shmat(2).

use std::num::NonZeroUsize;
use std::ops::Range;
use std::os::fd::BorrowedFd;

use crate::base::errno::Errno;
use crate::io::transfer::{Counter, Side};
use crate::mechanism::memory::segment::{Access, Error, Moved, Passing, Segment, Sync, Window};
use crate::sys::memory::Width;
use crate::sys::origin::Found;
use crate::sys::system_v::no_such;
use crate::sys::system_v_segment::{is_marked, status};

/// A segment, by its identifier. The kernel has no handles for these, so the segment is attached for
/// each operation.
#[derive(Debug)]
pub struct Attachable {
    id: i32,
    size: NonZeroUsize,
    access: Access,
    /// Whether it was marked for removal when it was opened.
    was_marked: bool,
}

impl Attachable {
    /// The segment with this identifier.
    ///
    /// # Errors
    /// ENOENT if no segment has it; EACCES without permission to read the segment.
    pub fn new(id: i32, access: Access) -> Result<Self, Errno> {
        let status = status(id)?;
        let size = NonZeroUsize::new(status.shm_segsz).ok_or(Errno(libc::EINVAL))?;
        Ok(Self { id, size, access, was_marked: is_marked(&status) })
    }

    /// Segments are attached as a whole.
    fn attach(&self) -> Result<Window<'_>, Errno> {
        Window::attach(self.id, self.size, self.access).map_err(no_such)
    }

    fn end(&self, offset: u64, limit: Option<u64>) -> u64 {
        let size = self.size.get() as u64;
        offset.saturating_add(limit.unwrap_or(u64::MAX)).min(size)
    }
}

impl Segment for Attachable {
    fn size(&self) -> Result<u64, Error> {
        Ok(self.size.get() as u64)
    }

    fn was_removed(&self) -> bool {
        match status(self.id) {
            Ok(status) => is_marked(&status) && !self.was_marked,
            Err(errno) => errno == Errno(libc::ENOENT),
        }
    }

    fn can_grow(&self) -> bool {
        false
    }

    /// No descriptor refers to a System V segment.
    fn is(&self, _: BorrowedFd<'_>) -> bool {
        false
    }

    fn fill(
        &self,
        source: BorrowedFd<'_>,
        offset: u64,
        limit: Option<u64>,
        counter: &Counter,
    ) -> Moved {
        let end = self.end(offset, limit);
        let window = self.attach().map_err(|errno| Side::Destination.failed(errno))?;
        Side::Source.repeat(source, offset..end, |part| {
            let read = window.read_from(source, part);
            read.inspect(|&count| counter.add(count as u64))
        })
    }

    fn drain(
        &self,
        destination: BorrowedFd<'_>,
        bytes: Range<u64>,
        _: Passing,
        counter: &Counter,
    ) -> Moved {
        let end = self.end(bytes.start, Some(bytes.end - bytes.start));
        let window = self.attach().map_err(|errno| Side::Source.failed(errno))?;
        Side::Destination.repeat(destination, bytes.start..end, |part| {
            let written = window.write_to(destination, part);
            written.inspect(|&count| counter.add(count as u64))
        })
    }

    fn read(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Error> {
        let end = self.end(offset, Some(buffer.len() as u64));
        let window = self.attach()?;
        for (byte, at) in buffer.iter_mut().zip(offset..end) {
            *byte = window.load(at, Width::One) as u8;
        }
        Ok(end.saturating_sub(offset) as usize)
    }

    /// The kernel does not report the holes of these segments.
    fn stored(&self, bytes: Range<u64>) -> Result<Range<u64>, Error> {
        Ok(bytes)
    }

    fn window(&self, _: Range<u64>) -> Result<Window<'_>, Error> {
        Ok(self.attach()?)
    }

    /// All memory within the fixed size is allocated.
    fn reserve(&self, bytes: Range<u64>) -> Result<(), Error> {
        if bytes.end <= self.size.get() as u64 { Ok(()) } else { Err(Error::FixedSize) }
    }

    fn release(&self) {}

    fn resize(&self, _: u64) -> Result<(), Error> {
        Err(Error::FixedSize)
    }

    /// These segments are on no disk.
    fn sync(&self, _: Sync) -> Result<(), Error> {
        Ok(())
    }
}

/// The creator and the permissions of a segment.
pub fn found(id: i32) -> Result<Found, Errno> {
    let permissions = status(id)?.shm_perm;
    Ok(Found::in_kernel(permissions.cuid, u32::from(permissions.mode) & 0o777))
}
