//! Where bytes come from: read(2), pread(2), lseek(2).

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::stat::SFlag;
use nix::sys::uio::pread;
use nix::unistd::{Whence, lseek, read};

use crate::sys::inode;

/// A descriptor that bytes are taken from.
///
/// A file's position moves on when bytes have arrived where they go, and not when they are taken: so
/// whoever reads on in the file, when we have given up or were killed, begins with the first that did
/// not.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    fd: BorrowedFd<'a>,
    kind: SFlag,
    has_position: bool,
}

impl<'a> Source<'a> {
    /// What is behind this descriptor.
    pub fn new(fd: BorrowedFd<'a>) -> Self {
        let kind = inode::kind_of(fd);
        // Some files of the kernel's have none, such as trace_pipe.
        let has_position = kind == SFlag::S_IFREG && lseek(fd, 0, Whence::SeekCur).is_ok();
        Self { fd, kind, has_position }
    }

    /// The type of file that it is.
    pub fn kind(&self) -> SFlag {
        self.kind
    }

    /// Where in a file the next bytes are to be taken, while none are under way; `None` for what has
    /// no position.
    pub fn position(&self) -> nix::Result<Option<i64>> {
        self.has_position.then(|| lseek(self.fd, 0, Whence::SeekCur)).transpose()
    }

    /// Reads once; 0 is the end.
    pub fn read(&self, buffer: &mut [u8]) -> nix::Result<usize> {
        match self.position()? {
            Some(position) => pread(self.fd, buffer, position),
            None => read(self.fd, buffer),
        }
    }

    /// Notes that so many of the bytes that were taken have arrived.
    pub fn move_on(&self, count: usize) {
        if self.has_position {
            // It has a position, as was seen at first.
            let _ = lseek(self.fd, count as i64, Whence::SeekCur);
        }
    }
}

impl AsFd for Source<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd
    }
}
