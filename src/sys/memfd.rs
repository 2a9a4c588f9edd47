//! Files in memory that nobody can name: memfd_create(2).

use std::os::fd::OwnedFd;

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::uio::pwrite;

use crate::errno::Errno;

/// A file with these bytes, at its beginning.
///
/// # Errors
/// ENOMEM, EMFILE.
pub fn with(bytes: &[u8]) -> Result<OwnedFd, Errno> {
    let file = memfd_create(c"ipc", MFdFlags::MFD_CLOEXEC)?;
    let mut written = 0;
    while written < bytes.len() {
        match pwrite(&file, &bytes[written..], written as i64) {
            Ok(count) => written += count,
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(file)
}
