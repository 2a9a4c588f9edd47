//! Files in memory that nobody can name: memfd_create(2).

use std::os::fd::OwnedFd;

use nix::sys::memfd::{MFdFlags, memfd_create};

use super::stream;
use crate::errno::Errno;

/// A file with these bytes, at its beginning.
///
/// # Errors
/// ENOMEM, EMFILE.
pub fn with(bytes: &[u8]) -> Result<OwnedFd, Errno> {
    let file = memfd_create(c"ipc", MFdFlags::MFD_CLOEXEC)?;
    stream::write_at(&file, bytes, 0)?;
    Ok(file)
}
