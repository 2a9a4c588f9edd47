//! Memory that other processes read and write at the same time: mmap(2), shmat(2).
//!
//! No slice refers to such memory: bytes are copied, and numbers are atomics. Another process may also
//! truncate the object, which [`Pages`] survive. [`SharedWords`] are the words at the beginning of an
//! object, and a [`Window`] is any part of it.

mod atomic;
mod compare;
mod copy;
mod huge_pages;
mod pages;
mod ring;
mod window;
mod words;

use std::ops::Range;

pub use self::compare::{PIECE, matches};
pub use self::copy::copy_to;
pub use self::huge_pages::{HUGE_PAGE, collapse};
pub use self::ring::{Reach, RingMemory, fence_after_change};
pub use self::window::Window;
pub use self::words::SharedWords;

pub use self::pages::page_size;
use self::pages::{Pages, unit};

/// The access to memory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// The memory is read.
    Read,
    /// The memory is read and written.
    Write,
}

/// The size of a number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Width {
    /// 1 byte.
    One,
    /// 2 bytes.
    Two,
    /// 4 bytes.
    Four,
    /// 8 bytes.
    Eight,
}

impl Width {
    /// The number of bytes.
    pub fn bytes(self) -> u64 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// The positions of the bytes of such a number in a `u64`.
    pub fn low_bytes(self) -> Range<usize> {
        let count = self.bytes() as usize;
        if cfg!(target_endian = "little") { 0..count } else { 8 - count..8 }
    }
}
