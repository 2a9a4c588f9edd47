//! Copies from a pipe to pipes within the kernel: tee(2), splice(2).

use nix::unistd::read;

use super::{BLOCK, Block, Step, Strategy, Tee, Why, again};
use crate::base::errno::Errno;
use crate::sys::{heap, pipe};

impl Tee<'_> {
    /// The output that consumes bytes at the head of the input instead of copying them: the one
    /// that is not a pipe, or the last.
    fn consumer(&self) -> Option<usize> {
        let other = self.outputs.iter().position(|output| !output.is_pipe());
        other.or_else(|| self.outputs.len().checked_sub(1))
    }

    pub(super) fn duplicate(&mut self) -> Result<Step, Errno> {
        let least = self.outputs.iter().map(|output| output.ahead).min().unwrap_or(0);
        if least > 0 {
            return self.discard(least);
        }
        let consumer = self.consumer();
        let mut most = self.most();
        let mut step = Step::Blocked;
        for (index, output) in self.outputs.iter_mut().enumerate() {
            if output.ahead > 0 || Some(index) == consumer {
                continue;
            }
            let count = if most == 0 { BLOCK } else { most };
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
    fn take_off(&mut self, consumer: Option<usize>) -> Result<Step, Errno> {
        let Some(consumer) = consumer.filter(|&index| self.outputs[index].ahead == 0) else {
            return Ok(Step::Blocked);
        };
        let others = self.outputs.iter().enumerate().filter(|(index, _)| *index != consumer);
        let count = others.map(|(_, output)| output.ahead).min().unwrap_or(BLOCK);
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
    fn discard(&mut self, count: usize) -> Result<Step, Errno> {
        let mut bytes = heap::zeros(count.min(pipe::CAPACITY_AT_FIRST as usize))?;
        let count = again(|| Ok(read(self.input, &mut bytes)?))?;
        self.consume(count);
        Ok(Step::Moved)
    }

    /// Switches to read(2) and write(2), beginning at the head of the input.
    fn copy_from_now_on(&mut self) -> Result<Step, Errno> {
        let mut block = Block::new(None)?;
        // These bytes are in the pipe, because some outputs have copies of them.
        while block.length() < self.most() {
            block.append(self.input)?;
        }
        self.strategy = Strategy::Copy(block);
        Ok(Step::Moved)
    }
}

/// Whether the kernel does not support the call for these descriptors, as opposed to an I/O error.
/// Reads and writes then show which side fails.
fn is_refusal(errno: Errno) -> bool {
    matches!(errno.0, libc::EINVAL | libc::ENOSYS | libc::EBADF | libc::EOPNOTSUPP | libc::EPERM)
}
