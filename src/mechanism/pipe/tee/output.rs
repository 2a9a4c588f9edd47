//! One output of a stream with several outputs.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno::{EAGAIN, EINTR};
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::poll::PollFlags;
use nix::sys::stat::{Mode, SFlag};
use nix::unistd::write;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::mechanism::pipe::tee::Lost;
use crate::sys::{descriptor, inode, poll};

/// An output.
#[derive(Debug)]
pub struct Output<'a> {
    name: OsString,
    descriptor: Descriptor<'a>,
    kind: SFlag,
    /// The number of bytes that it has taken and another output has not.
    pub(super) ahead: usize,
    failure: Option<Errno>,
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
    /// Opens a file, which is created or truncated; the open of a FIFO waits for a reader.
    ///
    /// # Errors
    /// Those of open(2).
    pub fn open(path: &Path) -> Result<Self, Errno> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC;
        let flags = flags | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let fd = loop {
            match open(path, flags, Mode::from_bits_truncate(0o666)) {
                Err(EINTR) => {}
                opened => break opened?,
            }
        };
        fcntl(&fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Self::new(path.into(), Descriptor::Own(fd)))
    }

    /// A descriptor of the caller, under this name.
    pub fn of_caller(name: &str, fd: BorrowedFd<'a>) -> Self {
        let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let is_writable = fcntl(fd, FcntlArg::F_GETFL)
            .is_ok_and(|flags| flags & libc::O_ACCMODE != libc::O_RDONLY);
        // A pipe is reopened, because a write to the caller's description would block.
        let own = match inode::kind_of(fd) {
            SFlag::S_IFIFO if is_writable => descriptor::reopen(fd, flags).ok(),
            _ => None,
        };
        Self::new(name.into(), own.map_or(Descriptor::Callers(fd), Descriptor::Own))
    }

    fn new(name: OsString, descriptor: Descriptor<'a>) -> Self {
        let kind = match &descriptor {
            Descriptor::Own(fd) => inode::kind_of(fd),
            Descriptor::Callers(fd) => inode::kind_of(fd),
        };
        Self { name, descriptor, kind, ahead: 0, failure: None }
    }

    pub(super) fn is_pipe(&self) -> bool {
        self.kind == SFlag::S_IFIFO
    }

    pub(super) fn failure(&self) -> Option<Errno> {
        self.failure
    }

    pub(super) fn fail(&mut self, errno: Errno) {
        self.failure = Some(errno);
    }

    pub(super) fn into_lost(self) -> Lost {
        Lost { name: self.name, errno: self.failure.unwrap_or(Errno(libc::EPIPE)) }
    }

    /// Fails if poll(2) reports that its reader has closed.
    pub(super) fn note(&mut self, report: PollFlags) {
        let is_watched = !matches!(self.kind, SFlag::S_IFREG | SFlag::S_IFBLK);
        if is_watched && report.intersects(PollFlags::POLLERR | PollFlags::POLLHUP) {
            self.failure = Some(Errno(libc::EPIPE));
        }
    }

    /// Writes as many bytes as it accepts without waiting, as far as poll(2) can determine.
    pub(super) fn write(&self, bytes: &[u8]) -> nix::Result<usize> {
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

impl AsFd for Output<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.descriptor {
            Descriptor::Own(fd) => fd.as_fd(),
            Descriptor::Callers(fd) => *fd,
        }
    }
}
