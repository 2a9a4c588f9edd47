//! Properties of a file in its status: inode(7).

use std::os::fd::AsFd;
use std::path::Path;

use nix::sys::stat::{FileStat, SFlag, fstat};
use nix::sys::statvfs::statvfs;

use crate::base::errno::Errno;

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
