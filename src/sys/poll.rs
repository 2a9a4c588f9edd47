//! Waiting until a descriptor is ready: poll(2).

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll, ppoll};
use nix::sys::time::TimeSpec;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;

/// Waits until one of them is ready or has an error, which the next call on it returns.
///
/// Afterwards each `PollFd` has the events that the kernel reported.
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

/// Waits once, perhaps for a shorter time than `left`.
///
/// After a stop, ppoll(2) waits again for the whole rest, and poll(2) keeps its original end, but has
/// only milliseconds.
fn once(fds: &mut [PollFd<'_>], left: Option<Duration>) -> nix::Result<i32> {
    match left.map(|left| i32::try_from(left.as_millis()).unwrap_or(i32::MAX)) {
        Some(milliseconds @ 1..) => {
            poll(fds, PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX))
        }
        _ => ppoll(fds, left.map(TimeSpec::from_duration), None),
    }
}

/// Waits until one of them is readable.
pub fn any_readable(fds: &[BorrowedFd<'_>], deadline: Deadline) -> Result<Waited, Errno> {
    let mut fds: Vec<_> = fds.iter().map(|&fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
    any(&mut fds, deadline)
}

/// Waits until it is readable, or at its end.
pub fn readable(fd: impl AsFd, deadline: Deadline) -> Result<Waited, Errno> {
    one(fd.as_fd(), PollFlags::POLLIN, deadline)
}

/// As [`readable`], or until the reader of `sink` has left, so that the next write to it fails.
pub fn readable_for(fd: impl AsFd, sink: impl AsFd, deadline: Deadline) -> Result<Waited, Errno> {
    let watched = PollFd::new(sink.as_fd(), PollFlags::empty());
    any(&mut [PollFd::new(fd.as_fd(), PollFlags::POLLIN), watched], deadline)
}

/// Waits until the reader of a descriptor has left, so that the next write to it fails.
pub fn without_reader(sink: impl AsFd, deadline: Deadline) -> Result<Waited, Errno> {
    any(&mut [PollFd::new(sink.as_fd(), PollFlags::empty())], deadline)
}

/// Waits until it is writable, or has no reader any more.
pub fn writable(fd: impl AsFd, deadline: Deadline) -> Result<Waited, Errno> {
    one(fd.as_fd(), PollFlags::POLLOUT, deadline)
}

/// Whether the peer of a socket has closed it, even if some of its bytes are unread.
pub fn has_hung_up(socket: impl AsFd) -> bool {
    let mut fds = [PollFd::new(socket.as_fd(), PollFlags::empty())];
    let reported = any(&mut fds, Deadline::PASSED);
    reported.is_ok() && fds[0].revents().is_some_and(|events| events.contains(PollFlags::POLLHUP))
}

fn one(fd: BorrowedFd<'_>, events: PollFlags, deadline: Deadline) -> Result<Waited, Errno> {
    any(&mut [PollFd::new(fd, events)], deadline)
}
