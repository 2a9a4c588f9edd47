//! The capacity of pipes, and the number of bytes in them: pipe(7).

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

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

/// Enlarges a pipe, so that writer and reader wake each other less often. It has no effect on other
/// types of file, or if the kernel refuses because the user has too much memory in pipes.
pub fn enlarge(fd: impl AsFd) {
    if capacity(&fd).is_ok_and(|capacity| capacity < CAPACITY) {
        let _ = fcntl(&fd, FcntlArg::F_SETPIPE_SZ(CAPACITY as i32));
    }
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
