//! Writing to a segment that is there, or that is made for it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::stat::fstat;
use nix::unistd::{Whence, lseek};

use super::{Access, Error, Made, Place, Segment};
use crate::errno::Errno;
use crate::sys::inode::is_regular;
use crate::sys::stream;
use crate::sys::transfer::{self, Side};

/// Why bytes did not get into a segment.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WriteError {
    /// The segment cannot be used.
    #[error(transparent)]
    Segment(#[from] Error),
    /// The source cannot be read.
    #[error(transparent)]
    Source(Errno),
    /// There is more of it than fits; so much of it was written.
    #[error("the input does not fit into {room} bytes; {written} were written")]
    DoesNotFit {
        /// What there is room for.
        room: u64,
        /// What was written.
        written: u64,
    },
    /// The offset is beyond the end.
    #[error("offset {offset} is beyond the end, {size}")]
    BeyondTheEnd {
        /// Where it was to be written.
        offset: u64,
        /// How large the segment is.
        size: u64,
    },
    /// The size has to be known beforehand.
    #[error("the size of a System V segment has to be known when it is made")]
    UnknownSize,
}

impl From<Errno> for WriteError {
    fn from(errno: Errno) -> Self {
        Self::Segment(Error::Kernel(errno))
    }
}

impl From<transfer::Error> for WriteError {
    fn from(error: transfer::Error) -> Self {
        match error.side {
            Side::Source => Self::Source(error.errno),
            Side::Destination => Self::Segment(Error::Kernel(error.errno)),
        }
    }
}

/// What becomes of the size of a segment that is written to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fit {
    /// It stays, and what does not fit is refused.
    Keep,
    /// It grows where that is needed.
    Grow,
    /// It ends where the input ends.
    Exactly,
}

/// Writes all of `source` to this offset of the segment of this name, which is made if there is
/// none. Of several that make it at the same time one does, and the others write into it. They
/// were not told that it has a size, so it grows for them.
///
/// # Errors
/// [`WriteError::DoesNotFit`], before a byte is written if the source tells its size.
pub fn write_to(
    place: &impl Place,
    source: BorrowedFd<'_>,
    offset: u64,
    mode: u32,
    fit: Fit,
) -> Result<(), WriteError> {
    let (mut kept, mut fit): (Option<OwnedFd>, Fit) = (None, fit);
    loop {
        let source = kept.as_ref().map_or(source, AsFd::as_fd);
        match place.open(Access::Write) {
            Err(Error::Kernel(Errno(libc::ENOENT))) => {}
            segment => return write(&*segment?, source, offset, fit),
        }
        match place.create_from(source, offset, mode)? {
            Made::Complete => return Ok(()),
            Made::TooLate(read) => {
                kept = read.or(kept);
                fit = if fit == Fit::Keep { Fit::Grow } else { fit };
            }
        }
    }
}

/// How much there is to read from a descriptor, where it tells: from a file.
pub fn remaining(source: BorrowedFd<'_>) -> Option<u64> {
    let status = fstat(source).ok()?;
    if !is_regular(&status) {
        return None;
    }
    let position = lseek(source, 0, Whence::SeekCur).ok()?;
    // Files of /proc have no size, and much to read.
    u64::try_from(status.st_size - position).ok().filter(|_| status.st_size > 0)
}

fn write(
    segment: &dyn Segment,
    source: BorrowedFd<'_>,
    offset: u64,
    fit: Fit,
) -> Result<(), WriteError> {
    let size = segment.size()?;
    let known = remaining(source);
    if fit == Fit::Keep {
        let room = size.checked_sub(offset).ok_or(WriteError::BeyondTheEnd { offset, size })?;
        if known.is_some_and(|known| known > room) {
            return Err(WriteError::DoesNotFit { room, written: 0 });
        }
        return write_within(segment, source, offset, room);
    }
    let end = offset.checked_add(known.unwrap_or(0)).ok_or(Errno(libc::EFBIG))?;
    if end > size {
        segment.reserve(size..end)?;
    }
    let written = segment.fill(source, offset, None)?;
    if fit == Fit::Exactly && offset + written < segment.size()? {
        segment.resize(offset + written)?;
    }
    Ok(())
}

fn write_within(
    segment: &dyn Segment,
    source: BorrowedFd<'_>,
    offset: u64,
    room: u64,
) -> Result<(), WriteError> {
    let written = segment.fill(source, offset, Some(room))?;
    if written == room && has_more(source).map_err(WriteError::Source)? {
        return Err(WriteError::DoesNotFit { room, written });
    }
    Ok(())
}

fn has_more(source: BorrowedFd<'_>) -> Result<bool, Errno> {
    Ok(stream::read(source, &mut [0])? > 0)
}
