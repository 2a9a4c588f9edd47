//! The standard descriptors.

use std::os::fd::{BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::poll::{PollFd, PollFlags};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::unistd::isatty;

use super::{inode, pipe, poll, stream};
use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;

/// One of the three descriptors that a command is born with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stream {
    /// Standard input.
    Input,
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

impl Stream {
    /// Its descriptor.
    pub fn fd(self) -> BorrowedFd<'static> {
        // SAFETY: the entry point sees to it that the three are open, and nothing closes them.
        unsafe { BorrowedFd::borrow_raw(self as i32) }
    }
}

/// What may stand in the place of stdin where there is nothing to read.
pub fn nothing_to_read() -> Result<OwnedFd, Errno> {
    Ok(open("/dev/null", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?)
}

/// Writes all of it, waiting for room; tells as well how much was written before an error.
pub fn write_all(stream: Stream, bytes: &[u8]) -> (usize, Result<(), Errno>) {
    stream::write_counted(stream.fd(), bytes)
}

/// What stdout is, to somebody who does not want to wait in the middle of a write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sink {
    /// It never waits: it is a file.
    File,
    /// A pipe that holds so many bytes.
    Pipe(usize),
    /// A terminal or a socket.
    Peer,
    /// Another device.
    Device,
}

impl Sink {
    /// Looks at stdout, before something is taken from elsewhere that would be lost if it could not
    /// be written.
    ///
    /// # Errors
    /// EBADF if it is not open for writing.
    pub fn of_stdout() -> Result<Self, Errno> {
        let stdout = Stream::Output.fd();
        if fcntl(stdout, FcntlArg::F_GETFL)? & libc::O_ACCMODE == libc::O_RDONLY {
            return Err(Errno(libc::EBADF));
        }
        Ok(match inode::kind(&fstat(stdout)?) {
            SFlag::S_IFREG => Self::File,
            SFlag::S_IFIFO => Self::Pipe(pipe::capacity(stdout)?),
            SFlag::S_IFCHR if !is_terminal(Stream::Output) => Self::Device,
            _ => Self::Peer,
        })
    }

    /// How many bytes a write takes without waiting, when [`wait_for_room`] has found that it takes
    /// some. A pipe has a page then, which is all that can be known of one with something in it.
    pub fn room(self) -> usize {
        match self {
            Self::File | Self::Device => usize::MAX,
            Self::Pipe(capacity) if pipe::length(Stream::Output.fd()) == Ok(0) => capacity,
            Self::Pipe(_) | Self::Peer => libc::PIPE_BUF,
        }
    }
}

/// Waits until stdout takes something.
///
/// # Errors
/// EPIPE if its reader has left.
pub fn wait_for_room(deadline: Deadline) -> Result<Waited, Errno> {
    let mut fds = [PollFd::new(Stream::Output.fd(), PollFlags::POLLOUT)];
    let waited = poll::any(&mut fds, deadline)?;
    let gone = fds[0].revents().is_some_and(|events| events.intersects(HUNG_UP));
    if gone { Err(Errno(libc::EPIPE)) } else { Ok(waited) }
}

/// How poll(2) tells that the reader of a pipe or a socket has left.
const HUNG_UP: PollFlags = PollFlags::POLLERR.union(PollFlags::POLLHUP);

/// Whether a person looks at it.
pub fn is_terminal(stream: Stream) -> bool {
    isatty(stream.fd()).unwrap_or(false)
}
