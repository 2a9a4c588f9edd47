//! Segments: pieces of memory that processes share, whatever the kernel calls them.
//!
//! A kind of segment is a type of names ([`Place`]) and what opening one gives ([`Segment`]), in a
//! file of its own. Everything that can be done with a segment is written over these two. Kinds
//! whose segments are files have only to say where those are: `file_place` has the rest.

mod any;
mod description;
mod file;
mod file_place;
mod mapped_file;
mod shared_memory;
mod system_v;
mod view;
mod write;

use std::ffi::OsStr;
use std::ops::Range;
use std::os::fd::{BorrowedFd, OwnedFd};

pub use self::description::{Description, Fact, Value};
pub use self::view::View;
pub use self::write::{Fit, WriteError, write_to};
pub use crate::sys::memory::{Access, Window};

use crate::base::errno::Errno;
use crate::base::name::SystemVName;
use crate::io::transfer;
use crate::sys::origin::Found;

/// Where a segment is, by name.
pub trait Place: AsRef<OsStr> {
    /// Makes a segment whose memory is all there, so that nobody runs out of it later; returns the
    /// name by which it is reached, if that is another than this.
    ///
    /// # Errors
    /// EEXIST if there is one; ENOSPC if there is no room, with nothing left behind.
    fn create(
        &self,
        size: u64,
        mode: u32,
        page_size: PageSize,
    ) -> Result<Option<SystemVName>, Error>;

    /// Makes a segment of zeros up to `offset`, and then of all the bytes of `source`. Where the
    /// kind of segment allows, nobody sees it before it is complete.
    fn create_from(
        &self,
        source: BorrowedFd<'_>,
        offset: u64,
        mode: u32,
    ) -> Result<Made, WriteError>;

    /// Opens an existing segment.
    fn open(&self, access: Access) -> Result<Box<dyn Segment>, Error>;

    /// Whether a segment of such a name can have another size later.
    fn can_grow(&self) -> bool;

    /// The same, with who made it.
    fn open_found(&self, access: Access) -> Result<(Box<dyn Segment>, Found), Error>;

    /// Removes the name. Those who have the segment open go on using it.
    fn remove(&self) -> Result<(), Error>;

    /// Has the name be on disk, where there is one.
    fn sync_name(&self) -> Result<(), Error>;

    /// All that is known of it.
    fn describe(&self) -> Result<Description, Error>;

    /// All segments of this kind.
    fn list() -> Listed
    where
        Self: Sized;
}

/// An open segment.
pub trait Segment {
    /// How many bytes it has at the moment.
    fn size(&self) -> Result<u64, Errno>;

    /// Whether somebody has removed it since it was opened, as far as the kernel tells: what was
    /// done to the segment is not undone by a question that fails.
    fn was_removed(&self) -> bool;

    /// Whether it can have another size.
    fn can_grow(&self) -> bool;

    /// Whether that is what this descriptor leads to as well.
    fn is(&self, fd: BorrowedFd<'_>) -> bool;

    /// Moves bytes from a descriptor to this offset, until the limit or the end of the source;
    /// returns how many. Where the segment can grow, it does.
    fn fill(
        &self,
        source: BorrowedFd<'_>,
        offset: u64,
        limit: Option<u64>,
    ) -> Result<u64, transfer::Error>;

    /// Moves these bytes to a descriptor; returns how many there were.
    fn drain(
        &self,
        destination: BorrowedFd<'_>,
        bytes: Range<u64>,
        passing: Passing,
    ) -> Result<u64, transfer::Error>;

    /// Reads what is at this offset; 0 is the end.
    fn read(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Errno>;

    /// The first of these bytes that are stored, up to the next hole. What is not stored is zeros,
    /// and takes no room; where no byte is stored, this is the empty range at their end.
    fn stored(&self, bytes: Range<u64>) -> Result<Range<u64>, Errno>;

    /// The part with these bytes, in our memory.
    fn window(&self, bytes: Range<u64>) -> Result<Window<'_>, Errno>;

    /// Gets memory for bytes that are to be written beyond the end, which stays where it is.
    fn reserve(&self, bytes: Range<u64>) -> Result<(), Error>;

    /// Gives back what is reserved beyond the end.
    fn release(&self);

    /// Gives it another size. What is added is zeros, and its memory is all there.
    fn resize(&self, size: u64) -> Result<(), Error>;

    /// Hands changes to the disk, or has them read again, where there is one.
    fn sync(&self, how: Sync) -> Result<(), Errno>;
}

/// What memory is made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PageSize {
    /// Ordinary pages.
    Ordinary,
    /// Huge ones, which cost less to touch for the first time and to find again.
    Huge,
}

/// How bytes get out of a segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Passing {
    /// A pipe may be handed the pages themselves, where later changes show.
    ByReference,
    /// Bytes are copied as they are now.
    ByValue,
}

/// What is to become of changes to a mapped file: msync(2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sync {
    /// They are on disk when the call returns.
    Now,
    /// They will be.
    Soon,
    /// Other mappings of the file are to see what is in the file.
    Invalidate,
}

/// What became of making a segment from bytes.
pub enum Made {
    /// It is there, with all of them.
    Complete(Box<dyn Segment>),
    /// Somebody else has made one of that name meanwhile. What was read of the source is in this
    /// file, from its position on.
    TooLate(Option<OwnedFd>),
}

/// Why a segment cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// There is something of that name, and it is no segment of this kind.
    #[error("{0}")]
    OfAnotherKind(&'static str),
    /// It would be another one each time, and nobody would find it again.
    #[error("this is a new segment each time")]
    Nameless,
    /// A segment of this kind keeps its size.
    #[error("a System V segment cannot be resized")]
    FixedSize,
    /// There are no huge pages for it.
    #[error("{0}")]
    NoHugePages(&'static str),
    /// The kernel does not let a segment of this kind be so large.
    #[error("{size} bytes are more than a System V segment may have ({limit})")]
    TooLarge {
        /// What was asked for.
        size: u64,
        /// What there may be.
        limit: u64,
    },
    /// Nor more of them, in number.
    #[error("there are as many System V segments as there may be ({limit})")]
    TooMany {
        /// How many.
        limit: u64,
    },
    /// Nor more of them, in memory.
    #[error("System V segments would have more pages than they may ({limit})")]
    TooManyPages {
        /// How many, of all of them.
        limit: u64,
    },
    /// The kernel chooses identifiers.
    #[error("the kernel chooses identifiers")]
    Identifier,
    /// The kernel makes no segment of this kind without a byte.
    #[error("a System V segment has one byte or more")]
    Empty,
}

/// Which segments there are.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    /// Those that are known.
    pub found: Vec<Description>,
    /// The places where others may be listed, and why those cannot be read.
    pub unlisted: Vec<(&'static str, Errno)>,
}

impl From<nix::errno::Errno> for Error {
    fn from(errno: nix::errno::Errno) -> Self {
        Self::Kernel(errno.into())
    }
}
