//! One output of a stream with several outputs.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno::{EAGAIN, ENXIO};
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::poll::PollFlags;
use nix::sys::stat::{Mode, SFlag};
use nix::unistd::write;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::mechanism::fifo;
use crate::mechanism::pipe::tee::block::is_temporary;
use crate::sys::interrupt::{self, Attempt};
use crate::sys::{descriptor, heap, inode, poll};

/// What happens to an output that does not take its bytes as fast as the input has them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Slow {
    /// The stream waits for it.
    #[default]
    Wait,
    /// It misses records.
    Drop,
    /// It leaves the stream.
    Disconnect,
}

/// The reason why an output leaves the stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Why {
    /// The stream has ended.
    Ended,
    /// Its reader has closed it.
    ReaderClosed,
    /// It was too slow.
    TooSlow,
    /// A write failed.
    Failed(Errno),
}

impl Why {
    pub(super) fn of(errno: Errno) -> Self {
        if errno == Errno(libc::EPIPE) { Self::ReaderClosed } else { Self::Failed(errno) }
    }
}

/// An output.
#[derive(Debug)]
pub struct Output<'a> {
    name: Name,
    descriptor: Descriptor<'a>,
    kind: SFlag,
    slow: Slow,
    /// The number of bytes that it has taken and another output has not. Bytes that it misses count.
    pub(super) ahead: usize,
    pace: Pace,
    /// The rest of a record that it has begun, of blocks that it misses otherwise.
    rest: Vec<u8>,
    missed: u64,
    failure: Option<Why>,
}

/// How an output takes the stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Pace {
    /// It takes all bytes.
    Follows,
    /// It takes the rest of a record that has no end yet, and then waits for the next record.
    Finishes,
    /// It waits for the next record.
    Waits,
}

/// The maximum length of the rest of a record. A reader that lacks more leaves the stream.
const LONGEST_REST: usize = 1 << 20;

#[derive(Debug)]
enum Name {
    Path(PathBuf),
    Stream(&'static str),
}

#[derive(Debug)]
enum Descriptor<'a> {
    /// A descriptor of its own, which does not block.
    Own(OwnedFd),
    /// A descriptor of the caller. It may block, because the caller shares the open file
    /// description.
    Callers(BorrowedFd<'a>),
}

impl<'a> Output<'a> {
    /// Opens a file, which is created or truncated; the open of a FIFO waits for a reader until
    /// `deadline`.
    ///
    /// # Errors
    /// Those of open(2).
    pub fn open(path: &Path, deadline: Deadline) -> Result<Waited<Self>, Errno> {
        let Waited::Done(fd) = interrupt::until(deadline, |attempt| open_file(path, attempt))?
        else {
            return Ok(Waited::TimedOut);
        };
        fcntl(&fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Waited::Done(Self::new(Name::Path(path.into()), Descriptor::Own(fd))))
    }

    /// A descriptor of the caller, under this name.
    pub fn of_caller(name: &'static str, fd: BorrowedFd<'a>) -> Self {
        let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let is_writable = fcntl(fd, FcntlArg::F_GETFL)
            .is_ok_and(|flags| flags & libc::O_ACCMODE != libc::O_RDONLY);
        // A pipe is reopened, because a write to the caller's description would block.
        let own = match inode::kind_of(fd) {
            SFlag::S_IFIFO if is_writable => descriptor::reopen(fd, flags).ok(),
            _ => None,
        };
        Self::new(Name::Stream(name), own.map_or(Descriptor::Callers(fd), Descriptor::Own))
    }

    /// A FIFO that is open for writing and does not block.
    pub fn of_fifo(path: &Path, fd: OwnedFd, slow: Slow) -> Self {
        Self { slow, ..Self::new(Name::Path(path.into()), Descriptor::Own(fd)) }
    }

    /// The same output, which gets the stream from the next record on.
    pub fn joining_at_record(self) -> Self {
        Self { pace: Pace::Waits, ..self }
    }

    fn new(name: Name, descriptor: Descriptor<'a>) -> Self {
        let kind = match &descriptor {
            Descriptor::Own(fd) => inode::kind_of(fd),
            Descriptor::Callers(fd) => inode::kind_of(fd),
        };
        Self {
            name,
            descriptor,
            kind,
            slow: Slow::Wait,
            ahead: 0,
            pace: Pace::Follows,
            rest: Vec::new(),
            missed: 0,
            failure: None,
        }
    }

    /// Its path, or the name of the caller's descriptor.
    pub fn name(&self) -> &OsStr {
        match &self.name {
            Name::Path(path) => path.as_os_str(),
            Name::Stream(name) => name.as_ref(),
        }
    }

    /// Its path, if it was opened by one.
    pub fn path(&self) -> Option<&Path> {
        match &self.name {
            Name::Path(path) => Some(path),
            Name::Stream(_) => None,
        }
    }

    /// The number of records that it has missed.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    pub(super) fn is_pipe(&self) -> bool {
        self.kind == SFlag::S_IFIFO
    }

    pub(super) fn failure(&self) -> Option<Why> {
        self.failure
    }

    pub(super) fn fail(&mut self, why: Why) {
        self.failure = Some(why);
    }

    /// Whether the stream waits for it.
    pub(super) fn delays_others(&self) -> bool {
        self.slow == Slow::Wait
    }

    /// Whether it lacks bytes of a block of this length.
    pub(super) fn lacks(&self, length: usize) -> bool {
        self.ahead < length || !self.rest.is_empty()
    }

    /// Whether it takes all bytes.
    pub(super) fn follows(&self) -> bool {
        self.pace == Pace::Follows
    }

    /// Writes bytes of a block that it lacks; returns whether it took some, or failed.
    pub(super) fn copy(&mut self, block: &[u8]) -> bool {
        let bytes = if self.rest.is_empty() { &block[self.ahead..] } else { &self.rest };
        match self.write(bytes) {
            Ok(count) if self.rest.is_empty() => self.ahead += count,
            Ok(count) => drop(self.rest.drain(..count)),
            Err(errno) if is_temporary(errno) => return false,
            Err(errno) => self.fail(Why::of(errno.into())),
        }
        true
    }

    /// Misses the rest of a block in which records begin at `starts`, except the rest of a record
    /// that it has begun.
    pub(super) fn miss(&mut self, block: &[u8], starts: &[usize]) {
        if self.slow == Slow::Disconnect && self.lacks(block.len()) {
            self.fail(Why::TooSlow);
            self.ahead = block.len();
        }
        if self.ahead < block.len() {
            let first = starts.partition_point(|&start| start < self.ahead);
            let end = starts.get(first).copied();
            self.pace = if end.is_some() { Pace::Waits } else { Pace::Finishes };
            self.keep_rest(&block[self.ahead..end.unwrap_or(block.len())]);
            self.missed += (starts.len() - first) as u64;
            self.ahead = block.len();
        }
    }

    /// Begins a block in which records begin at `starts`.
    pub(super) fn begin(&mut self, block: &[u8], starts: &[usize]) {
        if self.pace == Pace::Follows {
            return;
        }
        let end = starts.first().copied().unwrap_or(block.len());
        if self.pace == Pace::Finishes {
            self.keep_rest(&block[..end]);
        }
        self.ahead = end;
        if !starts.is_empty() {
            self.pace = Pace::Follows;
        }
    }

    fn keep_rest(&mut self, bytes: &[u8]) {
        if self.rest.len() + bytes.len() > LONGEST_REST
            || heap::reserve(&mut self.rest, bytes.len()).is_err()
        {
            return self.fail(Why::TooSlow);
        }
        self.rest.extend_from_slice(bytes);
    }

    /// Misses also the rest of a record that it has begun.
    pub(super) fn forget(&mut self) {
        if !self.rest.is_empty() {
            self.rest.clear();
            self.missed += 1;
        }
    }

    /// Fails if poll(2) reports that its reader has closed.
    pub(super) fn note(&mut self, report: PollFlags) {
        let is_watched = !matches!(self.kind, SFlag::S_IFREG | SFlag::S_IFBLK);
        if is_watched && report.intersects(PollFlags::POLLERR | PollFlags::POLLHUP) {
            self.failure = Some(Why::ReaderClosed);
        }
    }

    /// Writes as many bytes as it accepts without waiting, as far as poll(2) can determine.
    fn write(&self, bytes: &[u8]) -> nix::Result<usize> {
        let is_waited_for = matches!(self.descriptor, Descriptor::Callers(_))
            && matches!(self.kind, SFlag::S_IFIFO | SFlag::S_IFSOCK | SFlag::S_IFCHR);
        if !is_waited_for {
            return write(self, bytes);
        }
        match poll::writable(self, Deadline::PASSED) {
            Ok(Waited::TimedOut) => Err(EAGAIN),
            _ => write(self, &bytes[..bytes.len().min(libc::PIPE_BUF)]),
        }
    }
}

/// Opens a file to replace it.
///
/// # Errors
/// EAGAIN for a FIFO without a reader, if the attempt does not wait.
fn open_file(path: &Path, attempt: Attempt) -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC;
    let flags = flags | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let nonblocking = match attempt {
        Attempt::Nonblocking => OFlag::O_NONBLOCK,
        Attempt::Blocking => OFlag::empty(),
    };
    match open(path, flags | nonblocking, Mode::from_bits_truncate(0o666)) {
        // A socket and a device without a driver have this error too.
        Err(ENXIO) if attempt == Attempt::Nonblocking && fifo::status(path).is_ok() => {
            Err(Errno(libc::EAGAIN))
        }
        opened => Ok(opened?),
    }
}

impl AsFd for Output<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.descriptor {
            Descriptor::Own(fd) => fd.as_fd(),
            Descriptor::Callers(fd) => *fd,
        }
    }
}
