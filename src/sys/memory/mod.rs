//! Memory that other processes read and write at the same time, in our address space: mmap(2),
//! shmat(2).
//!
//! So nothing here hands out a slice of it: its bytes are copied, and its cells are atomics. An object
//! may be cut off by others as well, which [`Pages`] survive; the other two are views of an object:
//! [`Words`] of its beginning, for those who lay it out, and a [`Window`] of any part of it.

mod atomic;
mod huge_pages;
mod pages;
mod ring;
mod window;
mod words;

pub use self::huge_pages::{HUGE_PAGE, collapse};
pub use self::ring::{Reach, RingMemory, fence_after_change};
pub use self::window::Window;
pub use self::words::Words;

use self::pages::{Pages, page_size, unit};

/// What is to be done with the memory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// It is only read.
    Read,
    /// It is read and written.
    Write,
}
