//! The strategies for moving bytes between two descriptors.

use std::os::fd::{AsFd, BorrowedFd};

use nix::fcntl::{SpliceFFlags, copy_file_range, splice};
use nix::sys::sendfile::sendfile64;
use nix::sys::stat::SFlag;

use crate::base::errno::Errno;
use crate::io::transfer::buffer::Buffer;
use crate::io::transfer::source::Source;
use crate::io::transfer::splice_pipe::SplicePipe;
use crate::sys::{inode, pipe};

/// The strategy of a transfer. It has the bytes that are in transit.
#[derive(Debug)]
pub enum Strategy {
    /// A system call that reads and writes.
    Directly(Call),
    /// A buffer.
    Buffer(Buffer),
    /// A splice pipe.
    SplicePipe(SplicePipe),
}

/// A system call that moves bytes within the kernel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Call {
    /// splice(2), if one of the two is a pipe: pages are moved, or copied once.
    Splice,
    /// copy_file_range(2), for files, perhaps of one file system.
    CopyFileRange,
    /// sendfile(2), from a file.
    Sendfile,
}

/// Preparations that are worth their system calls for more bytes than the initial capacity of a
/// pipe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Preparation {
    /// Enlarge the pipes.
    EnlargePipes,
    /// Enlarge the pipes, and make a splice pipe.
    EnlargePipesAndSplice,
}

/// The maximum of one call, which is the limit of the kernel.
const CALL_MAX: u64 = 0x7fff_f000;

/// The maximum of one splice: half of a pipe, so that its peer works meanwhile.
const SPLICE_MAX: u64 = pipe::CAPACITY as u64 / 2;

impl Strategy {
    /// The fastest strategy for few bytes, and the preparation for many bytes.
    pub fn between(source: &Source<'_>, destination: BorrowedFd<'_>) -> (Self, Preparation) {
        use Preparation::{EnlargePipes, EnlargePipesAndSplice};
        match (source.kind(), inode::kind_of(destination)) {
            (SFlag::S_IFREG, SFlag::S_IFIFO) => {
                (Self::Directly(Call::Splice), EnlargePipesAndSplice)
            }
            (SFlag::S_IFIFO, _) | (_, SFlag::S_IFIFO) => {
                (Self::Directly(Call::Splice), EnlargePipes)
            }
            (SFlag::S_IFREG, SFlag::S_IFREG) => (Self::Directly(Call::CopyFileRange), EnlargePipes),
            (SFlag::S_IFSOCK, _) | (SFlag::S_IFREG, SFlag::S_IFSOCK) => {
                (Self::plain(), EnlargePipesAndSplice)
            }
            (SFlag::S_IFREG, _) => (Self::Directly(Call::Sendfile), EnlargePipes),
            _ => (Self::plain(), EnlargePipes),
        }
    }

    /// The strategy for every type of descriptor.
    pub fn plain() -> Self {
        Self::Buffer(Buffer::default())
    }

    /// Reads up to `count` bytes from the source while none are in transit; 0 is the end, or a file
    /// that looks empty.
    pub fn fill(&mut self, source: &Source<'_>, count: u64) -> nix::Result<usize> {
        match self {
            Self::Directly(_) => unreachable!("the call reads and writes"),
            Self::Buffer(buffer) => buffer.fill(source, count),
            Self::SplicePipe(pipe) => pipe.fill(source, count),
        }
    }

    /// Writes bytes in transit to the destination, as many as it takes.
    pub fn drain(&mut self, destination: BorrowedFd<'_>) -> nix::Result<usize> {
        match self {
            Self::Directly(_) => unreachable!("the call reads and writes"),
            Self::Buffer(buffer) => buffer.drain(destination),
            Self::SplicePipe(pipe) => pipe.drain(destination),
        }
    }

    /// The number of bytes in transit.
    pub fn held(&self) -> usize {
        match self {
            Self::Directly(_) => 0,
            Self::Buffer(buffer) => buffer.held(),
            Self::SplicePipe(pipe) => pipe.held(),
        }
    }
}

impl Call {
    /// Moves up to `count` bytes; 0 is the end of the source, or a file that looks empty.
    pub fn make(self, from: impl AsFd, to: impl AsFd, count: u64) -> nix::Result<usize> {
        let maximum = if self == Self::Splice { SPLICE_MAX } else { CALL_MAX };
        let count = count.min(maximum) as usize;
        match self {
            Self::Splice => splice(from, None, to, None, count, SpliceFFlags::SPLICE_F_NONBLOCK),
            Self::CopyFileRange => copy_file_range(from, None, to, None, count),
            Self::Sendfile => sendfile64(to, from, None, count),
        }
    }
}

/// Whether an error means that the call does not support these descriptors, or is not permitted. No
/// bytes were moved then, and no error of a socket is lost.
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
