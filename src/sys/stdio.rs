//! The standard descriptors.

use std::os::fd::BorrowedFd;

use nix::unistd::{isatty, write};

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

/// Writes all of it, waiting where a descriptor that somebody made non-blocking is full.
pub fn write_all(stream: Stream, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match write(stream.fd(), bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(nix::errno::Errno::EINTR) => {}
            Err(nix::errno::Errno::EAGAIN) => {
                let writable =
                    super::poll::writable(stream.fd(), crate::deadline::Deadline::NEVER)?;
                let crate::deadline::Waited::Done(()) = writable else {
                    unreachable!("no deadline")
                };
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Whether a person looks at it.
pub fn is_terminal(stream: Stream) -> bool {
    isatty(stream.fd()).unwrap_or(false)
}
