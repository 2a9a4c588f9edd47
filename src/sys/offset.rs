//! Offsets in files, which are signed numbers in the kernel: lseek(2).

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::stat::fstat;
use nix::unistd::{Whence, lseek};

use super::inode::is_regular;
use crate::base::errno::Errno;

/// The offset as a signed number.
///
/// # Errors
/// EFBIG for an offset beyond every file.
pub fn signed(offset: u64) -> Result<i64, Errno> {
    i64::try_from(offset).map_err(|_| Errno(libc::EFBIG))
}

/// Sets the position of a file.
///
/// # Errors
/// EFBIG; ESPIPE for a pipe or a socket.
pub fn seek(fd: impl AsFd, offset: u64) -> Result<(), Errno> {
    lseek(fd, signed(offset)?, Whence::SeekSet)?;
    Ok(())
}

/// The number of bytes from the position of a regular file to its end; `None` for anything else.
pub fn remaining(source: BorrowedFd<'_>) -> Option<u64> {
    let status = fstat(source).ok()?;
    if !is_regular(&status) {
        return None;
    }
    let position = lseek(source, 0, Whence::SeekCur).ok()?;
    // Files of /proc have contents and report a size of 0.
    u64::try_from(status.st_size - position).ok().filter(|_| status.st_size > 0)
}
