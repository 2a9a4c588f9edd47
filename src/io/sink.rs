//! Writes to stdout without blocking in the middle of a write: poll(2), and write(2) to a
//! non-blocking descriptor.

use std::io::IsTerminal;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::poll::{PollFd, PollFlags};
use nix::sys::stat::{Mode, SFlag, fstat};

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::memory::page_size;
use crate::sys::{descriptor, inode, pipe, poll, stream};

/// The type of file of stdout.
#[derive(Debug)]
pub struct Sink {
    stdout: BorrowedFd<'static>,
    kind: Kind,
    /// The same file, opened anew as non-blocking. Other processes share the open file of stdout,
    /// and may not expect it to be non-blocking.
    own: Option<OwnedFd>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// A write to it never waits.
    File,
    /// A pipe with this capacity.
    Pipe(usize),
    Terminal,
    Socket,
    /// Another device.
    Device,
}

impl Sink {
    /// Checks stdout, before the caller receives messages that would be lost if they could not be
    /// written.
    ///
    /// # Errors
    /// EBADF if it is not open for writing.
    pub fn new(stdout: BorrowedFd<'static>) -> Result<Self, Errno> {
        if fcntl(stdout, FcntlArg::F_GETFL)? & libc::O_ACCMODE == libc::O_RDONLY {
            return Err(Errno(libc::EBADF));
        }
        let kind = match inode::kind(&fstat(stdout)?) {
            SFlag::S_IFREG => Kind::File,
            SFlag::S_IFIFO => Kind::Pipe(pipe::capacity(stdout)?),
            SFlag::S_IFSOCK => Kind::Socket,
            _ if stdout.is_terminal() => Kind::Terminal,
            _ => Kind::Device,
        };
        let own = match kind {
            Kind::Pipe(_) | Kind::Terminal => open_anew(stdout),
            Kind::File | Kind::Socket | Kind::Device => None,
        };
        Ok(Self { stdout, kind, own })
    }

    /// The number of bytes that a write certainly takes without waiting, after [`Sink::wait`] has
    /// found that it takes some. For a pipe it is certain if no other process writes to it.
    pub fn room(&self) -> usize {
        match self.kind {
            Kind::File | Kind::Device => usize::MAX,
            Kind::Pipe(capacity) => match pipe::length(self.stdout) {
                Ok(length) => room_beside(length, capacity),
                Err(_) => libc::PIPE_BUF,
            },
            Kind::Socket => libc::PIPE_BUF,
            Kind::Terminal => 1,
        }
    }

    /// Enlarges a pipe, before many bytes are written to it.
    pub fn enlarge(&mut self) {
        if let Kind::Pipe(capacity) = &mut self.kind {
            pipe::enlarge(self.stdout);
            *capacity = pipe::capacity(self.stdout).unwrap_or(*capacity);
        }
    }

    /// Waits until a write takes some bytes.
    ///
    /// # Errors
    /// EPIPE if its reader has closed it.
    pub fn wait(&self, deadline: Deadline) -> Result<Waited, Errno> {
        let mut fds = [PollFd::new(self.stdout, PollFlags::POLLOUT)];
        self.look(&mut fds, deadline)
    }

    /// The same, or until `other` is readable.
    ///
    /// # Errors
    /// EINTR if `other` is readable.
    pub fn wait_unless(&self, other: impl AsFd) -> Result<(), Errno> {
        let other = PollFd::new(other.as_fd(), PollFlags::POLLIN);
        let mut fds = [PollFd::new(self.stdout, PollFlags::POLLOUT), other];
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

    /// Writes as many of the bytes as stdout takes; returns their number. The write may block if
    /// stdout could not be reopened.
    ///
    /// # Errors
    /// EAGAIN if it takes no more at the moment.
    pub fn write(&self, bytes: &[u8]) -> (usize, Result<(), Errno>) {
        let fd = self.own.as_ref().map_or(self.stdout, AsFd::as_fd);
        stream::write_at_once(fd, bytes)
    }
}

/// The events by which poll(2) reports that the reader of a pipe or a socket has closed it.
const HUNG_UP: PollFlags = PollFlags::POLLERR.union(PollFlags::POLLHUP);

/// The room of a pipe that accepts a write and has so many bytes in it.
///
/// A write begins a page of its own, unless its beginning fits on the last page. So two pages next to
/// each other have more than a page of bytes together, except for the first, of which the reader may
/// have taken a part.
fn room_beside(length: usize, capacity: usize) -> usize {
    let page = page_size();
    let used = if length == 0 { 0 } else { 2 * length.div_ceil(page) + 1 };
    (capacity / page).saturating_sub(used).saturating_mul(page).max(libc::PIPE_BUF)
}

/// Reopens the file of a descriptor. That fails if the file belongs to another user, or without
/// /proc.
fn open_anew(fd: BorrowedFd<'_>) -> Option<OwnedFd> {
    let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    open(&descriptor::path(fd), flags, Mode::empty()).ok()
}

#[cfg(test)]
mod tests {
    use nix::unistd::{read, write};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_pipe_takes_as_much_as_it_has_room_for(
            steps in prop::collection::vec((1_usize..9000, 0_usize..9000), 1..20),
        ) {
            let (reader, writer) = pipe::new_for_events().unwrap();
            pipe::make_non_blocking(&writer).unwrap();
            let capacity = pipe::capacity(&writer).unwrap();
            for (written, taken) in steps {
                // What poll(2) finds before the question for room.
                if poll::writable(&writer, Deadline::PASSED) == Ok(Waited::TimedOut) {
                    break;
                }
                let _ = write(&writer, &vec![0; written]);
                let _ = read(&reader, &mut vec![0; taken]);
            }
            if poll::writable(&writer, Deadline::PASSED) == Ok(Waited::Done(())) {
                let room = room_beside(pipe::length(&writer).unwrap(), capacity);
                prop_assert_eq!(write(&writer, &vec![0; room]), Ok(room));
            }
        }
    }
}
