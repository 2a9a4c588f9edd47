//! Copies from a pipe to pipes within the kernel: tee(2), splice(2).

use nix::unistd::read;

use super::{BLOCK, Output, Step, Strategy, Tee, Why, again, has_one_consumer};
use crate::base::errno::Errno;
use crate::io::frame::{Position, ReadError};
use crate::sys::{heap, pipe};

/// The number of bytes of records for which tee(2) is faster than read(2) and write(2).
const MANY: usize = 32 << 10;

/// The number of the last of them, which are read: a page.
const LAST: usize = 4 << 10;

impl Tee<'_> {
    /// The output that consumes bytes at the head of the input instead of copying them: the one
    /// that is not a pipe, or the last.
    fn consumer(&self) -> Option<usize> {
        let other = self.outputs.iter().position(|output| !output.is_pipe());
        other.or_else(|| self.outputs.len().checked_sub(1))
    }

    /// The consumer, if it can take nothing yet, because another output has not copied it.
    pub(super) fn idle_consumer(&self) -> Option<usize> {
        let consumer = self.consumer().filter(|_| self.strategy == Strategy::Duplicate)?;
        let mut others = self.outputs.iter().enumerate().filter(|(index, _)| *index != consumer);
        others.any(|(_, output)| output.ahead == 0).then_some(consumer)
    }

    /// Has tee(2) copy many bytes that are there; returns whether it will. It leaves the last of them
    /// to read(2), so that the position within the records is known whenever the stream pauses.
    pub(super) fn duplicate_many(&mut self) -> bool {
        let Some(form) = self.form.filter(|_| self.can_duplicate) else { return false };
        let is_in_step = |output: &Output<'_>| output.follows() && output.delays_others();
        if !self.outputs.iter().all(is_in_step) || !has_one_consumer(&self.outputs) {
            return false;
        }
        let Some(position) = Position::unknown(form) else { return false };
        let available = pipe::length(self.input).unwrap_or(0);
        if available < MANY {
            return false;
        }
        self.consume_block();
        self.block.reset(Some(position));
        self.limit = Some(available - LAST);
        self.strategy = Strategy::Duplicate;
        true
    }

    pub(super) fn duplicate(&mut self) -> Result<Step, ReadError> {
        let least = self.outputs.iter().map(|output| output.ahead).min().unwrap_or(0);
        if least > 0 {
            return self.discard(least);
        }
        if self.limit == Some(0) {
            self.strategy = Strategy::Copy;
            return Ok(Step::Moved);
        }
        let consumer = self.consumer();
        let mut most = self.most();
        let block = self.limit.map_or(BLOCK, |limit| limit.min(BLOCK));
        let mut step = Step::Blocked;
        for (index, output) in self.outputs.iter_mut().enumerate() {
            if output.ahead > 0 || Some(index) == consumer {
                continue;
            }
            let count = if most == 0 { block } else { most };
            match again(|| pipe::duplicate(self.input, &*output, count)) {
                Ok(0) => return Ok(Step::End),
                Ok(count) => {
                    output.ahead = count;
                    most = most.max(count);
                    step = Step::Moved;
                }
                Err(Errno(libc::EAGAIN)) => {}
                Err(errno) if is_refusal(errno) => return self.copy_from_now_on(),
                Err(errno) => output.fail(Why::of(errno)),
            }
        }
        match self.take_off(consumer)? {
            Step::Blocked => Ok(step),
            step => Ok(step),
        }
    }

    /// Moves bytes that all other outputs have from the head of the input to the consumer.
    fn take_off(&mut self, consumer: Option<usize>) -> Result<Step, ReadError> {
        let Some(consumer) = consumer.filter(|&index| self.outputs[index].ahead == 0) else {
            return Ok(Step::Blocked);
        };
        let others = self.outputs.iter().enumerate().filter(|(index, _)| *index != consumer);
        let count = others.map(|(_, output)| output.ahead).min().unwrap_or(BLOCK);
        let count = count.min(self.limit.unwrap_or(BLOCK));
        if count == 0 {
            return Ok(Step::Blocked);
        }
        match again(|| pipe::move_to(self.input, &self.outputs[consumer], count)) {
            Ok(0) => Ok(Step::End),
            Ok(count) => {
                self.outputs[consumer].ahead += count;
                self.consume(count);
                Ok(Step::Moved)
            }
            Err(Errno(libc::EAGAIN)) => Ok(Step::Blocked),
            Err(errno) if is_refusal(errno) => self.copy_from_now_on(),
            Err(errno) => {
                self.outputs[consumer].fail(Why::of(errno));
                Ok(Step::Moved)
            }
        }
    }

    /// Discards bytes at the head of the input that every output has copied.
    fn discard(&mut self, count: usize) -> Result<Step, ReadError> {
        let mut bytes = heap::zeros(count.min(pipe::CAPACITY_AT_FIRST as usize))?;
        let count = again(|| Ok(read(self.input, &mut bytes)?))?;
        self.consume(count);
        Ok(Step::Moved)
    }

    /// Switches to read(2) and write(2), beginning at the head of the input.
    fn copy_from_now_on(&mut self) -> Result<Step, ReadError> {
        self.can_duplicate = false;
        self.strategy = Strategy::Copy;
        // These bytes are in the pipe, because some outputs have copies of them.
        let count = self.most();
        self.block.append_until(count, self.input)?;
        Ok(Step::Moved)
    }
}

/// Whether the kernel does not support the call for these descriptors, as opposed to an I/O error.
/// Reads and writes then show which side fails.
fn is_refusal(errno: Errno) -> bool {
    matches!(errno.0, libc::EINVAL | libc::ENOSYS | libc::EBADF | libc::EOPNOTSUPP | libc::EPERM)
}
