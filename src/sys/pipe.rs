//! How much pipes hold: pipe(7).

use std::os::fd::AsFd;

use nix::fcntl::{FcntlArg, fcntl};

/// The largest capacity that the kernel allows to everybody.
pub const CAPACITY: usize = 1 << 20;

/// What a pipe holds to begin with. Where no more is moved, it is not worth a system call to enlarge
/// one, nor to make one.
pub const CAPACITY_AT_FIRST: u64 = 64 << 10;

/// Lets a pipe hold more, so that writer and reader wake each other less often. Other descriptors
/// stay as they are. The kernel may refuse, for users who have many, and it works as well without.
pub fn enlarge(fd: impl AsFd) {
    let largest = CAPACITY as i32;
    if fcntl(&fd, FcntlArg::F_GETPIPE_SZ).is_ok_and(|capacity| capacity < largest) {
        let _ = fcntl(&fd, FcntlArg::F_SETPIPE_SZ(largest));
    }
}
