//! Copies one stream to several outputs: by tee(2) and splice(2) from a pipe to pipes, by read(2)
//! and write(2) otherwise.
//!
//! tee(2) copies from the head of a pipe and leaves the bytes there. An output that took fewer
//! bytes than another gets the rest after the bytes that all outputs have are consumed. So the
//! slowest output limits the others: they are at most one block ahead of it.

mod output;

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno::{EAGAIN, EINTR};
use nix::poll::{PollFd, PollFlags};
use nix::sys::stat::SFlag;
use nix::unistd::read;

pub use self::output::Output;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::mechanism::pipe::{CapacityRefused, set_capacity};
use crate::sys::{heap, inode, pipe, poll};

/// The maximum number of bytes to move at a time: half of a large pipe, so that its peer works
/// meanwhile.
const BLOCK: usize = pipe::CAPACITY / 2;

/// A stream and its outputs.
#[derive(Debug)]
pub struct Tee<'a> {
    input: BorrowedFd<'a>,
    kind: SFlag,
    /// Whether poll(2) has reported bytes since the last read.
    is_readable: bool,
    outputs: Vec<Output<'a>>,
    strategy: Strategy,
    moved: u64,
    /// Whether the pipes have their final capacity.
    is_enlarged: bool,
}

/// The strategy for copying. Each output counts the bytes that it has taken and another has not.
#[derive(Debug)]
enum Strategy {
    /// tee(2) from the head of the input, which is a pipe.
    Duplicate,
    /// Writes from a block that was read.
    Copy(Block),
}

/// The bytes of one read.
#[derive(Debug)]
struct Block {
    bytes: Vec<u8>,
    length: usize,
}

/// An output that failed.
#[derive(Debug)]
pub struct Lost {
    /// Its name.
    pub name: OsString,
    /// The reason; EPIPE if its reader has closed.
    pub errno: Errno,
}

/// The reason why a stream has ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// The input is at its end.
    Input,
    /// No output is left.
    Outputs,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    Moved,
    /// No byte was moved: the input is empty, or the outputs are full.
    Blocked,
    End,
}

impl<'a> Tee<'a> {
    /// A stream from this input to these outputs.
    pub fn new(input: BorrowedFd<'a>, outputs: Vec<Output<'a>>) -> Result<Self, Errno> {
        let kind = inode::kind_of(input);
        // An output that is not a pipe consumes the head of the input, so there can be only one.
        let can_duplicate = kind == SFlag::S_IFIFO
            && outputs.iter().filter(|output| !output.is_pipe()).count() <= 1;
        let strategy =
            if can_duplicate { Strategy::Duplicate } else { Strategy::Copy(Block::new()?) };
        let (is_readable, is_enlarged) = (false, false);
        Ok(Self { input, kind, is_readable, outputs, strategy, moved: 0, is_enlarged })
    }

    /// Sets the capacity of each pipe. A pipe with more bytes in it keeps its capacity.
    ///
    /// # Errors
    /// EPERM, EBUSY and others if the kernel refuses it.
    pub fn set_capacity(&mut self, bytes: u64) -> Result<(), CapacityRefused> {
        self.is_enlarged = true;
        let input = Some(self.input).filter(|_| self.kind == SFlag::S_IFIFO);
        let outputs = self.outputs.iter().filter(|output| output.is_pipe()).map(AsFd::as_fd);
        for pipe in input.into_iter().chain(outputs) {
            match set_capacity(pipe, bytes) {
                Ok(()) | Err(CapacityRefused { errno: Errno(libc::EBUSY), .. }) => {}
                Err(refused) => return Err(refused),
            }
        }
        Ok(())
    }

    /// Moves all of the input; reports each output that fails.
    ///
    /// # Errors
    /// Those of the input.
    pub fn run(mut self, mut report: impl FnMut(Lost)) -> Result<Ended, Errno> {
        loop {
            let step = match self.step()? {
                Step::Blocked => self.wait()?,
                step => step,
            };
            for output in self.outputs.extract_if(.., |output| output.failure().is_some()) {
                report(output.into_lost());
            }
            match step {
                _ if self.outputs.is_empty() => return Ok(Ended::Outputs),
                Step::End => return Ok(Ended::Input),
                Step::Moved | Step::Blocked => self.enlarge(),
            }
        }
    }

    fn step(&mut self) -> Result<Step, Errno> {
        match self.strategy {
            Strategy::Duplicate => self.duplicate(),
            Strategy::Copy(_) => self.copy(),
        }
    }

    /// Enlarges the pipes after the first bytes, so that a short stream saves the calls.
    fn enlarge(&mut self) {
        if !self.is_enlarged && self.moved >= pipe::CAPACITY_AT_FIRST {
            self.is_enlarged = true;
            pipe::enlarge(self.input);
            self.outputs.iter().for_each(pipe::enlarge);
        }
    }

    /// Records bytes that every output has.
    fn consume(&mut self, count: usize) {
        self.outputs.iter_mut().for_each(|output| output.ahead -= count);
        self.moved += count as u64;
    }

    /// The output that consumes bytes at the head of the input instead of copying them: the one
    /// that is not a pipe, or the last.
    fn consumer(&self) -> Option<usize> {
        let other = self.outputs.iter().position(|output| !output.is_pipe());
        other.or_else(|| self.outputs.len().checked_sub(1))
    }

    fn duplicate(&mut self) -> Result<Step, Errno> {
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
                Err(errno) => output.fail(errno),
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
                self.outputs[consumer].fail(errno);
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
        let mut block = Block::new()?;
        // These bytes are in the pipe, because some outputs have copies of them.
        while block.length < self.most() {
            block.length += again(|| Ok(read(self.input, &mut block.bytes[block.length..])?))?;
        }
        self.strategy = Strategy::Copy(block);
        Ok(Step::Moved)
    }

    /// The maximum number of bytes that an output has taken.
    fn most(&self) -> usize {
        self.outputs.iter().map(|output| output.ahead).max().unwrap_or(0)
    }

    fn copy(&mut self) -> Result<Step, Errno> {
        let Strategy::Copy(block) = &mut self.strategy else { return Ok(Step::Blocked) };
        if self.outputs.iter().all(|output| output.ahead == block.length) {
            return self.fill();
        }
        let mut step = Step::Blocked;
        let late = self.outputs.iter_mut().filter(|output| output.ahead < block.length);
        for output in late {
            match output.write(&block.bytes[output.ahead..block.length]) {
                Ok(count) => {
                    output.ahead += count;
                    step = Step::Moved;
                }
                Err(EAGAIN | EINTR) => {}
                Err(errno) => output.fail(errno.into()),
            }
            if output.failure().is_some() {
                step = Step::Moved;
            }
        }
        Ok(step)
    }

    /// Reads the next block if that does not block.
    fn fill(&mut self) -> Result<Step, Errno> {
        let Strategy::Copy(block) = &mut self.strategy else { return Ok(Step::Blocked) };
        if !self.is_readable && self.kind != SFlag::S_IFREG {
            return Ok(Step::Blocked);
        }
        self.is_readable = false;
        let taken = block.length;
        let result = read(self.input, &mut block.bytes);
        match result {
            Ok(0) => return Ok(Step::End),
            Ok(count) => block.length = count,
            Err(EAGAIN | EINTR) => return Ok(Step::Blocked),
            Err(errno) => return Err(errno.into()),
        }
        self.consume(taken);
        Ok(Step::Moved)
    }

    /// The number of bytes for an output that has taken none.
    fn available(&self) -> usize {
        match &self.strategy {
            Strategy::Copy(block) => block.length,
            Strategy::Duplicate if self.most() > 0 => self.most(),
            // If the number is unknown, the next step determines it.
            Strategy::Duplicate => pipe::length(self.input).unwrap_or(1),
        }
    }

    /// Waits for the input if every output has all bytes, otherwise for the outputs that lack some;
    /// in both cases also for the exit of any reader.
    fn wait(&mut self) -> Result<Step, Errno> {
        let available = self.available();
        let awaits_input = self.outputs.iter().all(|output| output.ahead >= available);
        let events = |output: &Output<'_>| match output.ahead < available {
            true => PollFlags::POLLOUT,
            false => PollFlags::empty(),
        };
        let outputs = self.outputs.iter().map(|output| PollFd::new(output.as_fd(), events(output)));
        let mut fds: Vec<_> = outputs.collect();
        if awaits_input {
            fds.push(PollFd::new(self.input, PollFlags::POLLIN));
        }
        let _: Waited = poll::any(&mut fds, Deadline::NEVER)?;
        let reports: Vec<_> =
            fds.iter().map(|fd| fd.revents().unwrap_or(PollFlags::all())).collect();
        for (output, &report) in self.outputs.iter_mut().zip(&reports) {
            output.note(report);
        }
        let Some(&report) = reports.get(self.outputs.len()) else { return Ok(Step::Blocked) };
        self.is_readable = !report.is_empty();
        let has_ended = self.kind == SFlag::S_IFIFO && report == PollFlags::POLLHUP;
        Ok(if has_ended { Step::End } else { Step::Blocked })
    }
}

impl Block {
    fn new() -> Result<Self, Errno> {
        Ok(Self { bytes: heap::zeros(BLOCK)?, length: 0 })
    }
}

/// Repeats a call while signals interrupt it.
fn again(mut call: impl FnMut() -> Result<usize, Errno>) -> Result<usize, Errno> {
    loop {
        match call() {
            Err(Errno(libc::EINTR)) => {}
            result => return result,
        }
    }
}

/// Whether the kernel does not support the call for these descriptors, as opposed to an I/O error.
/// Reads and writes then show which side fails.
fn is_refusal(errno: Errno) -> bool {
    matches!(errno.0, libc::EINVAL | libc::ENOSYS | libc::EBADF | libc::EOPNOTSUPP | libc::EPERM)
}
