//! Segments: pieces of memory that processes share, whatever the kernel calls them.
//!
//! A kind of segment is a type of names ([`Place`]) and what opening one gives ([`Segment`]), in a
//! file of its own. Everything that can be done with a segment is written over these two. Kinds
//! whose segments are files have only to say where those are, as [`super::file_place`] has the rest.

use std::ffi::{OsStr, OsString};
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::stat::{SFlag, fstat};
use nix::unistd::{Whence, lseek};

use super::process::Object;
use super::transfer::{self, Side};
use super::window::Window;
use crate::errno::Errno;
use crate::name::{AnyName, ObjectName, SystemVName};

pub use super::window::Access;

/// Where a segment is, by name.
pub trait Place: AsRef<OsStr> {
    /// Makes a segment whose memory is all there, so that nobody runs out of it later; returns the
    /// name by which it is reached, if that is another than this.
    ///
    /// # Errors
    /// EEXIST if there is one; ENOSPC if there is no room, with nothing left behind.
    fn create(&self, size: u64, mode: u32, pages: Pages) -> Result<Option<String>, Error>;

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

    /// Removes the name. Those who have the segment open go on using it.
    fn remove(&self) -> Result<(), Error>;

    /// All that is known of it.
    fn describe(&self) -> Result<Description, Error>;

    /// All segments of this kind.
    fn list() -> Result<Vec<Description>, Errno>
    where
        Self: Sized;
}

impl AnyName {
    fn place(&self) -> &dyn Place {
        match self {
            Self::Posix(name) => name,
            Self::SystemV(name) => name,
        }
    }
}

/// The scheme of the name picks the kind.
impl Place for AnyName {
    fn create(&self, size: u64, mode: u32, pages: Pages) -> Result<Option<String>, Error> {
        self.place().create(size, mode, pages)
    }

    fn create_from(
        &self,
        source: BorrowedFd<'_>,
        offset: u64,
        mode: u32,
    ) -> Result<Made, WriteError> {
        self.place().create_from(source, offset, mode)
    }

    fn open(&self, access: Access) -> Result<Box<dyn Segment>, Error> {
        self.place().open(access)
    }

    fn remove(&self) -> Result<(), Error> {
        self.place().remove()
    }

    fn describe(&self) -> Result<Description, Error> {
        self.place().describe()
    }

    fn list() -> Result<Vec<Description>, Errno> {
        let mut all = ObjectName::list()?;
        all.extend(SystemVName::list()?);
        Ok(all)
    }
}

/// An open segment.
pub trait Segment {
    /// How many bytes it has at the moment.
    fn size(&self) -> Result<u64, Errno>;

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

    /// The part with these bytes, in our memory.
    fn window(&self, bytes: Range<u64>) -> Result<Window<'_>, Errno>;

    /// Gets memory for bytes that are to be written beyond the end, which stays where it is.
    fn reserve(&self, bytes: Range<u64>) -> Result<(), Error>;

    /// Gives it another size. What is added is zeros, and its memory is all there.
    fn resize(&self, size: u64) -> Result<(), Error>;

    /// Hands changes to the disk, or has them read again, where there is one.
    fn sync(&self, how: Sync) -> Result<(), Errno>;
}

/// What memory is made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pages {
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
#[derive(Debug)]
pub enum Made {
    /// It is there, with all of them.
    Complete,
    /// Somebody else has made one of that name meanwhile. What was read of the source is in this
    /// file, from its position on.
    TooLate(Option<OwnedFd>),
}

/// All that is known of a segment.
#[derive(Clone, Debug)]
pub struct Description {
    /// What is known, its name and its size first.
    pub facts: Vec<Fact>,
    /// What its holders are found by.
    pub object: Object,
}

impl Description {
    /// What is known by this key.
    pub fn fact(&self, key: &str) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.key == key)
    }
}

/// Something that is known of a segment.
#[derive(Clone, Debug)]
pub struct Fact {
    /// What it is.
    pub key: &'static str,
    /// What is known.
    pub value: Value,
}

/// What is known.
#[derive(Clone, Debug)]
pub enum Value {
    /// A name, in any bytes.
    Name(OsString),
    /// A number of bytes or of anything else.
    Number(u64),
    /// A number that is written in hexadecimal, as a key is.
    Key(i32),
    /// Permissions.
    Mode(u32),
    /// A time of day, in seconds since 1970; 0 is never.
    Time(i64),
    /// Yes or no.
    Flag(bool),
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
}

impl From<nix::errno::Errno> for Error {
    fn from(errno: nix::errno::Errno) -> Self {
        Self::Kernel(errno.into())
    }
}

/// Why bytes did not get into a segment.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WriteError {
    /// The segment cannot be used.
    #[error(transparent)]
    Segment(#[from] Error),
    /// The source cannot be read.
    #[error(transparent)]
    Source(Errno),
    /// There is more of it than fits; so much of it was written.
    #[error("the input does not fit into {room} bytes; {written} were written")]
    DoesNotFit {
        /// What there is room for.
        room: u64,
        /// What was written.
        written: u64,
    },
    /// The offset is beyond the end.
    #[error("offset {offset} is beyond the end, {size}")]
    BeyondTheEnd {
        /// Where it was to be written.
        offset: u64,
        /// How large the segment is.
        size: u64,
    },
    /// The size has to be known beforehand.
    #[error("the size of a System V segment has to be known when it is made")]
    UnknownSize,
}

impl From<Errno> for WriteError {
    fn from(errno: Errno) -> Self {
        Self::Segment(Error::Kernel(errno))
    }
}

impl From<transfer::Error> for WriteError {
    fn from(error: transfer::Error) -> Self {
        match error.side {
            Side::Source => Self::Source(error.errno),
            Side::Destination => Self::Segment(Error::Kernel(error.errno)),
        }
    }
}

/// What becomes of the size of a segment that is written to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fit {
    /// It stays, and what does not fit is refused.
    Keep,
    /// It grows where that is needed.
    Grow,
    /// It ends where the input ends.
    Exactly,
}

/// Writes all of `source` to this offset of the segment of this name, which is made if there is
/// none. Of several that make it at the same time one does, and the others write into it. They
/// were not told that it has a size, so it grows for them.
///
/// # Errors
/// [`WriteError::DoesNotFit`], before a byte is written if the source tells its size.
pub fn write_to(
    place: &impl Place,
    source: BorrowedFd<'_>,
    offset: u64,
    mode: u32,
    fit: Fit,
) -> Result<(), WriteError> {
    let (mut kept, mut fit): (Option<OwnedFd>, Fit) = (None, fit);
    loop {
        let source = kept.as_ref().map_or(source, AsFd::as_fd);
        match place.open(Access::Write) {
            Err(Error::Kernel(Errno(libc::ENOENT))) => {}
            segment => return write(&*segment?, source, offset, fit),
        }
        match place.create_from(source, offset, mode)? {
            Made::Complete => return Ok(()),
            Made::TooLate(read) => {
                kept = read.or(kept);
                fit = if fit == Fit::Keep { Fit::Grow } else { fit };
            }
        }
    }
}

fn write(
    segment: &dyn Segment,
    source: BorrowedFd<'_>,
    offset: u64,
    fit: Fit,
) -> Result<(), WriteError> {
    let size = segment.size()?;
    let known = remaining(source);
    if fit == Fit::Keep {
        let room = size.checked_sub(offset).ok_or(WriteError::BeyondTheEnd { offset, size })?;
        if known.is_some_and(|known| known > room) {
            return Err(WriteError::DoesNotFit { room, written: 0 });
        }
        return write_within(segment, source, offset, room);
    }
    let end = offset.checked_add(known.unwrap_or(0)).ok_or(Errno(libc::EFBIG))?;
    if end > size {
        segment.reserve(size..end)?;
    }
    let written = segment.fill(source, offset, None)?;
    if fit == Fit::Exactly && offset + written < segment.size()? {
        segment.resize(offset + written)?;
    }
    Ok(())
}

fn write_within(
    segment: &dyn Segment,
    source: BorrowedFd<'_>,
    offset: u64,
    room: u64,
) -> Result<(), WriteError> {
    let written = segment.fill(source, offset, Some(room))?;
    if written == room && has_more(source).map_err(WriteError::Source)? {
        return Err(WriteError::DoesNotFit { room, written });
    }
    Ok(())
}

/// How much there is to read from a descriptor, where it tells: from a file.
pub fn remaining(source: BorrowedFd<'_>) -> Option<u64> {
    let status = fstat(source).ok()?;
    if SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
        return None;
    }
    let position = lseek(source, 0, Whence::SeekCur).ok()?;
    // Files of /proc have no size, and much to read.
    u64::try_from(status.st_size - position).ok().filter(|_| status.st_size > 0)
}

fn has_more(source: BorrowedFd<'_>) -> Result<bool, Errno> {
    Ok(super::stream::read(source, &mut [0])? > 0)
}
