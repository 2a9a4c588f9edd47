//! System V shared memory segments: shmget(2), shmctl(2).

use std::mem::MaybeUninit;
use std::ptr;

use super::system_v::no_such;
use crate::base::errno::Errno;

/// SHM_DEST, a bit of the mode: the kernel removes the segment when the last process detaches it.
pub const MARKED: u32 = 0o1000;

/// The status of a segment.
pub type Status = libc::shmid_ds;

/// The identifier of the segment with this key. The segment is created if the flags contain IPC_CREAT.
pub fn get(key: i32, size: usize, flags: i32) -> Result<i32, Errno> {
    // SAFETY: the call takes numbers only.
    match unsafe { libc::shmget(key, size, flags) } {
        -1 => Err(Errno::last()),
        id => Ok(id),
    }
}

/// The status of a segment: IPC_STAT.
///
/// # Errors
/// ENOENT if no segment has this identifier; EACCES without permission to read it.
pub fn status(id: i32) -> Result<Status, Errno> {
    let mut status = MaybeUninit::<Status>::uninit();
    // SAFETY: the kernel writes one structure, and there is room for one.
    let result = unsafe { libc::shmctl(id, libc::IPC_STAT, status.as_mut_ptr()) };
    Errno::check(result).map_err(no_such)?;
    // SAFETY: the call succeeded, so the kernel has written the structure.
    Ok(unsafe { status.assume_init() })
}

/// Marks a segment for removal: IPC_RMID.
///
/// # Errors
/// ENOENT if no segment has this identifier; EPERM for a user that neither owns nor created it.
pub fn remove(id: i32) -> Result<(), Errno> {
    // SAFETY: the command reads and writes no structure.
    Errno::check(unsafe { libc::shmctl(id, libc::IPC_RMID, ptr::null_mut()) }).map_err(no_such)
}

/// Whether a segment is marked for removal.
pub fn is_marked(status: &Status) -> bool {
    u32::from(status.shm_perm.mode) & MARKED != 0
}
