//! Pipes: making one, how much it holds and can hold, and moving its pages: pipe(7), tee(2), splice(2).

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, SpliceFFlags, fcntl, splice, tee};
use nix::unistd::pipe2;

use crate::base::errno::Errno;

/// The largest capacity that the kernel allows to everybody.
pub const CAPACITY: usize = 1 << 20;

/// What a pipe holds to begin with. Where no more is moved, it is not worth a system call to enlarge
/// one, nor to make one.
pub const CAPACITY_AT_FIRST: u64 = 64 << 10;

/// Lets a pipe hold more, so that writer and reader wake each other less often. Other descriptors
/// stay as they are. The kernel may refuse, for users who have many, and it works as well without.
pub fn enlarge(fd: impl AsFd) {
    if capacity(&fd).is_ok_and(|capacity| capacity < CAPACITY) {
        let _ = fcntl(&fd, FcntlArg::F_SETPIPE_SZ(CAPACITY as i32));
    }
}

/// The two ends of a new pipe, the one to read from first. A COMMAND gets neither of them by itself.
///
/// # Errors
/// EMFILE and the like.
pub fn create() -> Result<(OwnedFd, OwnedFd), Errno> {
    Ok(pipe2(OFlag::O_CLOEXEC)?)
}

/// Sets how many bytes a pipe can hold; the kernel rounds it up to a power of two pages.
///
/// # Errors
/// EPERM above the maximum for users, EBUSY below what it holds.
pub fn set_capacity(fd: impl AsFd, bytes: u64) -> Result<(), Errno> {
    let bytes = i32::try_from(bytes).map_err(|_| Errno(libc::EINVAL))?;
    fcntl(fd, FcntlArg::F_SETPIPE_SZ(bytes))?;
    Ok(())
}

/// Copies up to `count` bytes from the head of a pipe to another pipe, without a wait: they stay in
/// the first. 0 is the end.
///
/// # Errors
/// EAGAIN where the first is empty or the other is full.
pub fn duplicate(from: impl AsFd, to: impl AsFd, count: usize) -> Result<usize, Errno> {
    Ok(tee(from, to, count, SpliceFFlags::SPLICE_F_NONBLOCK)?)
}

/// Moves up to `count` bytes from a pipe to another descriptor, without a wait for a pipe. 0 is the
/// end.
///
/// # Errors
/// EAGAIN where the pipe is empty or the other takes nothing.
pub fn move_to(from: impl AsFd, to: impl AsFd, count: usize) -> Result<usize, Errno> {
    Ok(splice(from, None, to, None, count, SpliceFFlags::SPLICE_F_NONBLOCK)?)
}

/// How many bytes a pipe can hold.
pub fn capacity(fd: impl AsFd) -> Result<usize, Errno> {
    Ok(fcntl(fd, FcntlArg::F_GETPIPE_SZ)? as usize)
}

/// How many bytes it holds: FIONREAD.
pub fn length(fd: impl AsFd) -> Result<usize, Errno> {
    let mut count: libc::c_int = 0;
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the number lives through the call.
    Errno::check(unsafe { libc::ioctl(fd, libc::FIONREAD, &raw mut count) })?;
    Ok(count as usize)
}
