//! What a file is, of all that stat(2) tells of it: inode(7).

use std::os::fd::AsFd;

use nix::sys::stat::{FileStat, SFlag, fstat};

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

/// Whether both are the same file.
pub fn is_same(one: &FileStat, other: &FileStat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}
