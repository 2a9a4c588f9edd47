//! Memory of ours that bytes pass through: write(2).

use std::ops::Range;
use std::os::fd::AsFd;

use nix::errno::Errno::ENOMEM;
use nix::unistd::write;

use crate::base::errno::Errno;
use crate::io::transfer::source::Source;
use crate::io::transfer::splice_pipe::SplicePipe;
use crate::sys::heap;

/// What is read at a time.
const BLOCK: usize = 512 << 10;

/// A block of memory, which is there as soon as something is read, and what was read and not yet
/// written.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    pending: Range<usize>,
}

impl Buffer {
    /// How much is in it.
    pub fn held(&self) -> usize {
        self.pending.len()
    }

    /// Reads up to `count` bytes from the source, in one call; 0 is the end. There is nothing in it
    /// yet.
    pub fn fill(&mut self, source: &Source<'_>, count: u64) -> nix::Result<usize> {
        debug_assert!(self.pending.is_empty(), "what was read would be lost");
        if self.bytes.is_empty() {
            self.bytes = heap::zeros(BLOCK).map_err(|_| ENOMEM)?;
        }
        let room = &mut self.bytes[..count.min(BLOCK as u64) as usize];
        self.pending = 0..source.read(room)?;
        Ok(self.held())
    }

    /// Gives what is in it to the destination, or as much as that takes in one call.
    pub fn drain(&mut self, destination: impl AsFd) -> nix::Result<usize> {
        let count = write(destination, &self.bytes[self.pending.clone()])?;
        self.pending.start += count;
        Ok(count)
    }

    /// What is in a conduit, which is given up for it.
    pub fn in_place_of(conduit: &mut SplicePipe) -> Result<Self, Errno> {
        let held = conduit.held();
        let mut bytes = heap::zeros(BLOCK.max(held))?;
        conduit.take_back(&mut bytes)?;
        Ok(Self { bytes, pending: 0..held })
    }
}
