//! How much pipes hold, and can hold: pipe(7).

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::base::errno::Errno;

/// The largest capacity that the kernel allows to everybody.
pub const CAPACITY: usize = 1 << 20;

/// What a pipe holds to begin with. Where no more is moved, it is not worth a system call to enlarge
/// one, nor to make one.
pub const CAPACITY_AT_FIRST: u64 = 64 << 10;

/// A pipe: the end that is read, and the end that is written.
///
/// # Errors
/// EMFILE and the like.
pub fn new() -> Result<(OwnedFd, OwnedFd), Errno> {
    Ok(nix::unistd::pipe2(OFlag::O_CLOEXEC)?)
}

/// Lets a pipe hold more, so that writer and reader wake each other less often. Other descriptors
/// stay as they are. The kernel may refuse, for users who have many, and it works as well without.
pub fn enlarge(fd: impl AsFd) {
    if capacity(&fd).is_ok_and(|capacity| capacity < CAPACITY) {
        let _ = fcntl(&fd, FcntlArg::F_SETPIPE_SZ(CAPACITY as i32));
    }
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
