//! A small number that the kernel keeps with a file as long as it knows the file, for every process
//! that has it open: F_SET_RW_HINT of fcntl(2).
//!
//! For a regular file the number advises the file system how long the data will live. It has no
//! effect on a FIFO.

use std::os::fd::{AsFd, AsRawFd};

use crate::base::errno::Errno;

const F_GET_RW_HINT: libc::c_int = 1035;
const F_SET_RW_HINT: libc::c_int = 1036;

/// The greatest number.
pub const GREATEST: u64 = 5;

/// The number; 0 at first.
pub fn get(fd: impl AsFd) -> Result<u64, Errno> {
    let mut hint: u64 = 0;
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the number outlives the call, which writes to it.
    Errno::check(unsafe { libc::fcntl(fd, F_GET_RW_HINT, &raw mut hint) })?;
    Ok(hint)
}

/// Whether this process may set the number.
pub fn is_settable(fd: impl AsFd) -> bool {
    // The kernel checks the permission before the number.
    set(fd, GREATEST + 1) == Err(Errno(libc::EINVAL))
}

/// Sets the number, which is at most [`GREATEST`].
///
/// # Errors
/// EPERM for a file of another user.
pub fn set(fd: impl AsFd, hint: u64) -> Result<(), Errno> {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the number outlives the call, which reads it.
    Errno::check(unsafe { libc::fcntl(fd, F_SET_RW_HINT, &raw const hint) })
}
