//! Whether two descriptors are of one open file: kcmp(2).

use std::os::fd::{AsFd, AsRawFd};

use nix::sys::stat::fstat;

use super::inode;

/// Whether both are of the same open file: kcmp(2). Where the kernel does not have that, only sockets
/// are compared, of which each has its own inode.
pub fn is_same_file(one: impl AsFd, other: impl AsFd) -> bool {
    /// Of linux/kcmp.h.
    const KCMP_FILE: i32 = 0;
    let (one, other, pid) = (one.as_fd(), other.as_fd(), std::process::id());
    let numbers = (one.as_raw_fd(), other.as_raw_fd());
    // SAFETY: the call takes numbers only.
    let order = unsafe { libc::syscall(libc::SYS_kcmp, pid, pid, KCMP_FILE, numbers.0, numbers.1) };
    match (order, fstat(one), fstat(other)) {
        (0.., ..) => order == 0,
        (_, Ok(one), Ok(other)) => inode::is_socket(&one) && inode::is_same(&one, &other),
        _ => false,
    }
}
