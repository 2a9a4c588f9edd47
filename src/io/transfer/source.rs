//! The source of a transfer: read(2), pread(2), lseek(2).

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::stat::SFlag;
use nix::sys::uio::pread;
use nix::unistd::{Whence, lseek, read};

use crate::sys::inode;

/// A descriptor that bytes are read from.
///
/// The position of a file is advanced when the bytes have reached the destination, not when they
/// are read. If the transfer ends early, or the process is killed, the next reader of the file
/// begins with the first byte that was not moved.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    fd: BorrowedFd<'a>,
    kind: SFlag,
    has_position: bool,
}

impl<'a> Source<'a> {
    /// The source of this descriptor.
    pub fn new(fd: BorrowedFd<'a>) -> Self {
        let kind = inode::kind_of(fd);
        // Some files of the kernel have no position, such as trace_pipe.
        let has_position = kind == SFlag::S_IFREG && lseek(fd, 0, Whence::SeekCur).is_ok();
        Self { fd, kind, has_position }
    }

    /// The type of file.
    pub fn kind(&self) -> SFlag {
        self.kind
    }

    /// The position of the next read, while no bytes are in transit; `None` if it has no position.
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

    /// Advances the position by bytes that have reached the destination.
    pub fn move_on(&self, count: usize) {
        if self.has_position {
            // It cannot fail: the source has a position.
            let _ = lseek(self.fd, count as i64, Whence::SeekCur);
        }
    }
}

impl AsFd for Source<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd
    }
}
