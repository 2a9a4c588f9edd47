//! Writing to a segment, which is created if it does not exist.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::base::errno::Errno;
use crate::base::exit::Failure;
use crate::io::transfer;
use crate::io::transfer::Side;
use crate::mechanism::memory::segment::{Access, Created, Engine, Error, Input, Segment};
use crate::sys::offset::remaining;
use crate::sys::origin::Found;
use crate::sys::stream;

/// Why bytes were not written to a segment.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WriteError {
    /// The segment cannot be used.
    #[error(transparent)]
    Segment(#[from] Error),
    /// The caller refuses to write to the segment that exists.
    #[error(transparent)]
    Refused(#[from] Failure),
    /// The source cannot be read.
    #[error(transparent)]
    Source(Errno),
    /// The source is the segment, and would never end.
    #[error("the input is the segment itself")]
    Itself,
    /// The source is longer than the segment.
    #[error("the input does not fit into {room} bytes; {written} were written")]
    DoesNotFit {
        /// The number of bytes from the offset to the end of the segment.
        room: u64,
        /// The number of bytes written.
        written: u64,
        /// Whether the segment can grow.
        can_grow: bool,
    },
    /// An error after the segment had grown.
    #[error("{error}; it has {size} bytes now")]
    Partly {
        /// The error.
        error: Error,
        /// The size of the segment now.
        size: u64,
    },
    /// The source ended before the size that was reported for it.
    #[error("the input became shorter while it was read")]
    CutShort,
    /// The offset is beyond the end.
    #[error("offset {offset} is beyond the end, {size}")]
    BeyondTheEnd {
        /// The offset.
        offset: u64,
        /// The size of the segment.
        size: u64,
        /// Whether the segment can grow.
        can_grow: bool,
    },
}

impl From<Errno> for WriteError {
    fn from(errno: Errno) -> Self {
        Self::Segment(errno.into())
    }
}

impl From<transfer::Error> for WriteError {
    fn from(error: transfer::Error) -> Self {
        match error.side {
            Side::Source => Self::Source(error.errno),
            // The segment existed when it was opened.
            Side::Destination if error.errno == Errno(libc::ENOENT) => Error::Removed.into(),
            Side::Destination => error.errno.into(),
        }
    }
}

/// The size of an existing segment after a write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fit {
    /// It stays, and a longer input is refused.
    Keep,
    /// It grows if necessary.
    Grow,
    /// It becomes the end of the input.
    Exactly,
}

/// Writes all of the input to the segment of this name, which is created if it does not exist. If several processes create it at the same time, one succeeds. The others write to it, and
/// it grows for them, as they did not know its size. Returns the segment.
///
/// # Errors
/// [`WriteError::Refused`] if `accept` refuses an existing segment; [`WriteError::DoesNotFit`], before
/// a byte is written if the size of the source is known; [`Error::FixedSize`], before anything else.
pub fn write_to<A>(
    name: &dyn Engine,
    input: Input<'_>,
    fit: Fit,
    accept: impl Fn(&Found) -> Result<A, Failure>,
) -> Result<Box<dyn Segment>, WriteError> {
    if fit != Fit::Keep && !name.can_grow() {
        return Err(Error::FixedSize.into());
    }
    let (mut kept, mut fit): (Option<OwnedFd>, Fit) = (None, fit);
    loop {
        let source = kept.as_ref().map_or(input.source, AsFd::as_fd);
        match name.open_found(Access::Write) {
            Err(Error::NotFound) => {}
            opened => {
                let (segment, found) = opened?;
                accept(&found)?;
                write(&*segment, Input { source, ..input }, fit)?;
                return Ok(segment);
            }
        }
        match name.create_from(Input { source, ..input })? {
            Created::Complete(segment) => return Ok(segment),
            Created::TooLate(read) => {
                kept = read.or(kept);
                fit = if fit == Fit::Keep { Fit::Grow } else { fit };
            }
        }
    }
}

fn write(segment: &dyn Segment, input: Input<'_>, fit: Fit) -> Result<(), WriteError> {
    if segment.is(input.source) {
        return Err(WriteError::Itself);
    }
    match (fit, segment.can_grow()) {
        (Fit::Grow | Fit::Exactly, true) => write_growing(segment, input, fit),
        (Fit::Keep, _) | (_, false) => write_within(segment, input),
    }?;
    Ok(segment.check_not_removed()?)
}

/// Writes to a segment whose size stays.
fn write_within(segment: &dyn Segment, input: Input<'_>) -> Result<(), WriteError> {
    let Input { source, offset, counter, .. } = input;
    let (size, can_grow) = (segment.size()?, segment.can_grow());
    let room = size.checked_sub(offset);
    let room = room.ok_or(WriteError::BeyondTheEnd { offset, size, can_grow })?;
    if remaining(source).is_some_and(|known| known > room) {
        return Err(WriteError::DoesNotFit { room, written: 0, can_grow });
    }
    let written = segment.fill(source, offset, Some(room), counter)?;
    if written == room && has_more(source).map_err(WriteError::Source)? {
        return Err(WriteError::DoesNotFit { room, written, can_grow });
    }
    Ok(())
}

/// Writes to a segment that grows.
fn write_growing(segment: &dyn Segment, input: Input<'_>, fit: Fit) -> Result<(), WriteError> {
    let Input { source, offset, counter, .. } = input;
    let size = segment.size()?;
    let end = offset.checked_add(remaining(source).unwrap_or(0)).ok_or(Error::TooLarge)?;
    if end > size {
        segment.reserve(size..end)?;
    }
    let filled = segment.fill(source, offset, None, counter);
    match filled {
        Ok(written) if fit == Fit::Exactly => segment.resize(offset + written)?,
        Ok(written) if written > 0 && offset + written >= end => {}
        // The source ended before its reported size, or was not read to its end.
        _ if end > size => segment.release(),
        _ => {}
    }
    let Err(transfer::Error { side: Side::Destination, errno }) = filled else {
        return Ok(filled.map(drop)?);
    };
    match segment.size() {
        Ok(grown) if grown > size => Err(WriteError::Partly { error: errno.into(), size: grown }),
        _ => Ok(filled.map(drop)?),
    }
}

fn has_more(source: BorrowedFd<'_>) -> Result<bool, Errno> {
    Ok(stream::read(source, &mut [0])? > 0)
}
