//! Moving bytes from one descriptor to another, by the shortest way that the kernel has for the
//! two: splice(2), perhaps through a pipe of ours, copy_file_range(2), sendfile(2), or large blocks of
//! read(2) and write(2).
//!
//! Descriptors are used at their own positions, which move along. A way that the kernel refuses
//! for a pair of descriptors is left for the plain one, which knows every descriptor, and on which
//! an end of the source is believed: some files of `/proc` look empty to the other calls.

mod buffer;
mod conduit;
#[cfg(test)]
mod tests;
mod way;

use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno::{EAGAIN, EINTR};
use nix::fcntl::{SpliceFFlags, copy_file_range, splice};
use nix::sys::sendfile::sendfile64;
use nix::sys::stat::SFlag;
use nix::unistd::{Whence, lseek};

use self::buffer::Buffer;
use self::conduit::Conduit;
use self::way::{Way, is_refusal, kind};
use super::{pipe, poll};
use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;

/// The most that one call is asked to move, which the kernel would cut off anyway.
const LONGEST: u64 = 0x7fff_f000;

/// The most that is spliced at a time: half of a pipe, so that its other end works meanwhile.
const HALF_A_PIPE: u64 = pipe::CAPACITY as u64 / 2;

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
    source: BorrowedFd<'a>,
    destination: BorrowedFd<'a>,
    way: Way,
    /// How much may still be taken from the source; `u64::MAX` is all there is.
    left: u64,
    moved: u64,
    /// What was taken from the source and has not reached the destination is in one of these two.
    buffer: Buffer,
    conduit: Option<Conduit>,
    enlarged: bool,
}

/// Moves all of the source, or as much as the limit says, waiting wherever that takes; returns how
/// much it was.
pub fn copy(source: impl AsFd, destination: impl AsFd, limit: Option<u64>) -> Result<u64, Error> {
    Transfer::new(source.as_fd(), destination.as_fd(), limit).finish()
}

impl<'a> Transfer<'a> {
    /// Prepares to move up to `limit` bytes; `None` is all there is.
    pub fn new(source: BorrowedFd<'a>, destination: BorrowedFd<'a>, limit: Option<u64>) -> Self {
        Self {
            source,
            destination,
            way: Way::between(source, destination),
            left: limit.unwrap_or(u64::MAX),
            moved: 0,
            buffer: Buffer::default(),
            conduit: None,
            enlarged: false,
        }
    }

    /// The same, with the bytes copied as they are now. The shorter ways may hand the pages of a
    /// file to the reader of a pipe, who then sees what is written to the file later.
    pub fn by_value(mut self) -> Self {
        self.way = Way::Plain;
        self
    }

    /// Whether the next step does not wait for the source: there is something left from the last,
    /// or the source is a file, or a pipe that the kernel splices from. Any other is to be waited
    /// for first by those who wait for something else besides.
    pub fn needs_no_waiting_for_source(&self) -> bool {
        let without = match kind(self.source) {
            SFlag::S_IFREG => true,
            SFlag::S_IFIFO => self.way == Way::Splice,
            _ => false,
        };
        without || self.held() > 0
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
        if self.left == 0 && self.held() == 0 {
            return Ok(Step::End);
        }
        let step = match self.way {
            Way::Plain => self.step_plainly()?,
            Way::Conduit => self.step_by_conduit()?,
            _ => self.step_within_kernel()?,
        };
        if let Step::Moved(count) = step {
            self.moved += count;
            if self.moved >= pipe::CAPACITY_AT_FIRST && !self.enlarged {
                self.enlarge_pipes();
                self.lay_conduit();
            }
        }
        Ok(step)
    }

    fn step_within_kernel(&mut self) -> Result<Step, Error> {
        let longest = if self.way == Way::Splice { HALF_A_PIPE } else { LONGEST };
        let count = self.left.min(longest) as usize;
        let (from, to) = (self.source, self.destination);
        let moved = again(|| match self.way {
            Way::Splice => splice(from, None, to, None, count, SpliceFFlags::SPLICE_F_NONBLOCK),
            Way::CopyFileRange => copy_file_range(from, None, to, None, count),
            _ => sendfile64(to, from, None, count),
        });
        match moved {
            Ok(0) if self.way == Way::Splice && kind(from) == SFlag::S_IFIFO => Ok(Step::End),
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

    /// How much was taken from the source and has not reached the destination.
    fn held(&self) -> usize {
        self.buffer.held() + self.conduit.as_ref().map_or(0, Conduit::held)
    }

    /// Plainly at first: a pipe of ours costs more than it saves where little is moved.
    fn step_by_conduit(&mut self) -> Result<Step, Error> {
        if self.moved < pipe::CAPACITY_AT_FIRST || self.buffer.held() > 0 {
            return self.step_plainly();
        }
        let Some(mut conduit) = self.conduit.take().or_else(|| Conduit::new().ok()) else {
            return self.go_on_plainly();
        };
        self.buffer = Buffer::default();
        let step = self.pass_through(&mut conduit);
        // Its last contents are in the buffer if it was given up.
        self.conduit = Some(conduit).filter(|_| self.way == Way::Conduit);
        step
    }

    fn pass_through(&mut self, conduit: &mut Conduit) -> Result<Step, Error> {
        if conduit.held() == 0 {
            match again(|| conduit.fill(self.source, self.left)) {
                Ok(0) => return self.go_on_plainly(),
                Ok(count) => self.take(count),
                Err(EAGAIN) => return Ok(Step::NotReady(Side::Source)),
                Err(errno) if is_refusal(errno.into()) => return self.go_on_plainly(),
                Err(errno) => return Err(Side::Source.failed(errno)),
            }
        }
        match again(|| conduit.drain(self.destination)) {
            Ok(count) => Ok(Step::Moved(count as u64)),
            Err(EAGAIN) => Ok(Step::NotReady(Side::Destination)),
            Err(errno) if is_refusal(errno.into()) => {
                let taken_over = self.buffer.take_over(conduit);
                taken_over.map_err(|errno| Side::Source.failed(errno))?;
                self.go_on_plainly()
            }
            Err(errno) => Err(Side::Destination.failed(errno)),
        }
    }

    /// The kernel will not do it: from now on by reading and writing, which also tells which side
    /// is the cause.
    fn go_on_plainly(&mut self) -> Result<Step, Error> {
        self.way = Way::Plain;
        self.step_plainly()
    }

    fn step_plainly(&mut self) -> Result<Step, Error> {
        if self.buffer.held() == 0 {
            match again(|| self.buffer.fill(self.source, self.left)) {
                Ok(0) => return Ok(Step::End),
                Ok(count) => self.take(count),
                Err(EAGAIN) => return Ok(Step::NotReady(Side::Source)),
                Err(errno) => return Err(Side::Source.failed(errno)),
            }
        }
        match again(|| self.buffer.drain(self.destination)) {
            Ok(count) => Ok(Step::Moved(count as u64)),
            Err(EAGAIN) => Ok(Step::NotReady(Side::Destination)),
            Err(errno) => Err(Side::Destination.failed(errno)),
        }
    }

    /// Counts what was taken from the source.
    fn take(&mut self, count: usize) {
        if self.left != u64::MAX {
            self.left -= count as u64;
        }
    }

    fn enlarge_pipes(&mut self) {
        self.enlarged = true;
        pipe::enlarge(self.source);
        pipe::enlarge(self.destination);
    }

    /// From now on a file goes into a pipe by one of ours, so that its reader need not wait for us.
    fn lay_conduit(&mut self) {
        if self.way == Way::Splice && kind(self.source) == SFlag::S_IFREG {
            self.conduit = Conduit::new().ok();
            self.way = self.conduit.as_ref().map_or(Way::Splice, |_| Way::Conduit);
        }
    }

    fn wait(&self, side: Side, deadline: Deadline) -> Result<Waited, Error> {
        let fd = match side {
            Side::Source => self.source,
            Side::Destination => self.destination,
        };
        side.wait(fd, deadline)
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
            _ if kind(self.source) == SFlag::S_IFIFO => Side::Destination,
            _ if kind(self.destination) == SFlag::S_IFSOCK => Side::Destination,
            _ => Side::Source,
        };
        Error { side, errno }
    }
}

impl Drop for Transfer<'_> {
    /// What was taken from a file and did not arrive is left to whoever reads on in it.
    fn drop(&mut self) {
        let held = self.held() as i64;
        if held > 0 {
            // A source that is no file has no position.
            let _ = lseek(self.source, -held, Whence::SeekCur);
        }
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
