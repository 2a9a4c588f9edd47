//! Numbers of a segment that are only looked at: lseek(2).
//!
//! A mapping gets a page of memory for each hole that is touched, and where there is no room for it
//! that is an error. So only bytes that are stored are mapped, and a hole reads as zeros. Numbers are
//! not read by pread(2), which may find half of an old one and half of a new one.

use std::ops::Range;

use crate::base::errno::Errno;
use crate::mechanism::memory::segment::{Segment, Window};
use crate::sys::memory::Width;

/// These bytes of a segment.
pub struct View<'a> {
    segment: &'a dyn Segment,
    bytes: Range<u64>,
    /// Where the last number was found.
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

    /// The bits of a number, which is read at once if it is aligned.
    ///
    /// # Errors
    /// EFAULT if the segment ends before the bytes of the view do.
    pub fn load(&mut self, at: u64, width: Width) -> Result<u64, Errno> {
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
    fn load_aligned(&mut self, at: u64, width: Width) -> Result<u64, Errno> {
        if !self.part.range().contains(&at) {
            self.part = self.find(at)?;
        }
        match &self.part {
            Part::Hole(_) => Ok(0),
            Part::Stored(_, window) => {
                let bits = window.load(at, width);
                window.verify().map(|()| bits)
            }
        }
    }

    /// The part that a byte lies in.
    fn find(&self, at: u64) -> Result<Part<'a>, Errno> {
        let stored = self.segment.stored(at..self.bytes.end)?;
        // What is beyond the end looks like a hole.
        if self.segment.size()? < self.bytes.end {
            return Err(Errno(libc::EFAULT));
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
