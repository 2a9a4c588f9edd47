//! Filling a file from a stream or from another file, by two threads if the input is long, and
//! detecting that another process truncates the file.
//!
//! The CPU limits `cat` into a file in memory: the kernel allocates each page, and copies its bytes
//! twice. So two threads share the work if the process may use two CPUs. For a stream, one thread
//! reads and the other writes; for a file, one copies from the front and the other from the back.

mod destination;
mod from_file;
mod from_stream;
#[cfg(test)]
mod tests;

pub use self::destination::Destination;
pub use self::from_file::{from_both_ends, in_pieces};
pub use self::from_stream::from_stream;

use crate::sys::cpu;

/// The least size for which a second thread saves more time than its start takes.
const WORTHWHILE: u64 = 4 << 20;

/// Whether two threads copy a file of this size faster.
pub fn is_worthwhile(size: u64) -> bool {
    size >= WORTHWHILE && cpu::allowed() > 1
}
