//! Moves bytes from one descriptor to another by the fastest call for the two: splice(2), perhaps
//! through another pipe, copy_file_range(2), sendfile(2), or large blocks of read(2) and write(2).
//!
//! The bytes are at the positions of the descriptors, which are advanced. If the kernel refuses a
//! call for a pair of descriptors, or reports the end of the source, the transfer continues with
//! read(2) and write(2), which support every descriptor: some files of `/proc` look empty to the
//! other calls.

mod buffer;
mod counter;
mod source;
mod splice_pipe;
mod strategy;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno::{EAGAIN, EINTR};
use nix::sys::stat::SFlag;

pub use self::counter::Counter;

use self::buffer::Buffer;
use self::source::Source;
use self::splice_pipe::SplicePipe;
use self::strategy::{Call, Preparation, Strategy, is_refusal};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::{inode, pipe, poll};

/// One of the two descriptors of a transfer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// The descriptor that is read.
    Source,
    /// The descriptor that is written.
    Destination,
}

impl Side {
    /// An error of this side.
    pub fn failed(self, errno: impl Into<Errno>) -> Error {
        Error { side: self, errno: errno.into() }
    }

    /// Waits until this side, whose descriptor is `fd`, is ready.
    pub fn wait(self, fd: impl AsFd, deadline: Deadline) -> Result<Waited, Error> {
        let waited = match self {
            Self::Source => poll::readable(fd, deadline),
            Self::Destination => poll::writable(fd, deadline),
        };
        waited.map_err(|errno| self.failed(errno))
    }

    /// Repeats a call that moves bytes of this side, whose descriptor is `fd`, until it has moved
    /// all of them or reaches the end; returns the number of moved bytes.
    pub fn repeat(
        self,
        fd: impl AsFd,
        bytes: Range<u64>,
        mut call: impl FnMut(Range<u64>) -> nix::Result<usize>,
    ) -> Result<u64, Error> {
        let mut position = bytes.start;
        while position < bytes.end {
            match call(position..bytes.end) {
                Ok(0) => break,
                Ok(count) => position += count as u64,
                Err(EINTR) => {}
                Err(EAGAIN) => drop(self.wait(&fd, Deadline::NEVER)?),
                Err(errno) => return Err(self.failed(errno)),
            }
        }
        Ok(position - bytes.start)
    }
}

/// An error of one side. If the reader of the destination has left, it is EPIPE.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{errno}")]
pub struct Error {
    /// The side that failed.
    pub side: Side,
    /// The error.
    pub errno: Errno,
}

/// The outcome of one step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Step {
    /// So many bytes have reached the destination.
    Moved(u64),
    /// No byte was moved, because this side is not ready.
    NotReady(Side),
    /// No byte was moved, because the source is at its end or the limit is reached.
    End,
}

/// A transfer.
#[derive(Debug)]
pub struct Transfer<'a> {
    source: Source<'a>,
    destination: BorrowedFd<'a>,
    strategy: Strategy,
    /// The preparation for many bytes, until it is done.
    preparation: Option<Preparation>,
    /// The number of bytes that may still be read; `u64::MAX` is no limit.
    left: u64,
    moved: u64,
    /// Counts the bytes that have reached the destination.
    counter: Option<&'a Counter>,
}

/// Moves all bytes of the source, or as many as the limit, and waits for both sides; returns the
/// number of bytes.
pub fn copy(source: impl AsFd, destination: impl AsFd, limit: Option<u64>) -> Result<u64, Error> {
    Transfer::new(source.as_fd(), destination.as_fd(), limit).finish()
}

impl<'a> Transfer<'a> {
    /// A transfer of up to `limit` bytes; `None` is no limit.
    pub fn new(source: BorrowedFd<'a>, destination: BorrowedFd<'a>, limit: Option<u64>) -> Self {
        let source = Source::new(source);
        let (strategy, preparation) = Strategy::between(&source, destination);
        Self {
            source,
            destination,
            strategy,
            preparation: Some(preparation),
            left: limit.unwrap_or(u64::MAX),
            moved: 0,
            counter: None,
        }
    }

    /// The same, which also adds the bytes that have reached the destination to this number.
    pub fn counted(self, counter: &'a Counter) -> Self {
        Self { counter: Some(counter), ..self }
    }

    /// The same, with the bytes copied as they are now. The other strategies may pass the pages of
    /// a file to the reader of a pipe, which then sees later writes to the file.
    pub fn by_value(self) -> Self {
        Self { strategy: Strategy::plain(), preparation: Some(Preparation::EnlargePipes), ..self }
    }

    /// Whether the next step does not wait for the source: bytes are in transit, or the source is a
    /// file, or a pipe that the kernel splices from. A caller that also waits for other descriptors
    /// waits for any other source first.
    pub fn needs_no_waiting_for_source(&self) -> bool {
        let without = match self.source.kind() {
            SFlag::S_IFREG => true,
            SFlag::S_IFIFO => matches!(self.strategy, Strategy::Directly(_)),
            _ => false,
        };
        without || self.strategy.held() > 0
    }

    /// The number of bytes that have reached the destination.
    pub fn moved(&self) -> u64 {
        self.moved
    }

    /// Moves bytes until the source ends or the limit is reached. If a side is not ready, it waits
    /// until the deadline that the function returns; after that the transfer stops, and may be run
    /// again.
    ///
    /// Only pipes and non-blocking descriptors have a deadline: a call on another descriptor waits
    /// without limit.
    pub fn run(&mut self, mut deadline: impl FnMut(Side) -> Deadline) -> Result<Waited, Error> {
        loop {
            match self.step()? {
                Step::Moved(_) => {}
                Step::End => return Ok(Waited::Done(())),
                Step::NotReady(side) => {
                    if self.wait(side, deadline(side))? == Waited::TimedOut {
                        return Ok(Waited::TimedOut);
                    }
                }
            }
        }
    }

    /// Moves bytes until the source ends or the limit is reached, and waits for both sides; returns
    /// the number of bytes.
    pub fn finish(mut self) -> Result<u64, Error> {
        match self.run(|_| Deadline::NEVER)? {
            Waited::Done(()) => Ok(self.moved),
            Waited::TimedOut => unreachable!("no deadline"),
        }
    }

    /// Moves the bytes that it can move at once. It does not wait for a pipe or for a non-blocking
    /// descriptor.
    pub fn step(&mut self) -> Result<Step, Error> {
        if self.left == 0 && self.strategy.held() == 0 {
            return Ok(Step::End);
        }
        let step = match self.strategy {
            Strategy::Directly(call) => self.step_directly(call)?,
            Strategy::Buffer(_) | Strategy::SplicePipe(_) => self.step_by_stages()?,
        };
        if let Step::Moved(count) = step {
            self.moved += count;
            if let Some(counter) = self.counter {
                counter.add(count);
            }
            self.prepare_for_more();
        }
        Ok(step)
    }

    fn step_directly(&mut self, call: Call) -> Result<Step, Error> {
        match uninterrupted(|| call.make(self.source, self.destination, self.left)) {
            Ok(0) if call == Call::Splice && self.source.kind() == SFlag::S_IFIFO => Ok(Step::End),
            Ok(0) => self.continue_plainly(),
            Ok(count) => {
                self.take(count);
                Ok(Step::Moved(count as u64))
            }
            Err(EAGAIN) => Ok(Step::NotReady(self.side_not_ready()?)),
            Err(errno) if is_refusal(errno.into()) => self.continue_plainly(),
            Err(errno) => Err(self.blame(errno.into())),
        }
    }

    /// Reads bytes from the source if none are in transit, and writes as many of them as the
    /// destination takes.
    fn step_by_stages(&mut self) -> Result<Step, Error> {
        let is_plain = matches!(self.strategy, Strategy::Buffer(_));
        if self.strategy.held() == 0 {
            match uninterrupted(|| self.strategy.fill(&self.source, self.left)) {
                Ok(0) if is_plain => return Ok(Step::End),
                Ok(0) => return self.continue_plainly(),
                Ok(count) => self.take(count),
                Err(EAGAIN) => return Ok(Step::NotReady(Side::Source)),
                Err(errno) if !is_plain && is_refusal(errno.into()) => {
                    return self.continue_plainly();
                }
                Err(errno) => return Err(Side::Source.failed(errno)),
            }
        }
        match uninterrupted(|| self.strategy.drain(self.destination)) {
            Ok(count) => {
                self.source.move_on(count);
                Ok(Step::Moved(count as u64))
            }
            Err(EAGAIN) => Ok(Step::NotReady(Side::Destination)),
            Err(errno) if !is_plain && is_refusal(errno.into()) => self.continue_plainly(),
            Err(errno) => Err(Side::Destination.failed(errno)),
        }
    }

    /// Continues with read(2) and write(2), because the kernel has refused another call. They also
    /// show which side is the cause.
    fn continue_plainly(&mut self) -> Result<Step, Error> {
        self.strategy = match &mut self.strategy {
            Strategy::SplicePipe(pipe) => Strategy::Buffer(
                Buffer::in_place_of(pipe).map_err(|errno| Side::Source.failed(errno))?,
            ),
            _ => Strategy::plain(),
        };
        self.step_by_stages()
    }

    /// Counts bytes that were read.
    fn take(&mut self, count: usize) {
        if self.left != u64::MAX {
            self.left -= count as u64;
        }
    }

    /// Prepares for many bytes after the first ones, if more are likely.
    fn prepare_for_more(&mut self) {
        if self.left == 0 || self.moved < pipe::CAPACITY_AT_FIRST || self.strategy.held() > 0 {
            return;
        }
        let Some(preparation) = self.preparation.take() else { return };
        pipe::enlarge(self.source);
        pipe::enlarge(self.destination);
        if preparation == Preparation::EnlargePipesAndSplice
            && let Ok(pipe) = SplicePipe::new()
        {
            self.strategy = Strategy::SplicePipe(pipe);
        }
    }

    fn wait(&self, side: Side, deadline: Deadline) -> Result<Waited, Error> {
        match side {
            Side::Source => side.wait(self.source, deadline),
            Side::Destination => side.wait(self.destination, deadline),
        }
    }

    /// The side that a splice waits for, which the kernel does not report.
    fn side_not_ready(&self) -> Result<Side, Error> {
        Ok(match self.wait(Side::Source, Deadline::PASSED)? {
            Waited::TimedOut => Side::Source,
            Waited::Done(()) => Side::Destination,
        })
    }

    /// The side that caused an error of a call within the kernel.
    fn blame(&self, errno: Errno) -> Error {
        let side = match errno.0 {
            libc::EPIPE | libc::ENOSPC | libc::EDQUOT | libc::EFBIG => Side::Destination,
            // The errors of pipes are listed above, so it is an error of the destination.
            _ if self.source.kind() == SFlag::S_IFIFO => Side::Destination,
            _ if inode::kind_of(self.destination) == SFlag::S_IFSOCK => Side::Destination,
            _ => Side::Source,
        };
        Error { side, errno }
    }
}

/// Repeats a call while signals interrupt it.
fn uninterrupted(mut call: impl FnMut() -> nix::Result<usize>) -> nix::Result<usize> {
    loop {
        match call() {
            Err(EINTR) => {}
            result => return result,
        }
    }
}
