//! Offsets in files, which the kernel has as signed numbers: lseek(2).

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::stat::fstat;
use nix::unistd::{Whence, lseek};

use super::inode::is_regular;
use crate::base::errno::Errno;

/// The offset as the kernel takes it.
///
/// # Errors
/// EFBIG for one that no file reaches.
pub fn signed(offset: u64) -> Result<i64, Errno> {
    i64::try_from(offset).map_err(|_| Errno(libc::EFBIG))
}

/// Has what is read and written next begin here.
///
/// # Errors
/// EFBIG; ESPIPE for what is no file.
pub fn seek(fd: impl AsFd, offset: u64) -> Result<(), Errno> {
    lseek(fd, signed(offset)?, Whence::SeekSet)?;
    Ok(())
}

/// How much there is to read from a descriptor, where it tells: from a file.
pub fn remaining(source: BorrowedFd<'_>) -> Option<u64> {
    let status = fstat(source).ok()?;
    if !is_regular(&status) {
        return None;
    }
    let position = lseek(source, 0, Whence::SeekCur).ok()?;
    // Files of /proc have no size, and much to read.
    u64::try_from(status.st_size - position).ok().filter(|_| status.st_size > 0)
}
