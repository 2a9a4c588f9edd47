//! Writing to a segment that is there, or that is made for it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::base::errno::Errno;
use crate::base::exit::Failure;
use crate::io::transfer;
use crate::io::transfer::Side;
use crate::mechanism::memory::segment::{Access, Error, Made, Place, Segment};
use crate::sys::offset::remaining;
use crate::sys::origin::Found;
use crate::sys::stream;

/// Why bytes did not get into a segment.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WriteError {
    /// The segment cannot be used.
    #[error(transparent)]
    Segment(#[from] Error),
    /// The segment that is there is none to write to.
    #[error(transparent)]
    Refused(#[from] Failure),
    /// The source cannot be read.
    #[error(transparent)]
    Source(Errno),
    /// The source is what is written to, and would never end.
    #[error("the input is the segment itself")]
    Itself,
    /// There is more of it than fits; so much of it was written.
    #[error("the input does not fit into {room} bytes; {written} were written")]
    DoesNotFit {
        /// What there is room for.
        room: u64,
        /// What was written.
        written: u64,
        /// Whether the segment can be had larger.
        can_grow: bool,
    },
    /// It failed when the segment had grown to this size.
    #[error("{errno}; it has {size} bytes now")]
    Partly {
        /// Why.
        errno: Errno,
        /// In bytes.
        size: u64,
    },
    /// The source had less than it said, for a segment that was made for all of it.
    #[error("the input became shorter while it was read")]
    CutShort,
    /// Somebody removed the segment meanwhile.
    #[error("the segment was removed")]
    Removed,
    /// The offset is beyond the end.
    #[error("offset {offset} is beyond the end, {size}")]
    BeyondTheEnd {
        /// Where it was to be written.
        offset: u64,
        /// How large the segment is.
        size: u64,
        /// Whether it can be had larger.
        can_grow: bool,
    },
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
            // It was there when it was opened.
            Side::Destination if error.errno == Errno(libc::ENOENT) => Self::Removed,
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
/// were not told that it has a size, so it grows for them. Returns the segment.
///
/// # Errors
/// [`WriteError::Refused`] if `accept` refuses what is there; [`WriteError::DoesNotFit`], before a
/// byte is written if the source tells its size; [`Error::FixedSize`], before anything else, where the
/// segment is to have another size and cannot.
pub fn write_to<A>(
    place: &impl Place,
    source: BorrowedFd<'_>,
    offset: u64,
    mode: u32,
    fit: Fit,
    accept: impl Fn(&Found) -> Result<A, Failure>,
) -> Result<Box<dyn Segment>, WriteError> {
    if fit != Fit::Keep && !place.can_grow() {
        return Err(Error::FixedSize.into());
    }
    let (mut kept, mut fit): (Option<OwnedFd>, Fit) = (None, fit);
    loop {
        let source = kept.as_ref().map_or(source, AsFd::as_fd);
        match place.open_found(Access::Write) {
            Err(Error::Kernel(Errno(libc::ENOENT))) => {}
            opened => {
                let (segment, found) = opened?;
                accept(&found)?;
                write(&*segment, source, offset, fit)?;
                return Ok(segment);
            }
        }
        match place.create_from(source, offset, mode)? {
            Made::Complete(segment) => return Ok(segment),
            Made::TooLate(read) => {
                kept = read.or(kept);
                fit = if fit == Fit::Keep { Fit::Grow } else { fit };
            }
        }
    }
}

fn write(
    segment: &dyn Segment,
    source: BorrowedFd<'_>,
    offset: u64,
    fit: Fit,
) -> Result<(), WriteError> {
    if segment.is(source) {
        return Err(WriteError::Itself);
    }
    match (fit, segment.can_grow()) {
        (Fit::Grow | Fit::Exactly, true) => write_freely(segment, source, offset, fit),
        (Fit::Keep, _) | (_, false) => write_within(segment, source, offset),
    }?;
    // Nobody would find what was written.
    if segment.was_removed() { Err(WriteError::Removed) } else { Ok(()) }
}

/// Writes what fits into the segment as it is.
fn write_within(
    segment: &dyn Segment,
    source: BorrowedFd<'_>,
    offset: u64,
) -> Result<(), WriteError> {
    let (size, can_grow) = (segment.size()?, segment.can_grow());
    let room = size.checked_sub(offset);
    let room = room.ok_or(WriteError::BeyondTheEnd { offset, size, can_grow })?;
    if remaining(source).is_some_and(|known| known > room) {
        return Err(WriteError::DoesNotFit { room, written: 0, can_grow });
    }
    let written = segment.fill(source, offset, Some(room))?;
    if written == room && has_more(source).map_err(WriteError::Source)? {
        return Err(WriteError::DoesNotFit { room, written, can_grow });
    }
    Ok(())
}

/// Writes all of it, and lets the segment grow for it.
fn write_freely(
    segment: &dyn Segment,
    source: BorrowedFd<'_>,
    offset: u64,
    fit: Fit,
) -> Result<(), WriteError> {
    let size = segment.size()?;
    let end = offset.checked_add(remaining(source).unwrap_or(0)).ok_or(Errno(libc::EFBIG))?;
    if end > size {
        segment.reserve(size..end)?;
    }
    let filled = segment.fill(source, offset, None);
    match filled {
        Ok(written) if fit == Fit::Exactly => segment.resize(offset + written)?,
        Ok(written) if written > 0 && offset + written >= end => {}
        // The source had less than it said, or was not read to its end.
        _ if end > size => segment.release(),
        _ => {}
    }
    let Err(transfer::Error { side: Side::Destination, errno }) = filled else {
        return Ok(filled.map(drop)?);
    };
    match segment.size() {
        Ok(grown) if grown > size => Err(WriteError::Partly { errno, size: grown }),
        _ => Ok(filled.map(drop)?),
    }
}

fn has_more(source: BorrowedFd<'_>) -> Result<bool, Errno> {
    Ok(stream::read(source, &mut [0])? > 0)
}
