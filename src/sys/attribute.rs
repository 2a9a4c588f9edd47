//! Extended attributes of open files: xattr(7).

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd};

use crate::base::errno::Errno;

/// Sets an attribute.
///
/// # Errors
/// EOPNOTSUPP if the file system has none.
pub fn set(file: impl AsFd, name: &CStr, value: &[u8]) -> Result<(), Errno> {
    let fd = file.as_fd().as_raw_fd();
    // SAFETY: the name and the value live through the call, with this size.
    Errno::check(unsafe {
        libc::fsetxattr(fd, name.as_ptr(), value.as_ptr().cast(), value.len(), 0)
    })
}

/// The value of an attribute.
///
/// # Errors
/// ENODATA if the file does not have it; EOPNOTSUPP if the file system has none; ERANGE if the value is
/// longer than `N` bytes.
pub fn get<const N: usize>(file: impl AsFd, name: &CStr) -> Result<Vec<u8>, Errno> {
    let (fd, mut value) = (file.as_fd().as_raw_fd(), vec![0; N]);
    // SAFETY: the name and the buffer live through the call, with this size.
    let size = unsafe { libc::fgetxattr(fd, name.as_ptr(), value.as_mut_ptr().cast(), N) };
    value.truncate(usize::try_from(size).map_err(|_| Errno::last())?);
    Ok(value)
}
