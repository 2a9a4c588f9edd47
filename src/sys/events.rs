//! Waiting for many descriptors at once: epoll(7).

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;

/// The events of a descriptor that a wait ends for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Interest {
    /// There are bytes to read, or the end.
    Readable,
    /// There is room to write.
    Writable,
    /// Either of the two.
    Both,
    /// Only errors and hangups, which the kernel always reports.
    Nothing,
    /// Any change, reported once: edge-triggered.
    Changes,
}

/// Descriptors, each with a number that the caller chose.
#[derive(Debug)]
pub struct Events {
    epoll: Epoll,
    ready: Vec<EpollEvent>,
}

/// The number of descriptors that one wait reports.
const AT_ONCE: usize = 256;

/// The longest wait before the deadline is checked again.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

impl Events {
    /// A set without descriptors.
    pub fn new() -> Result<Self, Errno> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        Ok(Self { epoll, ready: vec![EpollEvent::empty(); AT_ONCE] })
    }

    /// Adds a descriptor. Closing the descriptor removes it.
    pub fn add(&self, fd: impl AsFd, number: u64, interest: Interest) -> Result<(), Errno> {
        Ok(self.epoll.add(fd, EpollEvent::new(flags(interest), number))?)
    }

    /// Changes the events of a descriptor.
    pub fn change(&self, fd: impl AsFd, number: u64, interest: Interest) -> Result<(), Errno> {
        Ok(self.epoll.modify(fd, &mut EpollEvent::new(flags(interest), number))?)
    }

    /// Removes a descriptor that other processes have copies of, so that closing it does not.
    pub fn remove(&self, fd: impl AsFd) {
        // It fails only for one that is not in the set.
        let _ = self.epoll.delete(fd);
    }

    /// Waits until descriptors are ready, and replaces the content of `numbers` by their numbers.
    pub fn wait(&mut self, numbers: &mut Vec<u64>, deadline: Deadline) -> Result<Waited, Errno> {
        loop {
            match self.epoll.wait(&mut self.ready, timeout(deadline)) {
                Ok(0) if deadline.has_passed() => return Ok(Waited::TimedOut),
                Ok(0) | Err(nix::errno::Errno::EINTR) => {}
                Ok(count) => {
                    numbers.clear();
                    numbers.extend(self.ready[..count].iter().map(EpollEvent::data));
                    return Ok(Waited::Done(()));
                }
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}

fn flags(interest: Interest) -> EpollFlags {
    match interest {
        Interest::Readable => EpollFlags::EPOLLIN,
        Interest::Writable => EpollFlags::EPOLLOUT,
        Interest::Both => EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT,
        Interest::Nothing => EpollFlags::empty(),
        Interest::Changes => EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLET,
    }
}

/// The time until the deadline in milliseconds, rounded up.
fn timeout(deadline: Deadline) -> EpollTimeout {
    let Some(left) = deadline.remaining() else { return EpollTimeout::NONE };
    let milliseconds = left.min(LONGEST).as_micros().div_ceil(1000);
    EpollTimeout::try_from(milliseconds).unwrap_or(EpollTimeout::MAX)
}
