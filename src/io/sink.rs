//! Stdout, for whoever does not want to wait in the middle of a write to it: poll(2), write(2) to
//! what is non-blocking.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::poll::{PollFd, PollFlags};
use nix::sys::stat::{Mode, SFlag, fstat};

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::stdio;
use crate::sys::stdio::Stream;
use crate::sys::{descriptor, inode, pipe, poll, stream};

/// Where stdout goes.
#[derive(Debug)]
pub struct Sink {
    kind: Kind,
    /// The same opened anew, non-blocking: that of stdout is shared with others, who may not expect
    /// it of theirs.
    own: Option<OwnedFd>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// It never waits.
    File,
    /// One that holds so many bytes.
    Pipe(usize),
    Terminal,
    Socket,
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
        let kind = match inode::kind(&fstat(stdout)?) {
            SFlag::S_IFREG => Kind::File,
            SFlag::S_IFIFO => Kind::Pipe(pipe::capacity(stdout)?),
            SFlag::S_IFSOCK => Kind::Socket,
            _ if stdio::is_terminal(Stream::Output) => Kind::Terminal,
            _ => Kind::Device,
        };
        let own = match kind {
            Kind::Pipe(_) | Kind::Terminal => open_anew(stdout),
            Kind::File | Kind::Socket | Kind::Device => None,
        };
        Ok(Self { kind, own })
    }

    /// How many bytes a write surely takes without waiting, when [`Sink::wait`] has found that it
    /// takes some. A pipe has a page then, which is all that can be known of one with something in it,
    /// and a terminal any number of bytes.
    pub fn room(&self) -> usize {
        match self.kind {
            Kind::File | Kind::Device => usize::MAX,
            Kind::Pipe(capacity) if pipe::length(Stream::Output.fd()) == Ok(0) => capacity,
            Kind::Pipe(_) | Kind::Socket => libc::PIPE_BUF,
            Kind::Terminal => 1,
        }
    }

    /// Waits until it takes something.
    ///
    /// # Errors
    /// EPIPE if its reader has left.
    pub fn wait(&self, deadline: Deadline) -> Result<Waited, Errno> {
        let mut fds = [PollFd::new(Stream::Output.fd(), PollFlags::POLLOUT)];
        self.look(&mut fds, deadline)
    }

    /// The same, or until there is something to read from `other`.
    ///
    /// # Errors
    /// EINTR if there is.
    pub fn wait_unless(&self, other: impl AsFd) -> Result<(), Errno> {
        let other = PollFd::new(other.as_fd(), PollFlags::POLLIN);
        let mut fds = [PollFd::new(Stream::Output.fd(), PollFlags::POLLOUT), other];
        let _: Waited = self.look(&mut fds, Deadline::NEVER)?;
        if fds[1].any() == Some(true) { Err(Errno(libc::EINTR)) } else { Ok(()) }
    }

    fn look(&self, fds: &mut [PollFd<'_>], deadline: Deadline) -> Result<Waited, Errno> {
        if self.kind == Kind::File {
            return Ok(Waited::Done(()));
        }
        let waited = poll::any(fds, deadline)?;
        let gone = fds[0].revents().is_some_and(|events| events.intersects(HUNG_UP));
        if gone { Err(Errno(libc::EPIPE)) } else { Ok(waited) }
    }

    /// Writes what it takes, and returns how much that is. Where it could not be opened anew it may
    /// have to wait.
    ///
    /// # Errors
    /// EAGAIN if it takes no more at the moment.
    pub fn write(&self, bytes: &[u8]) -> (usize, Result<(), Errno>) {
        let fd = self.own.as_ref().map_or(Stream::Output.fd(), AsFd::as_fd);
        stream::write_at_once(fd, bytes)
    }
}

/// How poll(2) tells that the reader of a pipe or a socket has left.
const HUNG_UP: PollFlags = PollFlags::POLLERR.union(PollFlags::POLLHUP);

/// Others may own it, and without a /proc it cannot be reached.
fn open_anew(fd: BorrowedFd<'_>) -> Option<OwnedFd> {
    let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    open(&descriptor::path(fd), flags, Mode::empty()).ok()
}
