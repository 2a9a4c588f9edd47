//! Pipes: their creation and capacity, the number of bytes in them, and calls that move those bytes
//! within the kernel: pipe(7), tee(2), splice(2).

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, SpliceFFlags, fcntl, splice, tee};

use crate::base::errno::Errno;

/// The maximum capacity that the kernel allows without privileges.
pub const CAPACITY: usize = 1 << 20;

/// The initial capacity of a pipe. To move at most this much, it is not worth a system call to enlarge
/// a pipe or to make one.
pub const CAPACITY_AT_FIRST: u64 = 64 << 10;

/// A pipe: the end that is read, and the end that is written.
///
/// # Errors
/// EMFILE and the like.
pub fn new() -> Result<(OwnedFd, OwnedFd), Errno> {
    Ok(nix::unistd::pipe2(OFlag::O_CLOEXEC)?)
}

/// A pipe whose end that is read fails with EAGAIN where it would wait.
///
/// # Errors
/// As [`new`].
pub fn new_for_events() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (end, other_end) = new()?;
    make_non_blocking(&end)?;
    Ok((end, other_end))
}

/// Makes calls on an end of a new pipe fail with EAGAIN where they would wait.
pub fn make_non_blocking(end: impl AsFd) -> Result<(), Errno> {
    fcntl(end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(())
}

/// Enlarges a pipe, so that writer and reader wake each other less often. It has no effect on other
/// types of file, or if the kernel refuses because the user has too much memory in pipes.
pub fn enlarge(fd: impl AsFd) {
    if capacity(&fd).is_ok_and(|capacity| capacity < CAPACITY) {
        let _ = fcntl(&fd, FcntlArg::F_SETPIPE_SZ(CAPACITY as i32));
    }
}

/// Sets the capacity of a pipe in bytes; the kernel rounds it up to a power of two pages.
///
/// # Errors
/// EPERM above the maximum for users, EBUSY below the number of bytes in the pipe.
pub fn set_capacity(fd: impl AsFd, bytes: u64) -> Result<(), Errno> {
    let bytes = i32::try_from(bytes).map_err(|_| Errno(libc::EINVAL))?;
    fcntl(fd, FcntlArg::F_SETPIPE_SZ(bytes))?;
    Ok(())
}

/// Copies up to `count` bytes from the head of a pipe to another pipe, without a wait; the bytes stay
/// in the first. 0 is the end.
///
/// # Errors
/// EAGAIN if the first is empty or the other is full.
pub fn duplicate(from: impl AsFd, to: impl AsFd, count: usize) -> Result<usize, Errno> {
    Ok(tee(from, to, count, SpliceFFlags::SPLICE_F_NONBLOCK)?)
}

/// Moves up to `count` bytes from a pipe to another descriptor, without a wait for a pipe. 0 is the
/// end.
///
/// # Errors
/// EAGAIN if the pipe is empty or the other is full.
pub fn move_to(from: impl AsFd, to: impl AsFd, count: usize) -> Result<usize, Errno> {
    Ok(splice(from, None, to, None, count, SpliceFFlags::SPLICE_F_NONBLOCK)?)
}

/// The capacity of a pipe in bytes.
pub fn capacity(fd: impl AsFd) -> Result<usize, Errno> {
    Ok(fcntl(fd, FcntlArg::F_GETPIPE_SZ)? as usize)
}

/// The number of bytes in a pipe: FIONREAD.
pub fn length(fd: impl AsFd) -> Result<usize, Errno> {
    let mut count: libc::c_int = 0;
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the number lives through the call.
    Errno::check(unsafe { libc::ioctl(fd, libc::FIONREAD, &raw mut count) })?;
    Ok(count as usize)
}
