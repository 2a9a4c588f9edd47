//! Memory of the heap, where there may be none: malloc(3).
//!
//! A large buffer is asked for by a function of this file, which returns an error where there is no
//! memory for it, as any call does. All else that is allocated is small, and in places that know no
//! error: where that fails, the process gives back what it holds, as before a signal that ends it,
//! says why, and ends with the status of a failure.

use std::alloc::{Layout, alloc_zeroed};
use std::cell::Cell;
use std::sync::OnceLock;

use super::stdio::{self, Stream};
use crate::base::errno::Errno;
use crate::sys::cleanup;

/// The error of all of these.
const NO_MEMORY: Errno = Errno(libc::ENOMEM);

/// What there is to say with that error, if anything is to be said.
pub const HINT: &str =
    "'free' shows how much memory there is, 'ulimit -v' how much a process may have";

/// What a process does that can allocate no more.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// The words that its diagnostic begins with, if there is to be one; some may be empty.
    pub command: Option<[&'static str; 3]>,
    /// Its exit status.
    pub status: u8,
}

static REPORT: OnceLock<Report> = OnceLock::new();

thread_local! {
    /// Whether this thread looks at what an allocation gives it.
    static LOOKS: Cell<bool> = const { Cell::new(false) };
}

/// Sets what is done when an allocation fails. The first call counts.
pub fn report_as(report: Report) {
    let _ = REPORT.set(report);
}

/// This many zeros, whose pages are touched by nothing yet.
///
/// # Errors
/// ENOMEM, as of all functions here.
pub fn zeros(length: usize) -> Result<Vec<u8>, Errno> {
    if length == 0 {
        return Ok(Vec::new());
    }
    let layout = Layout::array::<u8>(length).map_err(|_| NO_MEMORY)?;
    // SAFETY: the layout is not of size zero.
    let piece = looking(|| unsafe { alloc_zeroed(layout) });
    if piece.is_null() {
        return Err(NO_MEMORY);
    }
    // SAFETY: the global allocator gave the piece for this layout, and all of it is zeros.
    Ok(unsafe { Vec::from_raw_parts(piece, length, length) })
}

/// Lets a buffer be longer, by zeros.
pub fn lengthen(buffer: &mut Vec<u8>, length: usize) -> Result<(), Errno> {
    let more = length.saturating_sub(buffer.len());
    reserve(buffer, more)?;
    buffer.resize(buffer.len() + more, 0);
    Ok(())
}

/// Has memory be there for so many bytes behind those of the buffer.
pub fn reserve(buffer: &mut Vec<u8>, more: usize) -> Result<(), Errno> {
    looking(|| buffer.try_reserve(more)).map_err(|_| NO_MEMORY)
}

/// Adds bytes to a buffer.
pub fn append(buffer: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Errno> {
    reserve(buffer, bytes.len())?;
    buffer.extend_from_slice(bytes);
    Ok(())
}

/// The same bytes, in memory of their own.
pub fn copy(bytes: &[u8]) -> Result<Vec<u8>, Errno> {
    let mut copied = Vec::new();
    looking(|| copied.try_reserve_exact(bytes.len())).map_err(|_| NO_MEMORY)?;
    copied.extend_from_slice(bytes);
    Ok(copied)
}

/// Allocates for somebody who looks at what that gives.
fn looking<T>(allocate: impl FnOnce() -> T) -> T {
    LOOKS.set(true);
    let allocated = allocate();
    LOOKS.set(false);
    allocated
}

/// What the allocator does about what the C library gave it: where that is nothing, and nobody looks
/// at it, the process ends.
pub(super) fn or_end(piece: *mut u8) -> *mut u8 {
    if piece.is_null() && !LOOKS.get() {
        end();
    }
    piece
}

/// Ends the process. Nothing here allocates.
#[cold]
fn end() -> ! {
    cleanup::undo();
    let report = REPORT.get().copied();
    let report = report.unwrap_or(Report { command: Some(["ipc", "", ""]), status: 3 });
    if let Some(words) = report.command {
        say(words);
    }
    // SAFETY: the call takes a number, and does not return.
    unsafe { libc::_exit(report.status.into()) }
}

/// Writes the diagnostic, at once.
fn say([program, noun, verb]: [&str; 3]) {
    let mut line = [0; 256];
    let space = if noun.is_empty() || verb.is_empty() { "" } else { " " };
    let colon = if noun.is_empty() && verb.is_empty() { "" } else { ": " };
    let reason = "Cannot allocate memory\nhint: ";
    let parts = [program, ": ", noun, space, verb, colon, reason, HINT, "\n"];
    let mut length = 0;
    for byte in parts.iter().flat_map(|part| part.bytes()).take(line.len()) {
        line[length] = byte;
        length += 1;
    }
    let _ = stdio::write_all(Stream::Error, &line[..length]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_had_is_an_error() {
        let most = isize::MAX as usize;
        assert_eq!(zeros(most), Err(NO_MEMORY));
        assert_eq!(zeros(most + 1), Err(NO_MEMORY));
        let mut buffer = b"kept".to_vec();
        assert_eq!(lengthen(&mut buffer, most), Err(NO_MEMORY));
        assert_eq!(reserve(&mut buffer, usize::MAX), Err(NO_MEMORY));
        assert_eq!(buffer, b"kept");
    }

    #[test]
    fn what_can_be_had_is_zeros_and_what_was_there() {
        assert_eq!(zeros(0), Ok(vec![]));
        assert_eq!(zeros(3), Ok(vec![0; 3]));
        let mut buffer = copy(b"ab").unwrap();
        lengthen(&mut buffer, 4).unwrap();
        append(&mut buffer, b"c").unwrap();
        assert_eq!(buffer, b"ab\0\0c");
        lengthen(&mut buffer, 1).unwrap();
        assert_eq!(buffer.len(), 5);
    }
}
