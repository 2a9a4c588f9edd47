//! Anonymous files in memory, and their seals: memfd_create(2), F_ADD_SEALS of fcntl(2).

use std::os::fd::{AsFd, OwnedFd};

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
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

/// Creates an empty file that can be sealed.
///
/// # Errors
/// As [`new`].
pub fn sealable() -> Result<OwnedFd, Errno> {
    Ok(memfd_create(c"ipc", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?)
}

/// The seals of a file whose bytes never change: neither their number, nor themselves, nor the seals.
fn all_seals() -> SealFlag {
    SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_SEAL
}

/// Seals a file, so that no process changes its bytes any more.
///
/// # Errors
/// EBUSY if it is mapped for writing; EINVAL if it cannot be sealed.
pub fn seal(file: impl AsFd) -> Result<(), Errno> {
    fcntl(file, FcntlArg::F_ADD_SEALS(all_seals()))?;
    Ok(())
}

/// Whether no process can change the bytes of a file any more. A file without seals is none.
pub fn is_sealed(file: impl AsFd) -> bool {
    let seals = fcntl(file, FcntlArg::F_GET_SEALS).unwrap_or(0);
    SealFlag::from_bits_retain(seals).contains(all_seals())
}
