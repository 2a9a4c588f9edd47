//! A view of numbers that are only read: lseek(2).
//!
//! The kernel allocates a page for each hole that is read through a mapping, and without room for it
//! raises SIGBUS. So only bytes that are stored are mapped, and holes read as zeros here. pread(2)
//! would not do: it may return half of an old number and half of a new one.

use std::ops::Range;

use crate::mechanism::memory::segment::{Error, Segment, Window};
use crate::sys::memory::Width;

/// A range of bytes of a segment, to be read.
pub struct View<'a> {
    segment: &'a dyn Segment,
    bytes: Range<u64>,
    /// The part that contained the last number.
    part: Part<'a>,
}

enum Part<'a> {
    Hole(Range<u64>),
    Stored(Range<u64>, Window<'a>),
}

impl<'a> View<'a> {
    /// A view of bytes that are within the segment.
    pub fn new(segment: &'a dyn Segment, bytes: Range<u64>) -> Self {
        let part = Part::Hole(bytes.start..bytes.start);
        Self { segment, bytes, part }
    }

    /// The bits of a number. An aligned number is read atomically.
    ///
    /// # Errors
    /// [`Error::Shrank`] if the segment now ends before the view does.
    pub fn load(&mut self, at: u64, width: Width) -> Result<u64, Error> {
        if at.is_multiple_of(width.bytes()) {
            return self.load_aligned(at, width);
        }
        let mut bits = [0; 8];
        for (byte, at) in bits[width.low_bytes()].iter_mut().zip(at..) {
            *byte = self.load_aligned(at, Width::One)? as u8;
        }
        Ok(u64::from_ne_bytes(bits))
    }

    /// An aligned number lies in one page, and so in one part.
    fn load_aligned(&mut self, at: u64, width: Width) -> Result<u64, Error> {
        if !self.part.range().contains(&at) {
            self.part = self.find(at)?;
        }
        match &self.part {
            Part::Hole(_) => Ok(0),
            Part::Stored(_, window) => {
                let bits = window.load(at, width);
                window.verify()?;
                Ok(bits)
            }
        }
    }

    /// The part that contains a byte.
    fn find(&self, at: u64) -> Result<Part<'a>, Error> {
        let stored = self.segment.stored(at..self.bytes.end)?;
        // lseek(2) reports bytes beyond the end as a hole.
        if self.segment.size()? < self.bytes.end {
            return Err(Error::Shrank);
        }
        if stored.contains(&at) {
            return Ok(Part::Stored(stored.clone(), self.segment.window(stored)?));
        }
        Ok(Part::Hole(at..stored.start))
    }
}

impl Part<'_> {
    fn range(&self) -> &Range<u64> {
        match self {
            Self::Hole(range) | Self::Stored(range, _) => range,
        }
    }
}
