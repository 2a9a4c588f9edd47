//! Properties of a file in its status: inode(7).

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno::{EBADF, ENOENT};
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, open};
use nix::sys::stat::{FchmodatFlags, FileStat, Mode, SFlag, fchmod, fchmodat, fstat, lstat, stat};
use nix::sys::statvfs::statvfs;
use nix::unistd::{Gid, Uid, fchownat};

use super::descriptor;
use crate::base::errno::Errno;

/// Whether symbolic links are followed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Links {
    /// They are, as the caller chose the path.
    Followed,
    /// They are refused, as every user can create one there.
    Refused,
}

/// The status of the file at a path.
///
/// # Errors
/// ENOENT if there is none.
pub fn status(path: &Path) -> Result<FileStat, Errno> {
    Ok(stat(path)?)
}

/// The status of the file at a path. A symbolic link at its end is not followed.
///
/// # Errors
/// ENOENT if there is none.
pub fn status_of_link(path: &Path) -> Result<FileStat, Errno> {
    Ok(lstat(path)?)
}

/// The type: one of the flags in S_IFMT.
pub fn kind(status: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT
}

/// The type of the file of a descriptor; empty for a bad descriptor, whose first use fails.
pub fn kind_of(fd: impl AsFd) -> SFlag {
    fstat(fd).map_or(SFlag::empty(), |status| kind(&status))
}

/// The number of bytes in the file of a descriptor.
///
/// # Errors
/// Those of fstat(2).
pub fn length(fd: impl AsFd) -> Result<u64, Errno> {
    Ok(fstat(fd)?.st_size.try_into().unwrap_or(0))
}

/// Whether it is a regular file.
pub fn is_regular(status: &FileStat) -> bool {
    kind(status) == SFlag::S_IFREG
}

/// Whether it is a socket.
pub fn is_socket(status: &FileStat) -> bool {
    kind(status) == SFlag::S_IFSOCK
}

/// Whether the file system of a directory has a free inode. File systems that allocate inodes on demand
/// report no number of them.
pub fn can_be_made_in(directory: &Path) -> bool {
    statvfs(directory).is_ok_and(|system| system.files() == 0 || system.files_available() > 0)
}

/// Whether both statuses are of the same file.
pub fn is_same(one: &FileStat, other: &FileStat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

/// A descriptor of a file that is not opened: O_PATH. No permission to the file is needed, and no user of
/// the file notices it.
pub fn locate(path: &Path, links: Links) -> Result<(OwnedFd, FileStat), Errno> {
    let no_links = match links {
        Links::Followed => OFlag::empty(),
        Links::Refused => OFlag::O_NOFOLLOW,
    };
    let file = open(path, OFlag::O_PATH | OFlag::O_CLOEXEC | no_links, Mode::empty())?;
    let status = fstat(&file)?;
    Ok((file, status))
}

/// Sets the permissions of the file of a descriptor, which may be one of [`locate`].
///
/// # Errors
/// EPERM for a user that does not own it.
pub fn set_mode(file: impl AsFd, mode: u32) -> Result<(), Errno> {
    let bits = Mode::from_bits_truncate(mode as _);
    match fchmod(&file, bits) {
        // The fchmod of musl tries the path below /proc itself.
        Err(EBADF | ENOENT) => {}
        set => return Ok(set?),
    }
    match fchmodat(AT_FDCWD, &descriptor::path(&file), bits, FchmodatFlags::FollowSymlink) {
        Err(ENOENT) => set_mode_without_proc(file, mode),
        set => Ok(set?),
    }
}

/// fchmodat2(2), which takes such a descriptor itself, since Linux 6.6.
fn set_mode_without_proc(file: impl AsFd, mode: u32) -> Result<(), Errno> {
    /// The same on every architecture but alpha.
    const SYS_FCHMODAT2: libc::c_long = 452;
    // SAFETY: the path is a string, and the other arguments are numbers.
    let result = unsafe {
        libc::syscall(
            SYS_FCHMODAT2,
            file.as_fd().as_raw_fd(),
            c"".as_ptr(),
            mode,
            libc::AT_EMPTY_PATH,
        )
    };
    Errno::check(result)
}

/// Sets the owner and the group of the file of a descriptor, which may be one of [`locate`].
///
/// # Errors
/// EPERM for a user that may not give it away, EINVAL for an ID that this user namespace does not have.
pub fn set_owner(file: impl AsFd, user: Option<u32>, group: Option<u32>) -> Result<(), Errno> {
    let (user, group) = (user.map(Uid::from_raw), group.map(Gid::from_raw));
    Ok(fchownat(file, "", user, group, AtFlags::AT_EMPTY_PATH)?)
}
