//! The standard descriptors.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::isatty;

use super::stream;
use crate::base::errno::Errno;

/// One of the three standard descriptors of a process.
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
        // SAFETY: the entry point opens those that are closed, and nothing closes them later.
        unsafe { BorrowedFd::borrow_raw(self as i32) }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd()
    }
}

/// An empty stdin: /dev/null.
pub fn nothing_to_read() -> Result<OwnedFd, Errno> {
    Ok(open("/dev/null", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?)
}

/// Writes all bytes, and waits for room; returns also how many were written before an error.
pub fn write_all(fd: impl AsFd, bytes: &[u8]) -> (usize, Result<(), Errno>) {
    stream::write_counted(fd, bytes)
}

/// Whether the descriptor is a terminal.
pub fn is_terminal(fd: impl AsFd) -> bool {
    isatty(fd).unwrap_or(false)
}

/// The number of columns of a terminal, if the terminal reports it: TIOCGWINSZ of ioctl_tty(2).
pub fn width(fd: impl AsFd) -> Option<usize> {
    let mut size = MaybeUninit::<libc::winsize>::zeroed();
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the kernel writes at most the size of the structure.
    let result = unsafe { libc::ioctl(fd, libc::TIOCGWINSZ, size.as_mut_ptr()) };
    // SAFETY: zeros are a value of it, and the kernel may have written another.
    let size = unsafe { size.assume_init() };
    Some(usize::from(size.ws_col)).filter(|&columns| result == 0 && columns > 0)
}
