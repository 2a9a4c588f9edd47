//! Anonymous files in memory: memfd_create(2).

use std::os::fd::{AsFd, OwnedFd};

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::ftruncate;

use super::stream;
use crate::base::errno::Errno;

/// Creates an empty file.
///
/// # Errors
/// ENOMEM, EMFILE.
pub fn new() -> Result<OwnedFd, Errno> {
    Ok(memfd_create(c"ipc", MFdFlags::MFD_CLOEXEC)?)
}

/// Creates a file of these bytes, and positions it at its beginning.
///
/// # Errors
/// As [`new`].
pub fn with(bytes: &[u8]) -> Result<OwnedFd, Errno> {
    let file = new()?;
    stream::write_at(&file, bytes, 0)?;
    Ok(file)
}

/// Sets the length of a file; what is new is zero.
///
/// # Errors
/// ENOSPC, EFBIG.
pub fn set_length(file: impl AsFd, length: u64) -> Result<(), Errno> {
    let length = i64::try_from(length).map_err(|_| Errno(libc::EFBIG))?;
    Ok(ftruncate(file, length)?)
}
