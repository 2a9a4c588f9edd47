//! The ways that the kernel has for two descriptors.

use std::os::fd::{AsFd, BorrowedFd};

use nix::fcntl::{SpliceFFlags, copy_file_range, splice};
use nix::sys::sendfile::sendfile64;
use nix::sys::stat::SFlag;

use crate::base::errno::Errno;
use crate::io::transfer::buffer::Buffer;
use crate::io::transfer::source::Source;
use crate::io::transfer::splice_pipe::SplicePipe;
use crate::sys::{inode, pipe};

/// How bytes get from one descriptor to another. What was taken from the source and has not arrived
/// is within.
#[derive(Debug)]
pub enum Strategy {
    /// By a call that takes and gives them.
    Directly(Call),
    /// Through memory of ours.
    Buffer(Buffer),
    /// Through a pipe of ours.
    SplicePipe(SplicePipe),
}

/// A call that moves bytes within the kernel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Call {
    /// splice(2), where one of the two is a pipe: pages move, or are copied once.
    Splice,
    /// copy_file_range(2), for files, perhaps of one file system.
    CopyFileRange,
    /// sendfile(2), from a file.
    Sendfile,
}

/// What is worth its system calls as soon as more is moved than a pipe holds to begin with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Preparation {
    /// Pipes hold more.
    EnlargePipes,
    /// That, and a pipe of our own between the two.
    EnlargePipesAndLayConduit,
}

/// The most that one call is asked to move, which the kernel would cut off anyway.
const LONGEST: u64 = 0x7fff_f000;

/// The most that is spliced at a time: half of a pipe, so that its other end works meanwhile.
const HALF_A_PIPE: u64 = pipe::CAPACITY as u64 / 2;

impl Strategy {
    /// The shortest way for a few bytes, and what makes it or another the shortest for many.
    pub fn between(source: &Source<'_>, destination: BorrowedFd<'_>) -> (Self, Preparation) {
        use Preparation::{EnlargePipes, EnlargePipesAndLayConduit};
        match (source.kind(), inode::kind_of(destination)) {
            (SFlag::S_IFREG, SFlag::S_IFIFO) => {
                (Self::Directly(Call::Splice), EnlargePipesAndLayConduit)
            }
            (SFlag::S_IFIFO, _) | (_, SFlag::S_IFIFO) => {
                (Self::Directly(Call::Splice), EnlargePipes)
            }
            (SFlag::S_IFREG, SFlag::S_IFREG) => (Self::Directly(Call::CopyFileRange), EnlargePipes),
            (SFlag::S_IFSOCK, _) | (SFlag::S_IFREG, SFlag::S_IFSOCK) => {
                (Self::plain(), EnlargePipesAndLayConduit)
            }
            (SFlag::S_IFREG, _) => (Self::Directly(Call::Sendfile), EnlargePipes),
            _ => (Self::plain(), EnlargePipes),
        }
    }

    /// The way that there is for every descriptor.
    pub fn plain() -> Self {
        Self::Buffer(Buffer::default())
    }

    /// Takes up to `count` bytes from the source; 0 is the end, or what looks like it. Nothing is under
    /// way yet.
    pub fn fill(&mut self, source: &Source<'_>, count: u64) -> nix::Result<usize> {
        match self {
            Self::Directly(_) => unreachable!("a call takes and gives at once"),
            Self::Buffer(buffer) => buffer.fill(source, count),
            Self::SplicePipe(conduit) => conduit.fill(source, count),
        }
    }

    /// Gives what is under way to the destination, or as much as that takes.
    pub fn drain(&mut self, destination: BorrowedFd<'_>) -> nix::Result<usize> {
        match self {
            Self::Directly(_) => unreachable!("a call takes and gives at once"),
            Self::Buffer(buffer) => buffer.drain(destination),
            Self::SplicePipe(conduit) => conduit.drain(destination),
        }
    }

    /// How much is under way.
    pub fn held(&self) -> usize {
        match self {
            Self::Directly(_) => 0,
            Self::Buffer(buffer) => buffer.held(),
            Self::SplicePipe(conduit) => conduit.held(),
        }
    }
}

impl Call {
    /// Moves up to `count` bytes; 0 is the end of the source, or what looks like it.
    pub fn make(self, from: impl AsFd, to: impl AsFd, count: u64) -> nix::Result<usize> {
        let longest = if self == Self::Splice { HALF_A_PIPE } else { LONGEST };
        let count = count.min(longest) as usize;
        match self {
            Self::Splice => splice(from, None, to, None, count, SpliceFFlags::SPLICE_F_NONBLOCK),
            Self::CopyFileRange => copy_file_range(from, None, to, None, count),
            Self::Sendfile => sendfile64(to, from, None, count),
        }
    }
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
