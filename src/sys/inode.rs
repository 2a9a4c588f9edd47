//! What a file is, of all that stat(2) tells of it: inode(7).

use std::os::fd::AsFd;
use std::path::Path;

use nix::sys::stat::{FileStat, SFlag, fstat};
use nix::sys::statvfs::statvfs;

/// Its type: one of the flags that S_IFMT covers.
pub fn kind(status: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT
}

/// The type of the file behind a descriptor; empty for a descriptor that is none, as whoever uses
/// it will notice.
pub fn kind_of(fd: impl AsFd) -> SFlag {
    fstat(fd).map_or(SFlag::empty(), |status| kind(&status))
}

/// Whether it is an ordinary file.
pub fn is_regular(status: &FileStat) -> bool {
    kind(status) == SFlag::S_IFREG
}

/// Whether it is a socket.
pub fn is_socket(status: &FileStat) -> bool {
    kind(status) == SFlag::S_IFSOCK
}

/// Whether the file system of a directory has an inode left for one more file. Those that make
/// inodes as they need them have neither a number nor a limit.
pub fn can_be_made_in(directory: &Path) -> bool {
    statvfs(directory).is_ok_and(|system| system.files() == 0 || system.files_available() > 0)
}

/// Whether both are the same file.
pub fn is_same(one: &FileStat, other: &FileStat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}
