//! The standard descriptors.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::isatty;

use super::stream;
use crate::base::errno::Errno;

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

/// Whether a person looks at it.
pub fn is_terminal(stream: Stream) -> bool {
    isatty(stream.fd()).unwrap_or(false)
}

/// How many columns a terminal has, if it tells: TIOCGWINSZ of ioctl_tty(2).
pub fn width(stream: Stream) -> Option<usize> {
    let mut size = MaybeUninit::<libc::winsize>::zeroed();
    let fd = stream.fd().as_raw_fd();
    // SAFETY: the kernel writes no more than the structure is.
    let result = unsafe { libc::ioctl(fd, libc::TIOCGWINSZ, size.as_mut_ptr()) };
    // SAFETY: zeros are a value of it, and the kernel may have written another.
    let size = unsafe { size.assume_init() };
    Some(usize::from(size.ws_col)).filter(|&columns| result == 0 && columns > 0)
}
