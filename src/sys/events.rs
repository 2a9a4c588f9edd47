//! Waiting for many descriptors at once: epoll(7).

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;

/// What a descriptor is waited for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Interest {
    /// Something to read, the end included.
    Readable,
    /// Room to write.
    Writable,
    /// Either of the two.
    Both,
    /// Nothing but errors and the peer's having left, of which the kernel always tells.
    Nothing,
    /// Anything that changes: each event is reported once, and a state that lasts is no event.
    Changes,
}

/// Descriptors, each under a number of the caller's.
#[derive(Debug)]
pub struct Events {
    epoll: Epoll,
    ready: Vec<EpollEvent>,
}

/// How many descriptors one wait tells of.
const AT_ONCE: usize = 256;

/// The longest that a wait lasts before the deadline is looked at again.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

impl Events {
    /// No descriptors yet.
    pub fn new() -> Result<Self, Errno> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        Ok(Self { epoll, ready: vec![EpollEvent::empty(); AT_ONCE] })
    }

    /// Waits for this descriptor as well. Closing it ends that.
    pub fn add(&self, fd: impl AsFd, number: u64, interest: Interest) -> Result<(), Errno> {
        Ok(self.epoll.add(fd, EpollEvent::new(flags(interest), number))?)
    }

    /// Waits for something else of this descriptor.
    pub fn change(&self, fd: impl AsFd, number: u64, interest: Interest) -> Result<(), Errno> {
        Ok(self.epoll.modify(fd, &mut EpollEvent::new(flags(interest), number))?)
    }

    /// Waits until some are ready; puts their numbers in place of what is in `numbers`.
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

/// In milliseconds, and never short of the deadline.
fn timeout(deadline: Deadline) -> EpollTimeout {
    let Some(left) = deadline.remaining() else { return EpollTimeout::NONE };
    let milliseconds = left.min(LONGEST).as_micros().div_ceil(1000);
    EpollTimeout::try_from(milliseconds).unwrap_or(EpollTimeout::MAX)
}
