//! A System V segment that is there: shmat(2), IPC_STAT of shmctl(2).

use std::num::NonZeroUsize;
use std::ops::Range;
use std::os::fd::BorrowedFd;

use crate::base::errno::Errno;
use crate::io::transfer;
use crate::io::transfer::Side;
use crate::mechanism::memory::segment::{Access, Error, Passing, Segment, Sync, Window};
use crate::sys::memory::Width;
use crate::sys::origin::Found;
use crate::sys::system_v::no_such;
use crate::sys::system_v_segment::{is_marked, status};

/// A segment, by its identifier. The kernel has no handles to these: it is attached whenever it is
/// used.
#[derive(Debug)]
pub struct Attachable {
    id: i32,
    size: NonZeroUsize,
    access: Access,
    /// Whether it was marked for removal already when it was opened.
    was_marked: bool,
}

impl Attachable {
    /// The segment with this identifier.
    ///
    /// # Errors
    /// ENOENT if there is none, or not any more; EACCES for those who may not read it.
    pub fn new(id: i32, access: Access) -> Result<Self, Errno> {
        let status = status(id)?;
        let size = NonZeroUsize::new(status.shm_segsz).ok_or(Errno(libc::EINVAL))?;
        Ok(Self { id, size, access, was_marked: is_marked(&status) })
    }

    fn end(&self, offset: u64, limit: Option<u64>) -> u64 {
        let size = self.size.get() as u64;
        offset.saturating_add(limit.unwrap_or(u64::MAX)).min(size)
    }
}

impl Segment for Attachable {
    fn size(&self) -> Result<u64, Errno> {
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

    /// No descriptor leads to one.
    fn is(&self, _: BorrowedFd<'_>) -> bool {
        false
    }

    fn fill(
        &self,
        source: BorrowedFd<'_>,
        offset: u64,
        limit: Option<u64>,
    ) -> Result<u64, transfer::Error> {
        let end = self.end(offset, limit);
        let window = self.window(0..end).map_err(|errno| Side::Destination.failed(errno))?;
        Side::Source.repeat(source, offset..end, |part| window.read_from(source, part))
    }

    fn drain(
        &self,
        destination: BorrowedFd<'_>,
        bytes: Range<u64>,
        _: Passing,
    ) -> Result<u64, transfer::Error> {
        let end = self.end(bytes.start, Some(bytes.end - bytes.start));
        let window = self.window(0..end).map_err(|errno| Side::Source.failed(errno))?;
        Side::Destination
            .repeat(destination, bytes.start..end, |part| window.write_to(destination, part))
    }

    fn read(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Errno> {
        let end = self.end(offset, Some(buffer.len() as u64));
        let window = self.window(0..end)?;
        for (byte, at) in buffer.iter_mut().zip(offset..end) {
            *byte = window.load(at, Width::One) as u8;
        }
        Ok(end.saturating_sub(offset) as usize)
    }

    /// The kernel does not tell where it has holes.
    fn stored(&self, bytes: Range<u64>) -> Result<Range<u64>, Errno> {
        Ok(bytes)
    }

    /// Segments are attached as a whole.
    fn window(&self, _: Range<u64>) -> Result<Window<'_>, Errno> {
        Window::attach(self.id, self.size, self.access).map_err(no_such)
    }

    /// All of it is there, and there will never be more.
    fn reserve(&self, bytes: Range<u64>) -> Result<(), Error> {
        if bytes.end <= self.size.get() as u64 { Ok(()) } else { Err(Error::FixedSize) }
    }

    fn release(&self) {}

    fn resize(&self, _: u64) -> Result<(), Error> {
        Err(Error::FixedSize)
    }

    /// There is no disk behind it.
    fn sync(&self, _: Sync) -> Result<(), Errno> {
        Ok(())
    }
}

/// Who made a segment.
pub fn found(id: i32) -> Result<Found, Errno> {
    let permissions = status(id)?.shm_perm;
    Ok(Found::in_kernel(permissions.cuid, u32::from(permissions.mode) & 0o777))
}
