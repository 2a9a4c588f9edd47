//! Numbers in shared memory that several processes read, change and wait for.

mod number;
mod wait;

use crate::mechanism::memory::segment;
use crate::mechanism::memory::segment::{Segment, Window};

pub use self::number::{Endian, Format, Json, Number, NumberError, Type};
pub use self::wait::{Condition, wait};

/// The place and the format of a number in a segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cell {
    /// The offset of its first byte.
    pub offset: u64,
    /// Its type and the order of its bytes.
    pub format: Format,
}

/// Why a number cannot be changed or waited for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The segment cannot be used.
    #[error(transparent)]
    Segment(#[from] segment::Error),
    /// The number is not aligned, so that it cannot be changed atomically.
    #[error("{kind} at {offset} is not aligned: its offset has to be a multiple of {width}")]
    NotAligned {
        /// The type of the number.
        kind: Type,
        /// Its offset.
        offset: u64,
        /// Its size in bytes.
        width: u64,
    },
}

impl From<crate::base::errno::Errno> for Error {
    fn from(errno: crate::base::errno::Errno) -> Self {
        Self::Segment(errno.into())
    }
}

impl Cell {
    /// Maps the memory of the number.
    ///
    /// # Errors
    /// [`Error::NotAligned`]; [`segment::Error::BeyondTheEnd`].
    fn window(self, segment: &dyn Segment) -> Result<Window<'_>, Error> {
        let (kind, offset) = (self.format.kind, self.offset);
        let width = kind.width().bytes();
        if !offset.is_multiple_of(width) {
            return Err(Error::NotAligned { kind, offset, width });
        }
        Ok(segment.window(segment.range(offset, Some(width))?)?)
    }

    /// Changes the number atomically, and wakes its waiters. Returns the new number, or the refusal of
    /// `change`.
    ///
    /// # Errors
    /// As [`Cell::window`]; [`segment::Error::Shrank`]; [`segment::Error::Removed`], after the change.
    pub fn update<E>(
        self,
        segment: &dyn Segment,
        mut change: impl FnMut(Number) -> Result<Number, E>,
    ) -> Result<Result<Number, E>, Error> {
        let Self { offset, format } = self;
        let width = format.kind.width();
        let window = self.window(segment)?;
        let changed = window.update(offset, width, |bits| {
            change(format.decode(bits)).map(|number| format.encode(number))
        });
        window.verify()?;
        if changed.is_ok() {
            window.wake(offset, width);
        }
        // Before the segment is detached: the last detach destroys one that was removed earlier.
        segment.check_not_removed()?;
        Ok(changed.map(|bits| format.decode(bits)))
    }

    /// Sets this number and those behind it, one after the other, each atomically if it is aligned.
    /// Wakes their waiters.
    ///
    /// # Errors
    /// [`segment::Error::BeyondTheEnd`], before the first is set; [`segment::Error::Shrank`];
    /// [`segment::Error::Removed`], after all are set.
    pub fn store(self, segment: &dyn Segment, numbers: &[Number]) -> Result<(), segment::Error> {
        let Self { offset, format } = self;
        let width = format.kind.width();
        let length = (numbers.len() as u64).saturating_mul(width.bytes());
        let range = segment.range(offset, Some(length))?;
        let window = segment.window(range.clone())?;
        if numbers.len() > 1 {
            // So that either all pages are there or none is written.
            window.prepare()?;
        }
        for (&number, at) in numbers.iter().zip(range.step_by(width.bytes() as usize)) {
            let bits = format.encode(number);
            if offset.is_multiple_of(width.bytes()) {
                window.store(at, width, bits);
            } else {
                window.store_bytewise(at, width, bits);
            }
            window.verify()?;
            window.wake(at, width);
        }
        // Before the segment is detached, as in `update`.
        segment.check_not_removed()
    }
}
