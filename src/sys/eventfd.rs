//! Waking a thread that waits for descriptors, and a counter: eventfd(2).

use std::os::fd::{AsFd, BorrowedFd};

use nix::poll::{PollFd, PollFlags};
use nix::sys::eventfd::{EfdFlags, EventFd};

use super::poll;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;

/// An event that happens once: its descriptor is readable from then on.
#[derive(Debug)]
pub struct Bell(EventFd);

impl Bell {
    /// A bell that has not rung.
    pub fn new() -> Result<Self, Errno> {
        Ok(Self(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?))
    }

    /// Rings it.
    pub fn ring(&self) {
        // It fails if the counter is full, and then the bell has rung before.
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

/// A counter from which a reader takes everything at once.
#[derive(Debug)]
pub struct Counter(EventFd);

impl Counter {
    /// A counter of 0, whose reader waits.
    pub fn new() -> Result<Self, Errno> {
        Ok(Self(EventFd::from_flags(EfdFlags::EFD_CLOEXEC)?))
    }

    /// Adds to the counter.
    ///
    /// # Errors
    /// EAGAIN if it is non-blocking and the sum would exceed the maximum; EINTR.
    pub fn add(&self, number: u64) -> Result<(), Errno> {
        Ok(self.0.write(number).map(drop)?)
    }

    /// Takes the sum.
    ///
    /// # Errors
    /// EAGAIN if it is non-blocking and 0; EINTR.
    pub fn take(&self) -> Result<u64, Errno> {
        Ok(self.0.read()?)
    }
}

impl AsFd for Counter {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
