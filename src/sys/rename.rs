//! Renaming without replacing: renameat2(2).

use std::ffi::CStr;

use crate::base::errno::Errno;

/// Renames a file.
///
/// # Errors
/// EEXIST if the new name is in use.
pub fn without_replacing(old: &CStr, new: &CStr) -> Result<(), Errno> {
    // SAFETY: both paths live through the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_renameat2,
            libc::AT_FDCWD,
            old.as_ptr(),
            libc::AT_FDCWD,
            new.as_ptr(),
            libc::RENAME_NOREPLACE,
        )
    };
    Errno::check(result)
}
