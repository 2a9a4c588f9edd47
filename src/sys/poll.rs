//! Waiting until a descriptor is ready: poll(2).

use std::os::fd::{AsFd, BorrowedFd};

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;

/// Waits until one of them is ready, or has an error, which the next call on it tells.
///
/// The kernel's report of each stands in its `PollFd` afterwards.
pub fn any(fds: &mut [PollFd<'_>], deadline: Deadline) -> Result<Waited, Errno> {
    loop {
        let left = deadline.remaining();
        match ppoll(fds, left.map(TimeSpec::from_duration), None) {
            Ok(0) if deadline.has_passed() => return Ok(Waited::TimedOut),
            Ok(0) | Err(nix::errno::Errno::EINTR) => {}
            Ok(_) => return Ok(Waited::Done(())),
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Waits until there is something to read from one of them.
pub fn any_readable(fds: &[BorrowedFd<'_>], deadline: Deadline) -> Result<Waited, Errno> {
    let mut fds: Vec<_> = fds.iter().map(|&fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
    any(&mut fds, deadline)
}

/// Waits until there is something to read from it, the end included.
pub fn readable(fd: impl AsFd, deadline: Deadline) -> Result<Waited, Errno> {
    one(fd.as_fd(), PollFlags::POLLIN, deadline)
}

/// As [`readable`], or until the reader of `sink` has left, which the next write to it tells.
pub fn readable_for(fd: impl AsFd, sink: impl AsFd, deadline: Deadline) -> Result<Waited, Errno> {
    let watched = PollFd::new(sink.as_fd(), PollFlags::empty());
    any(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLIN), watched], deadline)
}

/// Waits until it takes something, or never will again.
pub fn writable(fd: impl AsFd, deadline: Deadline) -> Result<Waited, Errno> {
    one(fd.as_fd(), PollFlags::POLLOUT, deadline)
}

fn one(fd: BorrowedFd<'_>, events: PollFlags, deadline: Deadline) -> Result<Waited, Errno> {
    any(&mut [PollFd::new(fd, events)], deadline)
}
