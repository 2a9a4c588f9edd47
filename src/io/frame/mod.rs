//! Records on byte streams: the boundaries of messages.
//!
//! Every mechanism that keeps the boundaries of messages has the same framings on stdin and
//! stdout. Reading borrows from one buffer and writing gathers in another, so that nothing is
//! allocated for a record once the buffers have grown to hold the longest.

mod messages;
mod position;
mod positions;
mod reader;
mod writer;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io::Write;

use crate::base::errno::Errno;

pub use self::messages::{Messages, first_longer, refuse_longer};
pub use self::position::Position;
pub use self::reader::Reader;
pub use self::writer::Writer;

/// The way records are separated.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum Form {
    /// A line each, without its newline
    #[default]
    Line,
    /// Each ends with a NUL
    Null,
    /// All of it is one record; on output nothing is added
    Whole,
    /// A 4-byte little-endian length, then the bytes
    Len4,
    /// A length in decimal, a colon, the bytes, a comma
    Netstring,
}

impl Form {
    /// Passes a record to `put`, in one or a few pieces with its framing.
    ///
    /// # Errors
    /// Those of `put`. The caller checks [`Form::longest`] first.
    pub fn encode<E>(
        self,
        record: &[u8],
        mut put: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.head(record.len(), &mut put)?;
        put(record)?;
        match self.trailer() {
            b"" => Ok(()),
            trailer => put(trailer),
        }
    }

    /// Passes the bytes before a record of this length to `put`.
    ///
    /// # Errors
    /// Those of `put`.
    #[inline]
    pub fn head<E>(self, length: usize, put: impl FnOnce(&[u8]) -> Result<(), E>) -> Result<(), E> {
        match self {
            Self::Line | Self::Null | Self::Whole => Ok(()),
            Self::Len4 => put(&(length as u32).to_le_bytes()),
            Self::Netstring => {
                let mut head = [0; DIGITS + 1];
                let mut rest = &mut head[..];
                // There is room for the digits of any length.
                let _ = write!(rest, "{length}:");
                let unused = rest.len();
                put(&head[..DIGITS + 1 - unused])
            }
        }
    }

    /// Whether a record contains its own terminator, so that a reader takes it for several.
    #[inline]
    pub fn ends_within(self, record: &[u8]) -> bool {
        self.terminator().is_some_and(|byte| find(byte, record).is_some())
    }

    /// Whether one of these framed records contains its own terminator.
    pub fn ends_within_any(self, framed: &[u8], records: usize) -> bool {
        self.terminator().is_some_and(|byte| count(byte, framed) != records)
    }

    /// The bytes after a record.
    #[inline]
    pub fn trailer(self) -> &'static [u8] {
        match self {
            Self::Line => b"\n",
            Self::Null => b"\0",
            Self::Netstring => b",",
            Self::Whole | Self::Len4 => b"",
        }
    }

    /// The maximum number of bytes before and after a record.
    pub fn overhead(self) -> usize {
        let head = match self {
            Self::Line | Self::Null | Self::Whole => 0,
            Self::Len4 => size_of::<u32>(),
            Self::Netstring => DIGITS + 1,
        };
        head + self.trailer().len()
    }

    /// The length of the longest record that it can represent.
    pub fn longest(self) -> usize {
        if self == Self::Len4 { u32::MAX as usize } else { usize::MAX }
    }

    /// The byte that ends a record, if the form has one.
    fn terminator(self) -> Option<u8> {
        match self {
            Self::Line => Some(b'\n'),
            Self::Null => Some(0),
            Self::Whole | Self::Len4 | Self::Netstring => None,
        }
    }
}

/// The number of digits of the greatest length in a netstring.
const DIGITS: usize = 20;

/// The length of a record that exceeds the limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Length {
    /// This many bytes.
    Exactly(u64),
    /// More than this many.
    MoreThan(u64),
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(bytes) => write!(f, "{bytes} bytes"),
            Self::MoreThan(bytes) => write!(f, "more than {bytes} bytes"),
        }
    }
}

/// The reason why no record was read. The bytes after such an error cannot be separated.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReadError {
    /// The descriptor could not be read.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// A record is longer than the caller accepts.
    #[error("record of {length} is longer than allowed ({limit})")]
    TooLong {
        /// The length of the record.
        length: Length,
        /// The maximum length, in bytes.
        limit: usize,
    },
    /// The stream ends within a record with a length.
    #[error("the input ends within a record")]
    CutShort,
    /// A netstring has an invalid beginning or end.
    #[error("the input is not made of netstrings")]
    NotANetstring,
}

/// The number of bytes that are compared at a time, if the compiler has instructions for that.
const AT_ONCE: usize = 32;

/// The position of the first such byte, by comparing many at a time.
///
/// A library that first detects the fastest instructions takes longer for the detection than this
/// function takes for the messages of most runs.
fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    let (pieces, rest) = bytes.as_chunks::<AT_ONCE>();
    for (index, piece) in pieces.iter().enumerate() {
        if piece.iter().fold(false, |found, &other| found | (other == byte)) {
            return Some(index * AT_ONCE + find_in_words(byte, piece)?);
        }
    }
    Some(pieces.len() * AT_ONCE + find_in_words(byte, rest)?)
}

/// The same, eight bytes at a time.
fn find_in_words(byte: u8, bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH_BITS: u64 = ONES << 7;
    let pattern = u64::from_ne_bytes([byte; 8]);
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        // The lowest bit set is that of the first byte that is zero in `difference`.
        let difference = u64::from_le_bytes(*word) ^ pattern;
        let zeros = difference.wrapping_sub(ONES) & !difference & HIGH_BITS;
        if zeros != 0 {
            return Some(index * 8 + zeros.trailing_zeros() as usize / 8);
        }
    }
    let position = rest.iter().position(|&other| other == byte)?;
    Some(words.len() * 8 + position)
}

/// The number of such bytes.
fn count(byte: u8, bytes: &[u8]) -> usize {
    // The sum of so few fits in a byte, and the compiler adds many bytes at a time.
    let in_piece =
        |piece: &[u8]| piece.iter().fold(0_u8, |sum, &other| sum + u8::from(other == byte));
    bytes.chunks(7 * AT_ONCE).map(|piece| usize::from(in_piece(piece))).sum()
}
