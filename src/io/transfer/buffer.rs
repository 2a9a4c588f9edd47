//! A buffer between two descriptors: write(2).

use std::ops::Range;
use std::os::fd::AsFd;

use nix::errno::Errno::ENOMEM;
use nix::unistd::write;

use crate::base::errno::Errno;
use crate::io::transfer::source::Source;
use crate::io::transfer::splice_pipe::SplicePipe;
use crate::sys::heap;

/// The number of bytes to read at a time.
const BLOCK: usize = 512 << 10;

/// A block of memory, which the first read allocates, and the range of it that is not written yet.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    pending: Range<usize>,
}

impl Buffer {
    /// The number of bytes that are not written yet.
    pub fn held(&self) -> usize {
        self.pending.len()
    }

    /// Reads up to `count` bytes from the source in one call; 0 is the end. The buffer is empty
    /// before.
    pub fn fill(&mut self, source: &Source<'_>, count: u64) -> nix::Result<usize> {
        debug_assert!(self.pending.is_empty(), "bytes would be lost");
        if self.bytes.is_empty() {
            self.bytes = heap::zeros(BLOCK).map_err(|_| ENOMEM)?;
        }
        let room = &mut self.bytes[..count.min(BLOCK as u64) as usize];
        self.pending = 0..source.read(room)?;
        Ok(self.held())
    }

    /// Writes bytes to the destination in one call, as many as it takes.
    pub fn drain(&mut self, destination: impl AsFd) -> nix::Result<usize> {
        let count = write(destination, &self.bytes[self.pending.clone()])?;
        self.pending.start += count;
        Ok(count)
    }

    /// A buffer with the bytes of a splice pipe.
    pub fn in_place_of(pipe: &mut SplicePipe) -> Result<Self, Errno> {
        let held = pipe.held();
        let mut bytes = heap::zeros(BLOCK.max(held))?;
        pipe.take_back(&mut bytes)?;
        Ok(Self { bytes, pending: 0..held })
    }
}
