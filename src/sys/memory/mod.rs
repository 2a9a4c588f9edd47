//! Memory that other processes read and write at the same time, in our address space: mmap(2),
//! shmat(2).
//!
//! So nothing here hands out a slice of it: its bytes are copied, and its cells are atomics. An object
//! may be cut off by others as well, which [`Pages`] survive; the other two are views of an object:
//! [`SharedWords`] of its beginning, for those who lay it out, and a [`Window`] of any part of it.

mod atomic;
mod huge_pages;
mod pages;
mod ring;
mod window;
mod words;

use std::ops::Range;

pub use self::huge_pages::{HUGE_PAGE, collapse};
pub use self::ring::{Reach, RingMemory, fence_after_change};
pub use self::window::Window;
pub use self::words::SharedWords;

use self::pages::{Pages, page_size, unit};

/// What is to be done with the memory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// It is only read.
    Read,
    /// It is read and written.
    Write,
}

/// How many bytes a number has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Width {
    /// 1.
    One,
    /// 2.
    Two,
    /// 4.
    Four,
    /// 8.
    Eight,
}

impl Width {
    /// In bytes.
    pub fn bytes(self) -> u64 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// Where the bits of such a number stand among the bytes of a `u64`.
    pub fn low_bytes(self) -> Range<usize> {
        let count = self.bytes() as usize;
        if cfg!(target_endian = "little") { 0..count } else { 8 - count..8 }
    }
}
