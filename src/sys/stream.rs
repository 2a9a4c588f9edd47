//! Bytes from descriptors: read(2).

use std::os::fd::AsFd;

use super::poll;
use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;

/// Reads what there is, waiting for something even where somebody made the descriptor
/// non-blocking; 0 is the end.
pub fn read(fd: impl AsFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    loop {
        match nix::unistd::read(&fd, buffer) {
            Ok(count) => return Ok(count),
            Err(nix::errno::Errno::EINTR) => {}
            Err(nix::errno::Errno::EAGAIN) => match poll::readable(&fd, Deadline::NEVER)? {
                Waited::Done(()) | Waited::TimedOut => {}
            },
            Err(errno) => return Err(errno.into()),
        }
    }
}
