//! Which way the kernel has for two descriptors, and whether it has refused it.

use std::os::fd::BorrowedFd;

use nix::sys::stat::{SFlag, fstat};

use crate::errno::Errno;
use crate::sys::inode;

/// How a pair of descriptors is best served.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// One of them is a pipe: pages move, or are copied once.
    Splice,
    /// Both are files, perhaps of one file system.
    CopyFileRange,
    /// One of them is a socket, the other no pipe; or a file goes into a pipe: pages move by a pipe
    /// of ours, as soon as it is worthwhile.
    Conduit,
    /// The source is a file.
    Sendfile,
    /// Through a buffer of ours.
    Plain,
}

impl Way {
    /// The shortest one.
    pub fn between(source: BorrowedFd<'_>, destination: BorrowedFd<'_>) -> Self {
        match (kind(source), kind(destination)) {
            (SFlag::S_IFIFO, _) | (_, SFlag::S_IFIFO) => Self::Splice,
            (SFlag::S_IFREG, SFlag::S_IFREG) => Self::CopyFileRange,
            (SFlag::S_IFSOCK, _) | (SFlag::S_IFREG, SFlag::S_IFSOCK) => Self::Conduit,
            (SFlag::S_IFREG, _) => Self::Sendfile,
            _ => Self::Plain,
        }
    }
}

/// What kind of file it is; empty for a descriptor that is none, as the transfer will notice.
pub fn kind(fd: BorrowedFd<'_>) -> SFlag {
    fstat(fd).map_or(SFlag::empty(), |status| inode::kind(&status))
}

/// Whether the error means that the call is not for these descriptors, or not allowed at all,
/// rather than that moving bytes failed. Nothing was moved then, nor is an error of a socket lost.
pub fn is_refusal(errno: Errno) -> bool {
    matches!(
        errno.0,
        libc::EINVAL
            | libc::EXDEV
            | libc::ENOSYS
            | libc::EOPNOTSUPP
            | libc::EBADF
            | libc::EPERM
            | libc::ETXTBSY
            | libc::EISDIR
            | libc::ESPIPE
            | libc::EOVERFLOW
    )
}
