//! Copies of blocks that were read: read(2), write(2).

use std::os::fd::AsFd;

use nix::errno::Errno::{EAGAIN, EINTR};
use nix::sys::stat::SFlag;
use nix::unistd::read;

use super::{BLOCK, Step, Tee, Watcher, again};
use crate::base::errno::Errno;
use crate::io::frame::{Form, Position, ReadError};
use crate::sys::heap;

/// The bytes of one read.
#[derive(Debug)]
pub struct Block {
    bytes: Vec<u8>,
    length: usize,
    /// Memory for the next read while outputs still lack bytes of this block.
    spare: Vec<u8>,
    /// The position before and after the bytes, if the stream has records.
    records: Option<(Position, Position)>,
}

impl Block {
    /// A block without bytes, of a stream of records in this form; `None` is a stream of bytes.
    pub fn new(form: Option<Form>) -> Self {
        let start = form.map(Position::start);
        let records = start.map(|start| (start.clone(), start));
        Self { bytes: Vec::new(), length: 0, spare: Vec::new(), records }
    }

    /// The number of bytes.
    pub fn length(&self) -> usize {
        self.length
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Removes all bytes, and sets the position before the next ones.
    pub fn reset(&mut self, position: Option<Position>) {
        self.length = 0;
        self.records = position.map(|position| (position.clone(), position));
    }

    /// Reads bytes that are available until the block has this length.
    ///
    /// # Errors
    /// Those of read(2).
    pub fn append_until(&mut self, length: usize, input: impl AsFd) -> Result<(), ReadError> {
        let start = self.length;
        allocate(&mut self.bytes)?;
        while self.length < length {
            self.length += again(|| Ok(read(&input, &mut self.bytes[self.length..length])?))?;
        }
        match &mut self.records {
            Some((_, after)) => after.skip(&self.bytes[start..self.length]),
            None => Ok(()),
        }
    }

    /// Reads the bytes of the next block.
    fn read(&mut self, input: impl AsFd, place: Place) -> Result<usize, Errno> {
        let bytes = match place {
            Place::Over => &mut self.bytes,
            Place::Ahead => &mut self.spare,
        };
        allocate(bytes)?;
        Ok(read(input, bytes)?)
    }

    /// Replaces the block by the next one, which was read over it or ahead.
    fn advance(&mut self, count: usize, was_read: Place) -> Result<(), ReadError> {
        if was_read == Place::Ahead {
            std::mem::swap(&mut self.bytes, &mut self.spare);
        }
        self.length = count;
        if let Some((before, after)) = &mut self.records {
            *before = after.clone();
            after.skip(&self.bytes[..count])?;
        }
        Ok(())
    }

    /// The indices at which records begin in it.
    fn starts(&self) -> Result<Vec<usize>, ReadError> {
        let mut starts = Vec::new();
        if let Some((before, _)) = &self.records {
            before.clone().advance(self.bytes(), |index| starts.push(index))?;
        }
        Ok(starts)
    }
}

/// Allocates the memory of a block before its first use.
fn allocate(bytes: &mut Vec<u8>) -> Result<(), Errno> {
    if bytes.is_empty() {
        *bytes = heap::zeros(BLOCK)?;
    }
    Ok(())
}

/// The memory of a read: that of this block, or that of the next one, so that this one is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    Over,
    Ahead,
}

impl<'a> Tee<'a> {
    pub(super) fn copy(&mut self, watcher: &mut impl Watcher<'a>) -> Result<Step, ReadError> {
        let block = &self.block;
        let mut step = Step::Blocked;
        for output in self.outputs.iter_mut().filter(|output| output.lacks(block.length)) {
            if output.copy(block.bytes()) {
                step = Step::Moved;
            }
        }
        let lacks = |output: &super::Output<'_>| output.lacks(block.length);
        let is_complete = !self.outputs.iter().any(lacks);
        let is_delayed = self.outputs.iter().any(|output| output.delays_others() && lacks(output));
        match step {
            Step::Blocked if self.has_ended && is_complete => Ok(Step::End),
            Step::Blocked if !self.has_ended && is_complete => self.fill(Place::Over, watcher),
            Step::Blocked if !self.has_ended && !is_delayed => self.fill(Place::Ahead, watcher),
            step => Ok(step),
        }
    }

    /// Reads the next block if that does not block. Outputs that still lack bytes miss them.
    fn fill(&mut self, place: Place, watcher: &mut impl Watcher<'a>) -> Result<Step, ReadError> {
        if !self.is_readable && self.kind != SFlag::S_IFREG {
            return Ok(Step::Blocked);
        }
        if place == Place::Over && self.duplicate_many() {
            return Ok(Step::Moved);
        }
        self.is_readable = false;
        let count = match self.block.read(self.input, place) {
            Ok(0) => return Ok(self.end()),
            Ok(count) => count,
            Err(Errno(libc::EAGAIN | libc::EINTR)) => return Ok(Step::Blocked),
            Err(errno) => return Err(errno.into()),
        };
        self.pass_over()?;
        self.consume_block();
        self.begin_block(count, place, watcher)?;
        Ok(Step::Moved)
    }

    /// Lets the outputs that lack bytes miss the rest of the block.
    fn pass_over(&mut self) -> Result<(), ReadError> {
        let block = &self.block;
        if self.outputs.iter().any(|output| output.lacks(block.length)) {
            let starts = block.starts()?;
            self.outputs.iter_mut().for_each(|output| output.miss(block.bytes(), &starts));
        }
        Ok(())
    }

    pub(super) fn consume_block(&mut self) {
        self.consume(self.block.length);
        self.block.length = 0;
    }

    fn begin_block(
        &mut self,
        count: usize,
        place: Place,
        watcher: &mut impl Watcher<'a>,
    ) -> Result<(), ReadError> {
        watcher.arrivals().into_iter().for_each(|output| self.add(output));
        let block = &mut self.block;
        block.advance(count, place)?;
        if self.outputs.iter().any(|output| !output.follows()) {
            let starts = block.starts()?;
            self.outputs.iter_mut().for_each(|output| output.begin(block.bytes(), &starts));
        }
        Ok(())
    }

    /// Ends the wait for outputs that lack bytes of the end of the stream.
    pub(super) fn give_up(&mut self) -> Result<Step, ReadError> {
        self.pass_over()?;
        self.outputs.iter_mut().for_each(super::Output::forget);
        Ok(Step::End)
    }
}

/// Whether a write can be made again, as it has written nothing.
pub(super) fn is_temporary(errno: nix::errno::Errno) -> bool {
    matches!(errno, EAGAIN | EINTR)
}
