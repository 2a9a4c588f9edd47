//! Telling a thread that waits for descriptors something by one: eventfd(2).

use std::os::fd::{AsFd, BorrowedFd};

use nix::poll::{PollFd, PollFlags};
use nix::sys::eventfd::{EfdFlags, EventFd};

use super::poll;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;

/// A bell that rings once, and is heard from then on: its descriptor becomes readable.
#[derive(Debug)]
pub struct Bell(EventFd);

impl Bell {
    /// One that has not rung.
    pub fn new() -> Result<Self, Errno> {
        Ok(Self(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?))
    }

    /// Rings it.
    pub fn ring(&self) {
        // It fails where the counter is full, and then it has rung before.
        let _ = self.0.write(1);
    }

    /// Lets it ring again.
    pub fn reset(&self) {
        // It fails where it has not rung.
        let _ = self.0.read();
    }

    /// Whether it has rung.
    pub fn has_rung(&self) -> bool {
        let mut fds = [PollFd::new(self.as_fd(), PollFlags::POLLIN)];
        poll::any(&mut fds, Deadline::PASSED) == Ok(Waited::Done(()))
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
