//! Waiting until a descriptor is ready: poll(2).

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll, ppoll};
use nix::sys::time::TimeSpec;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;

/// Waits until one of them is ready, or has an error, which the next call on it tells.
///
/// The kernel's report of each stands in its `PollFd` afterwards.
pub fn any(fds: &mut [PollFd<'_>], deadline: Deadline) -> Result<Waited, Errno> {
    loop {
        match once(fds, deadline.remaining()) {
            Ok(0) if deadline.has_passed() => return Ok(Waited::TimedOut),
            Ok(0) | Err(nix::errno::Errno::EINTR) => {}
            Ok(_) => return Ok(Waited::Done(())),
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Waits once, perhaps not for all the time that is `left`.
///
/// When we were stopped and go on, ppoll(2) waits for what was left then, and poll(2) to the end that it
/// had from the beginning. But that counts in milliseconds.
fn once(fds: &mut [PollFd<'_>], left: Option<Duration>) -> nix::Result<i32> {
    match left.map(|left| i32::try_from(left.as_millis()).unwrap_or(i32::MAX)) {
        Some(milliseconds @ 1..) => {
            poll(fds, PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX))
        }
        _ => ppoll(fds, left.map(TimeSpec::from_duration), None),
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
