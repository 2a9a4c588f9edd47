//! Offsets in files, which the kernel has as signed numbers: lseek(2).

use std::os::fd::AsFd;

use nix::unistd::{Whence, lseek};

use crate::errno::Errno;

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
