//! Filling a file from a stream or from another file, by two threads where that is worth it, and
//! noticing when somebody cuts it off.
//!
//! What limits `cat` into a file of memory is the CPU: for each page it takes one from the kernel
//! and copies twice. So where another CPU is allowed, two threads share the work: of a stream, one
//! reads and the other writes; of a file, one begins at its front and the other at its back.

mod destination;
mod from_file;
mod from_stream;
#[cfg(test)]
mod tests;

pub use self::destination::Destination;
pub use self::from_file::{from_both_ends, in_pieces};
pub use self::from_stream::from_stream;

use crate::sys::cpu;

/// A second thread is worth its start from this much on.
const WORTHWHILE: u64 = 4 << 20;

/// Whether a file of this size is better copied by two.
pub fn is_worthwhile(size: u64) -> bool {
    size >= WORTHWHILE && cpu::allowed() > 1
}
