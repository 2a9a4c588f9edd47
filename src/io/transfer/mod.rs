//! Moving bytes from one descriptor to another, by the shortest way that the kernel has for the
//! two: splice(2), perhaps through a pipe of ours, copy_file_range(2), sendfile(2), or large blocks of
//! read(2) and write(2).
//!
//! Descriptors are used at their own positions, which move along. A way that the kernel refuses
//! for a pair of descriptors is left for the plain one, which knows every descriptor, and on which
//! an end of the source is believed: some files of `/proc` look empty to the other calls.

mod buffer;
mod source;
mod splice_pipe;
mod strategy;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno::{EAGAIN, EINTR};
use nix::sys::stat::SFlag;

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
    /// Where bytes come from.
    Source,
    /// Where they go.
    Destination,
}

impl Side {
    /// What went wrong with this one.
    pub fn failed(self, errno: impl Into<Errno>) -> Error {
        Error { side: self, errno: errno.into() }
    }

    /// Waits until this one, which is this descriptor, is ready.
    pub fn wait(self, fd: impl AsFd, deadline: Deadline) -> Result<Waited, Error> {
        let waited = match self {
            Self::Source => poll::readable(fd, deadline),
            Self::Destination => poll::writable(fd, deadline),
        };
        waited.map_err(|errno| self.failed(errno))
    }

    /// Repeats a call that moves some of the bytes left, of or to this side, which is this
    /// descriptor, until it has moved all of these or comes to an end; returns how many it moved.
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

/// What went wrong, and on which side. A reader that left is EPIPE of the destination.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{errno}")]
pub struct Error {
    /// Which descriptor failed.
    pub side: Side,
    /// How.
    pub errno: Errno,
}

/// What one step did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Step {
    /// This many bytes reached the destination.
    Moved(u64),
    /// Nothing, until this side is ready.
    NotReady(Side),
    /// Nothing, as the source is at its end, or the limit reached.
    End,
}

/// A transfer under way.
#[derive(Debug)]
pub struct Transfer<'a> {
    source: Source<'a>,
    destination: BorrowedFd<'a>,
    way: Strategy,
    /// What more there is to do before much is moved: nothing, once it is done.
    preparation: Option<Preparation>,
    /// How much may still be taken from the source; `u64::MAX` is all there is.
    left: u64,
    moved: u64,
}

/// Moves all of the source, or as much as the limit says, waiting wherever that takes; returns how
/// much it was.
pub fn copy(source: impl AsFd, destination: impl AsFd, limit: Option<u64>) -> Result<u64, Error> {
    Transfer::new(source.as_fd(), destination.as_fd(), limit).finish()
}

impl<'a> Transfer<'a> {
    /// Prepares to move up to `limit` bytes; `None` is all there is.
    pub fn new(source: BorrowedFd<'a>, destination: BorrowedFd<'a>, limit: Option<u64>) -> Self {
        let source = Source::new(source);
        let (way, preparation) = Strategy::between(&source, destination);
        Self {
            source,
            destination,
            way,
            preparation: Some(preparation),
            left: limit.unwrap_or(u64::MAX),
            moved: 0,
        }
    }

    /// The same, with the bytes copied as they are now. The shorter ways may hand the pages of a
    /// file to the reader of a pipe, who then sees what is written to the file later.
    pub fn by_value(self) -> Self {
        Self { way: Strategy::plain(), preparation: Some(Preparation::EnlargePipes), ..self }
    }

    /// Whether the next step does not wait for the source: there is something left from the last,
    /// or the source is a file, or a pipe that the kernel splices from. Any other is to be waited
    /// for first by those who wait for something else besides.
    pub fn needs_no_waiting_for_source(&self) -> bool {
        let without = match self.source.kind() {
            SFlag::S_IFREG => true,
            SFlag::S_IFIFO => matches!(self.way, Strategy::Directly(_)),
            _ => false,
        };
        without || self.way.held() > 0
    }

    /// How many bytes have reached the destination.
    pub fn moved(&self) -> u64 {
        self.moved
    }

    /// Moves until the source ends or the limit is reached. Whenever a side is not ready, it is
    /// waited for until the deadline that `deadline` then gives; past it, the transfer stops where
    /// it is, and may be run again.
    ///
    /// Only pipes, and what was made non-blocking, keep to a deadline: a call on another
    /// descriptor waits for as long as it likes.
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

    /// Moves until the source ends or the limit is reached, waiting wherever that takes; returns
    /// how much it was.
    pub fn finish(mut self) -> Result<u64, Error> {
        match self.run(|_| Deadline::NEVER)? {
            Waited::Done(()) => Ok(self.moved),
            Waited::TimedOut => unreachable!("no deadline"),
        }
    }

    /// Moves what can be moved at once. It waits for no pipe, and for nothing that was made
    /// non-blocking.
    pub fn step(&mut self) -> Result<Step, Error> {
        if self.left == 0 && self.way.held() == 0 {
            return Ok(Step::End);
        }
        let step = match self.way {
            Strategy::Directly(call) => self.step_directly(call)?,
            Strategy::Buffer(_) | Strategy::SplicePipe(_) => self.step_by_stages()?,
        };
        if let Step::Moved(count) = step {
            self.moved += count;
            self.prepare_for_more();
        }
        Ok(step)
    }

    fn step_directly(&mut self, call: Call) -> Result<Step, Error> {
        match again(|| call.make(self.source, self.destination, self.left)) {
            Ok(0) if call == Call::Splice && self.source.kind() == SFlag::S_IFIFO => Ok(Step::End),
            Ok(0) => self.go_on_plainly(),
            Ok(count) => {
                self.take(count);
                Ok(Step::Moved(count as u64))
            }
            Err(EAGAIN) => Ok(Step::NotReady(self.side_not_ready()?)),
            Err(errno) if is_refusal(errno.into()) => self.go_on_plainly(),
            Err(errno) => Err(self.blame(errno.into())),
        }
    }

    /// Takes bytes from the source if none are under way, and gives as many of those that are to the
    /// destination as it takes.
    fn step_by_stages(&mut self) -> Result<Step, Error> {
        let is_plain = matches!(self.way, Strategy::Buffer(_));
        if self.way.held() == 0 {
            match again(|| self.way.fill(&self.source, self.left)) {
                Ok(0) if is_plain => return Ok(Step::End),
                Ok(0) => return self.go_on_plainly(),
                Ok(count) => self.take(count),
                Err(EAGAIN) => return Ok(Step::NotReady(Side::Source)),
                Err(errno) if !is_plain && is_refusal(errno.into()) => return self.go_on_plainly(),
                Err(errno) => return Err(Side::Source.failed(errno)),
            }
        }
        match again(|| self.way.drain(self.destination)) {
            Ok(count) => {
                self.source.move_on(count);
                Ok(Step::Moved(count as u64))
            }
            Err(EAGAIN) => Ok(Step::NotReady(Side::Destination)),
            Err(errno) if !is_plain && is_refusal(errno.into()) => self.go_on_plainly(),
            Err(errno) => Err(Side::Destination.failed(errno)),
        }
    }

    /// The kernel will not do it: from now on by reading and writing, which also tells which side
    /// is the cause.
    fn go_on_plainly(&mut self) -> Result<Step, Error> {
        self.way = match &mut self.way {
            Strategy::SplicePipe(conduit) => Strategy::Buffer(
                Buffer::in_place_of(conduit).map_err(|errno| Side::Source.failed(errno))?,
            ),
            _ => Strategy::plain(),
        };
        self.step_by_stages()
    }

    /// Counts what was taken from the source.
    fn take(&mut self, count: usize) {
        if self.left != u64::MAX {
            self.left -= count as u64;
        }
    }

    /// Prepares for many bytes, once there were some and it seems that more will come.
    fn prepare_for_more(&mut self) {
        if self.left == 0 || self.moved < pipe::CAPACITY_AT_FIRST || self.way.held() > 0 {
            return;
        }
        let Some(preparation) = self.preparation.take() else { return };
        pipe::enlarge(self.source);
        pipe::enlarge(self.destination);
        if preparation == Preparation::EnlargePipesAndLayConduit
            && let Ok(conduit) = SplicePipe::new()
        {
            self.way = Strategy::SplicePipe(conduit);
        }
    }

    fn wait(&self, side: Side, deadline: Deadline) -> Result<Waited, Error> {
        match side {
            Side::Source => side.wait(self.source, deadline),
            Side::Destination => side.wait(self.destination, deadline),
        }
    }

    /// Which side a splice has to wait for. The kernel says only that there is one.
    fn side_not_ready(&self) -> Result<Side, Error> {
        Ok(match self.wait(Side::Source, Deadline::PASSED)? {
            Waited::TimedOut => Side::Source,
            Waited::Done(()) => Side::Destination,
        })
    }

    /// Which side made a call within the kernel fail.
    fn blame(&self, errno: Errno) -> Error {
        let side = match errno.0 {
            libc::EPIPE | libc::ENOSPC | libc::EDQUOT | libc::EFBIG => Side::Destination,
            // What happens to pipes is listed above, so it is the other one.
            _ if self.source.kind() == SFlag::S_IFIFO => Side::Destination,
            _ if inode::kind_of(self.destination) == SFlag::S_IFSOCK => Side::Destination,
            _ => Side::Source,
        };
        Error { side, errno }
    }
}

/// Repeats a call for as long as signals interrupt it.
fn again(mut call: impl FnMut() -> nix::Result<usize>) -> nix::Result<usize> {
    loop {
        match call() {
            Err(EINTR) => {}
            result => return result,
        }
    }
}
