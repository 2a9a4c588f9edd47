//! Moving bytes from one descriptor to another, by the shortest way that the kernel has for the
//! two: splice(2), perhaps through a pipe of ours, copy_file_range(2), sendfile(2), or large blocks of
//! read(2) and write(2).
//!
//! Descriptors are used at their own positions, which move along. A way that the kernel refuses
//! for a pair of descriptors is left for the plain one, which knows every descriptor, and on which
//! an end of the source is believed: some files of `/proc` look empty to the other calls.

use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno::{EAGAIN, EINTR};
use nix::fcntl::{FcntlArg, SpliceFFlags, copy_file_range, fcntl, splice};
use nix::sys::sendfile::sendfile64;
use nix::sys::stat::{SFlag, fstat};
use nix::unistd::{read, write};

use super::conduit::Conduit;
use super::poll;
use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;

/// What is moved at a time where bytes pass through our memory.
const BLOCK: usize = 512 << 10;

/// The capacity that pipes are given on the way: the largest that the kernel allows to everybody.
const PIPE_CAPACITY: i32 = 1 << 20;

/// Until a transfer has moved this much, as a default pipe holds, pipes keep their capacity, and none
/// is made.
pub const WORTHWHILE: u64 = 64 << 10;

/// The most that one call is asked to move, which the kernel would cut off anyway.
const LONGEST: u64 = 0x7fff_f000;

/// The most that is spliced at a time: half of a pipe, so that its other end works meanwhile.
const HALF_A_PIPE: u64 = PIPE_CAPACITY as u64 / 2;

/// One of the two descriptors of a transfer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// Where bytes come from.
    Source,
    /// Where they go.
    Destination,
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

/// How a pair of descriptors is best served.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    /// One of them is a pipe: pages move, or are copied once.
    Splice,
    /// Both are files, perhaps of one file system.
    CopyFileRange,
    /// One of them is a socket, the other no pipe: pages move by a pipe of ours, as soon as it is
    /// worthwhile.
    Conduit,
    /// The source is a file.
    Sendfile,
    /// Through a buffer of ours.
    Plain,
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
    conduit: Option<Conduit>,
    /// Empty unless bytes pass through us.
    buffer: Vec<u8>,
    /// The part of the buffer that was read and not yet written.
    pending: Range<usize>,
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
            way: Way::between(kind(source), kind(destination)),
            left: limit.unwrap_or(u64::MAX),
            moved: 0,
            conduit: None,
            buffer: Vec::new(),
            pending: 0..0,
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
        without || self.holds_something()
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
        if self.left == 0 && !self.holds_something() {
            return Ok(Step::End);
        }
        let step = match self.way {
            Way::Plain => self.step_plainly()?,
            Way::Conduit => self.step_by_conduit()?,
            _ => self.step_within_kernel()?,
        };
        if let Step::Moved(count) = step {
            self.moved += count;
            if self.moved >= WORTHWHILE && !self.enlarged {
                self.enlarge_pipes();
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
            Err(errno) if is_unsupported(errno.into()) => self.go_on_plainly(),
            Err(errno) => Err(self.blame(errno.into())),
        }
    }

    /// Whether something was taken from the source and has not reached the destination.
    fn holds_something(&self) -> bool {
        !self.pending.is_empty() || self.conduit.as_ref().is_some_and(|it| it.held() > 0)
    }

    /// Plainly at first: a pipe of ours costs more than it saves where little is moved.
    fn step_by_conduit(&mut self) -> Result<Step, Error> {
        if self.moved < WORTHWHILE || !self.pending.is_empty() {
            return self.step_plainly();
        }
        let Some(mut conduit) = self.conduit.take().or_else(|| Conduit::new().ok()) else {
            return self.go_on_plainly();
        };
        self.buffer = Vec::new();
        let step = self.pass_through(&mut conduit);
        // Its last contents are in the buffer if it was given up.
        self.conduit = Some(conduit).filter(|_| self.way == Way::Conduit);
        step
    }

    fn pass_through(&mut self, conduit: &mut Conduit) -> Result<Step, Error> {
        if conduit.held() == 0 {
            let count = self.left.min(LONGEST) as usize;
            match again(|| conduit.fill(self.source, count)) {
                Ok(0) => return self.go_on_plainly(),
                Ok(count) => self.take(count),
                Err(EAGAIN) => return Ok(Step::NotReady(Side::Source)),
                Err(errno) if is_unsupported(errno.into()) => return self.go_on_plainly(),
                Err(errno) => return Err(Error { side: Side::Source, errno: errno.into() }),
            }
        }
        match again(|| conduit.drain(self.destination)) {
            Ok(count) => Ok(Step::Moved(count as u64)),
            Err(EAGAIN) => Ok(Step::NotReady(Side::Destination)),
            Err(errno) if is_unsupported(errno.into()) => {
                self.pending = 0..conduit.held();
                self.buffer = vec![0; BLOCK.max(conduit.held())];
                let taken = conduit.take_back(&mut self.buffer);
                taken.map_err(|errno| Error { side: Side::Source, errno })?;
                self.go_on_plainly()
            }
            Err(errno) => Err(Error { side: Side::Destination, errno: errno.into() }),
        }
    }

    /// The kernel will not do it: from now on by reading and writing, which also tells which side
    /// is the cause.
    fn go_on_plainly(&mut self) -> Result<Step, Error> {
        self.way = Way::Plain;
        self.step_plainly()
    }

    fn step_plainly(&mut self) -> Result<Step, Error> {
        if self.pending.is_empty() {
            if self.buffer.is_empty() {
                self.buffer = vec![0; BLOCK];
            }
            let room = &mut self.buffer[..self.left.min(BLOCK as u64) as usize];
            match again(|| read(self.source, room)) {
                Ok(0) => return Ok(Step::End),
                Ok(count) => {
                    self.pending = 0..count;
                    self.take(count);
                }
                Err(EAGAIN) => return Ok(Step::NotReady(Side::Source)),
                Err(errno) => return Err(Error { side: Side::Source, errno: errno.into() }),
            }
        }
        match again(|| write(self.destination, &self.buffer[self.pending.clone()])) {
            Ok(count) => {
                self.pending.start += count;
                Ok(Step::Moved(count as u64))
            }
            Err(EAGAIN) => Ok(Step::NotReady(Side::Destination)),
            Err(errno) => Err(Error { side: Side::Destination, errno: errno.into() }),
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
        enlarge_pipe(self.source);
        enlarge_pipe(self.destination);
    }

    fn wait(&self, side: Side, deadline: Deadline) -> Result<Waited, Error> {
        let waited = match side {
            Side::Source => poll::readable(self.source, deadline),
            Side::Destination => poll::writable(self.destination, deadline),
        };
        waited.map_err(|errno| Error { side, errno })
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

impl Way {
    fn between(source: SFlag, destination: SFlag) -> Self {
        match (source, destination) {
            (SFlag::S_IFIFO, _) | (_, SFlag::S_IFIFO) => Self::Splice,
            (SFlag::S_IFREG, SFlag::S_IFREG) => Self::CopyFileRange,
            (SFlag::S_IFSOCK, _) | (SFlag::S_IFREG, SFlag::S_IFSOCK) => Self::Conduit,
            (SFlag::S_IFREG, _) => Self::Sendfile,
            _ => Self::Plain,
        }
    }
}

/// Lets a pipe hold more, so that writer and reader wake each other less often. The kernel may
/// refuse, for users who have many, and it works as well without.
pub fn enlarge_pipe(fd: BorrowedFd<'_>) {
    if fcntl(fd, FcntlArg::F_GETPIPE_SZ).is_ok_and(|capacity| capacity < PIPE_CAPACITY) {
        let _ = fcntl(fd, FcntlArg::F_SETPIPE_SZ(PIPE_CAPACITY));
    }
}

/// What kind of file it is; empty for a descriptor that is none, as the transfer will notice.
fn kind(fd: BorrowedFd<'_>) -> SFlag {
    fstat(fd)
        .map_or(SFlag::empty(), |status| SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT)
}

/// Whether the error means that the call is not for these descriptors, or not allowed at all,
/// rather than that moving bytes failed. Nothing was moved then, nor is an error of a socket lost.
fn is_unsupported(errno: Errno) -> bool {
    matches!(
        errno.0,
        libc::EINVAL
            | libc::EXDEV
            | libc::ENOSYS
            | libc::EOPNOTSUPP
            | libc::EBADF
            | libc::EPERM
            | libc::ETXTBSY
            | libc::EISDIR
            | libc::ESPIPE
            | libc::EOVERFLOW
    )
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

#[cfg(test)]
mod tests {
    use std::fs::{File, OpenOptions};
    use std::io::{Read, Seek, Write};
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::thread;

    use nix::fcntl::OFlag;
    use nix::unistd::{pipe, pipe2};

    use super::*;

    /// More than a pipe holds, and no multiple of anything.
    fn sample() -> Vec<u8> {
        (0..3_000_001_u32).map(|i| (i.wrapping_mul(i) / 7) as u8).collect()
    }

    fn file_with(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        file
    }

    fn contents(mut file: &File) -> Vec<u8> {
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// Runs the transfer while another thread writes the sample and closes its end.
    fn fed(end: impl Into<OwnedFd>, work: impl FnOnce()) {
        let mut end = File::from(end.into());
        thread::scope(|scope| {
            scope.spawn(move || end.write_all(&sample()).unwrap());
            work();
        });
    }

    /// Runs the transfer while another thread reads as much as the sample; returns what it read.
    fn drained(end: impl Into<OwnedFd>, work: impl FnOnce()) -> Vec<u8> {
        let mut end = File::from(end.into());
        thread::scope(|scope| {
            let reader = scope.spawn(move || {
                let mut bytes = vec![0; sample().len()];
                end.read_exact(&mut bytes).unwrap();
                (bytes, end)
            });
            work();
            // The end is open until the work is done: a reader that has left is another matter.
            reader.join().unwrap().0
        })
    }

    #[test]
    fn every_byte_arrives_in_order_between_any_two_kinds_of_descriptors() {
        let length = sample().len() as u64;
        let (pipe_out, pipe_in) = pipe().unwrap();
        let (pipe_out2, pipe_in2) = pipe().unwrap();
        let target = tempfile::tempfile().unwrap();
        fed(pipe_in, || assert_eq!(copy(&pipe_out, &target, None), Ok(length)));
        assert!(contents(&target) == sample(), "pipe to file");

        let source = file_with(&sample());
        let read = drained(pipe_out2, || assert_eq!(copy(&source, &pipe_in2, None), Ok(length)));
        assert!(read == sample(), "file to pipe");

        let (source, target) = (file_with(&sample()), tempfile::tempfile().unwrap());
        assert_eq!(copy(&source, &target, None), Ok(length));
        assert!(contents(&target) == sample(), "file to file");

        let (source, (near, far)) = (file_with(&sample()), UnixStream::pair().unwrap());
        let read = drained(far, || assert_eq!(copy(&source, &near, None), Ok(length)));
        assert!(read == sample(), "file to socket");

        let ((near, far), target) = (UnixStream::pair().unwrap(), tempfile::tempfile().unwrap());
        fed(far, || assert_eq!(copy(&near, &target, None), Ok(length)));
        assert!(contents(&target) == sample(), "socket to file");

        let ((from, feed), (to, drain)) =
            (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
        let read = drained(drain, || fed(feed, || assert_eq!(copy(&from, &to, None), Ok(length))));
        assert!(read == sample(), "socket to socket");
    }

    #[test]
    fn one_pipe_flows_into_another() {
        let ((from, feed), (drain, to)) = (pipe().unwrap(), pipe().unwrap());
        let read = drained(drain, || {
            fed(feed, || assert_eq!(copy(&from, &to, None), Ok(sample().len() as u64)));
        });
        assert!(read == sample());
    }

    #[test]
    fn no_more_is_taken_than_the_limit() {
        for limit in [0, 1, 4096, 1_000_000] {
            let (mut source, target) = (file_with(&sample()), tempfile::tempfile().unwrap());
            assert_eq!(copy(&source, &target, Some(limit)), Ok(limit));
            assert_eq!(source.stream_position().unwrap(), limit);
            assert!(contents(&target) == sample()[..limit as usize]);
        }
    }

    #[test]
    fn an_appending_file_is_appended_to() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        std::fs::write(&path, "first ").unwrap();
        let target = OpenOptions::new().append(true).open(&path).unwrap();
        assert_eq!(copy(file_with(b"second"), &target, None), Ok(6));
        let (pipe_out, pipe_in) = pipe().unwrap();
        File::from(pipe_in).write_all(b" third").unwrap();
        assert_eq!(copy(&pipe_out, &target, None), Ok(6));
        assert_eq!(std::fs::read(&path).unwrap(), b"first second third");
        // No pipe leads to it, which is noticed when there is something in one already.
        let (near, far) = UnixStream::pair().unwrap();
        fed(far, || assert_eq!(copy(&near, &target, None), Ok(sample().len() as u64)));
        assert!(std::fs::read(&path).unwrap() == [&b"first second third"[..], &sample()].concat());
    }

    #[test]
    fn a_file_that_pretends_to_be_empty_is_read() {
        let target = tempfile::tempfile().unwrap();
        let moved = copy(File::open("/proc/self/status").unwrap(), &target, None).unwrap();
        assert!(moved > 0);
        assert!(contents(&target).starts_with(b"Name:"));
    }

    #[test]
    fn the_side_that_failed_is_told() {
        let destination = |errno| Err(Error { side: Side::Destination, errno: Errno(errno) });
        let source = |errno| Err(Error { side: Side::Source, errno: Errno(errno) });
        let file = || file_with(b"some bytes");
        let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
        let (pipe_out, pipe_in) = pipe().unwrap();

        assert_eq!(copy(file(), full(), None), destination(libc::ENOSPC));
        assert_eq!(copy(File::open("/").unwrap(), file(), None), source(libc::EISDIR));
        assert_eq!(copy(&pipe_in, file(), None), source(libc::EBADF));
        assert_eq!(copy(file(), &pipe_out, None), destination(libc::EBADF));
        write(&pipe_in, b"some bytes").unwrap();
        assert_eq!(copy(&pipe_out, full(), None), destination(libc::ENOSPC));
        drop(pipe_out);
        assert_eq!(copy(file(), &pipe_in, None), destination(libc::EPIPE));
    }

    #[test]
    fn a_side_that_is_not_ready_is_waited_for_until_the_deadline() {
        let (pipe_out, pipe_in) = pipe2(OFlag::O_NONBLOCK).unwrap();
        let target = tempfile::tempfile().unwrap();
        let mut transfer = Transfer::new(pipe_out.as_fd(), target.as_fd(), None);
        assert_eq!(transfer.step(), Ok(Step::NotReady(Side::Source)));
        assert_eq!(transfer.run(|_| Deadline::PASSED), Ok(Waited::TimedOut));
        write(&pipe_in, b"late").unwrap();
        drop(pipe_in);
        assert_eq!(transfer.run(|_| Deadline::PASSED), Ok(Waited::Done(())));
        assert_eq!(transfer.moved(), 4);
    }

    #[test]
    fn a_full_destination_is_told_apart_and_loses_nothing() {
        for by_value in [false, true] {
            let source = file_with(&sample());
            let (pipe_out, pipe_in) = pipe2(OFlag::O_NONBLOCK).unwrap();
            let mut transfer = Transfer::new(source.as_fd(), pipe_in.as_fd(), None);
            if by_value {
                transfer = transfer.by_value();
            }
            let mut seen = None;
            let waited = transfer.run(|side| {
                seen = Some(side);
                Deadline::PASSED
            });
            assert_eq!((waited, seen), (Ok(Waited::TimedOut), Some(Side::Destination)));
            fcntl(&pipe_out, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
            let read = drained(pipe_out, || {
                assert_eq!(transfer.run(|_| Deadline::NEVER), Ok(Waited::Done(())));
            });
            assert!(read == sample());
        }
    }
}
