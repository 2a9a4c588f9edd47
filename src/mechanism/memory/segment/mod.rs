//! Shared memory segments: one interface, and an engine for each kind of name.
//!
//! An engine implements [`Engine`] for its type of names and [`Segment`] for what it opens. POSIX shared
//! memory objects and mapped files share one engine, `file`: they differ in the directory and in the
//! links they allow. A [`Name`] chooses its engine.

mod available;
mod by_name;
mod description;
mod error;
mod file;
mod system_v;
mod view;
mod write;

use std::ops::Range;
use std::os::fd::{BorrowedFd, OwnedFd};

pub use self::by_name::Name;
pub use self::description::{Description, Fact, Value};
pub use self::error::Error;
pub use self::view::View;
pub use self::write::{Fit, WriteError, write_to};
pub use crate::sys::memory::{Access, Window};

use crate::base::errno::Errno;
use crate::io::transfer::{self, Counter};
use crate::mechanism::ownership::NewOwnership;
use crate::sys::origin::Found;
use crate::sys::system_v::NewObject;

/// The operations on a segment by its name.
pub trait Engine {
    /// Creates a segment of zeros, and allocates all of its memory, so that no program that maps it
    /// runs out of memory later. Returns the object if it is one of System V.
    ///
    /// # Errors
    /// [`Error::Exists`]; [`Error::Full`]. A call that fails leaves nothing behind.
    fn create(&self, new: New) -> Result<Option<NewObject>, Error>;

    /// Creates a segment of zeros up to the offset, followed by all bytes of the source. If the kind of
    /// segment allows it, the segment appears when it is complete.
    fn create_from(&self, input: Input<'_>) -> Result<Created, WriteError>;

    /// Opens an existing segment.
    fn open(&self, access: Access) -> Result<Box<dyn Segment>, Error>;

    /// Opens an existing segment, and returns its creator too.
    fn open_found(&self, access: Access) -> Result<(Box<dyn Segment>, Found), Error>;

    /// Whether a segment of such a name can be resized.
    fn can_grow(&self) -> bool;

    /// Changes the owner and the permissions, without permission to open the segment.
    fn set_ownership(&self, ownership: &NewOwnership) -> Result<(), Error>;

    /// Removes the name. Processes that have opened the segment keep it.
    fn remove(&self) -> Result<(), Error>;

    /// Writes the name to the disk, if the segment is on one.
    fn sync_name(&self) -> Result<(), Error>;

    /// Describes the segment.
    fn describe(&self) -> Result<Description, Error>;

    /// Lists the segments of this kind.
    fn list() -> Listing
    where
        Self: Sized;
}

/// The number of bytes that were copied, or the error of one of both sides.
pub type Moved = Result<u64, transfer::Error>;

/// An open segment.
pub trait Segment {
    /// Its size in bytes at the moment.
    fn size(&self) -> Result<u64, Error>;

    /// Whether it was removed after it was opened. If the kernel does not say, it was not: the changes
    /// that the caller made are made all the same.
    fn was_removed(&self) -> bool;

    /// Whether it can be resized.
    fn can_grow(&self) -> bool;

    /// Whether this descriptor refers to the segment.
    fn is(&self, fd: BorrowedFd<'_>) -> bool;

    /// Copies bytes from a descriptor to this offset, up to the limit or the end of the source; returns
    /// their number, and adds it to the counter meanwhile. The segment grows if it can.
    fn fill(
        &self,
        source: BorrowedFd<'_>,
        offset: u64,
        limit: Option<u64>,
        counter: &Counter,
    ) -> Moved;

    /// Copies these bytes to a descriptor; returns their number, and adds it to the counter meanwhile.
    fn drain(
        &self,
        destination: BorrowedFd<'_>,
        bytes: Range<u64>,
        passing: Passing,
        counter: &Counter,
    ) -> Moved;

    /// Reads bytes at this offset; 0 is the end.
    fn read(&self, buffer: &mut [u8], offset: u64) -> Result<usize, Error>;

    /// The first of these bytes that are stored, up to the next hole. A hole reads as zeros and takes
    /// no room. If no byte is stored, this is the empty range at their end.
    fn stored(&self, bytes: Range<u64>) -> Result<Range<u64>, Error>;

    /// Maps the part that contains these bytes.
    fn window(&self, bytes: Range<u64>) -> Result<Window<'_>, Error>;

    /// Allocates memory for bytes that are about to be written beyond the end. The size stays.
    fn reserve(&self, bytes: Range<u64>) -> Result<(), Error>;

    /// Frees the memory that is reserved beyond the end.
    fn release(&self);

    /// Changes the size. Added bytes are zeros, and their memory is allocated.
    fn resize(&self, size: u64) -> Result<(), Error>;

    /// Writes changes to the disk or reads them again, if the segment is on a disk.
    fn sync(&self, how: Sync) -> Result<(), Error>;

    /// The range from `offset` on: `count` bytes, or all.
    ///
    /// # Errors
    /// [`Error::BeyondTheEnd`].
    fn range(&self, offset: u64, count: Option<u64>) -> Result<Range<u64>, Error> {
        let size = self.size()?;
        let end = count.map_or(Some(size.max(offset)), |count| offset.checked_add(count));
        match end {
            Some(end) if offset <= size && end <= size => Ok(offset..end),
            _ => Err(Error::BeyondTheEnd { offset, count, size }),
        }
    }

    /// Checks that the segment still has its name, so that other processes find the changes.
    ///
    /// # Errors
    /// [`Error::Removed`].
    fn check_not_removed(&self) -> Result<(), Error> {
        if self.was_removed() { Err(Error::Removed) } else { Ok(()) }
    }
}

/// The properties of a new segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct New {
    /// The size in bytes.
    pub size: u64,
    /// The permissions.
    pub mode: u32,
    /// The size of its pages.
    pub page_size: PageSize,
}

/// The input of a segment.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The descriptor that is read.
    pub source: BorrowedFd<'a>,
    /// The offset of its first byte in the segment.
    pub offset: u64,
    /// The permissions of a new segment.
    pub mode: u32,
    /// The number that the bytes are added to.
    pub counter: &'a Counter,
}

/// The size of the pages of a segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PageSize {
    /// Ordinary pages.
    Ordinary,
    /// Huge pages: fewer page faults and fewer TLB misses.
    Huge,
}

/// How bytes of a segment are passed to a pipe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Passing {
    /// The pipe may get the pages themselves, so that its reader sees later changes.
    ByReference,
    /// The bytes are copied.
    ByValue,
}

/// How changes of a mapped file are synchronised: msync(2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sync {
    /// Write them, and wait until they are on the disk.
    Now,
    /// Have them written, without waiting.
    Soon,
    /// Invalidate other mappings, so that they read the file again.
    Invalidate,
}

/// The outcome of creating a segment from bytes.
pub enum Created {
    /// It exists, and contains all of them.
    Complete(Box<dyn Segment>),
    /// Another process has created a segment of that name first. The bytes that were read from the
    /// source are in this file, from its position on.
    TooLate(Option<OwnedFd>),
}

/// The segments that exist.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The segments.
    pub found: Vec<Description>,
    /// The files and directories that list more of them and cannot be read, with the reason.
    pub unlisted: Vec<(&'static str, Errno)>,
}
