//! The reasons why a segment cannot be used.

use crate::base::errno::Errno;

/// Why a segment cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// No segment has this name.
    #[error("{}", Errno(libc::ENOENT))]
    NotFound,
    /// A segment has this name already.
    #[error("{}", Errno(libc::EEXIST))]
    Exists,
    /// Another process removed the segment while it was used.
    #[error("the segment was removed")]
    Removed,
    /// Another process made the segment shorter while it was used.
    #[error("it became shorter while it was used")]
    Shrank,
    /// There is no room for the segment.
    #[error("{}", Errno(libc::ENOSPC))]
    Full,
    /// No segment, or no file of this process, may be so large.
    #[error("larger than the maximum of a segment or a file (ulimit -f)")]
    TooLarge,
    /// The machine has no segments of this kind.
    #[error("{}", Errno(libc::ENOSYS))]
    Unavailable,
    /// Any other error of the kernel.
    #[error(transparent)]
    Kernel(Errno),
    /// The bytes do not lie within the segment.
    #[error("{}", beyond_the_end(*offset, *count, *size))]
    BeyondTheEnd {
        /// The offset of the first byte.
        offset: u64,
        /// The number of bytes; `None` for all up to the end.
        count: Option<u64>,
        /// The size of the segment.
        size: u64,
    },
    /// Something that is no segment of this kind has the name.
    #[error("{0}")]
    OfAnotherKind(&'static str),
    /// The name stands for a new segment each time.
    #[error("each use of this name makes a new segment")]
    Nameless,
    /// Segments of this kind cannot be resized.
    #[error("a System V segment cannot be resized")]
    FixedSize,
    /// There are no huge pages for the segment.
    #[error("{0}")]
    NoHugePages(&'static str),
    /// The size is beyond the maximum of this kind.
    #[error("{size} bytes exceed the maximum of a System V segment ({limit})")]
    BeyondMaximum {
        /// The size.
        size: u64,
        /// The maximum: shmmax.
        limit: u64,
    },
    /// The maximum number of segments exists.
    #[error("the maximum number of System V segments exists ({limit})")]
    TooMany {
        /// The maximum: shmmni.
        limit: u64,
    },
    /// All segments together would have more pages than the maximum.
    #[error("System V segments would exceed the maximum number of pages ({limit})")]
    TooManyPages {
        /// The maximum: shmall.
        limit: u64,
    },
    /// A segment cannot be created with a given identifier.
    #[error("the kernel chooses identifiers")]
    Identifier,
    /// Segments of this kind have at least one byte.
    #[error("a System V segment has one byte or more")]
    Empty,
}

impl Error {
    /// The error number, of an error that has one.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::NotFound => Some(Errno(libc::ENOENT)),
            Self::Exists => Some(Errno(libc::EEXIST)),
            Self::Full => Some(Errno(libc::ENOSPC)),
            Self::Unavailable => Some(Errno(libc::ENOSYS)),
            Self::Kernel(errno) => Some(*errno),
            _ => None,
        }
    }
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        match errno.0 {
            libc::ENOENT => Self::NotFound,
            libc::EEXIST => Self::Exists,
            // An access of the kernel to a mapping beyond the end.
            libc::EFAULT => Self::Shrank,
            libc::ENOSPC => Self::Full,
            libc::EFBIG => Self::TooLarge,
            libc::ENOSYS => Self::Unavailable,
            _ => Self::Kernel(errno),
        }
    }
}

impl From<nix::errno::Errno> for Error {
    fn from(errno: nix::errno::Errno) -> Self {
        Errno::from(errno).into()
    }
}

fn beyond_the_end(offset: u64, count: Option<u64>, size: u64) -> String {
    match count {
        Some(1) => format!("1 byte at {offset} is beyond the end, {size}"),
        Some(count) => format!("{count} bytes at {offset} are beyond the end, {size}"),
        None => format!("offset {offset} is beyond the end, {size}"),
    }
}
