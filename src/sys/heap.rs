//! Heap memory that may run out: malloc(3).
//!
//! A large buffer is allocated by a function of this file, which returns an error if there is no memory.
//! All other allocations are small, and have no way to return an error: if one fails, the process cleans
//! up as before a fatal signal, reports the reason, and ends with the status of a failure.

use std::alloc::{Layout, alloc_zeroed};
use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

use super::stdio::{self, Stream};
use crate::base::errno::Errno;
use crate::base::text;
use crate::sys::cleanup;

/// The error of all functions here.
const NO_MEMORY: Errno = Errno(libc::ENOMEM);

/// How a process reports that an allocation failed.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// The first words of its diagnostic, of which some may be empty; `None` for no diagnostic.
    pub command: Option<[&'static str; 3]>,
    /// Its exit status.
    pub status: u8,
}

/// The report of the verb or utility that runs.
static REPORT: Mutex<Option<Report>> = Mutex::new(None);

thread_local! {
    /// Whether the caller of the allocator in this thread handles a failure.
    static HANDLED: Cell<bool> = const { Cell::new(false) };
}

/// Sets the report of a failed allocation until the scope is dropped.
pub fn report_as(report: Report) -> ReportScope {
    ReportScope { before: exchange(Some(report)) }
}

/// The scope of a report. Dropping it restores the former one.
#[derive(Debug)]
#[must_use]
pub struct ReportScope {
    before: Option<Report>,
}

impl Drop for ReportScope {
    fn drop(&mut self) {
        exchange(self.before);
    }
}

fn exchange(report: Option<Report>) -> Option<Report> {
    std::mem::replace(&mut *REPORT.lock().unwrap_or_else(PoisonError::into_inner), report)
}

/// Allocates this many zeros. The kernel provides each page at its first use.
///
/// # Errors
/// ENOMEM, as from all functions here.
pub fn zeros(length: usize) -> Result<Vec<u8>, Errno> {
    if length == 0 {
        return Ok(Vec::new());
    }
    let layout = Layout::array::<u8>(length).map_err(|_| NO_MEMORY)?;
    // SAFETY: the layout is not of size zero.
    let piece = handled(|| unsafe { alloc_zeroed(layout) });
    if piece.is_null() {
        return Err(NO_MEMORY);
    }
    // SAFETY: the global allocator gave the piece for this layout, and all of it is zeros.
    Ok(unsafe { Vec::from_raw_parts(piece, length, length) })
}

/// Lengthens a buffer to this length, by zeros.
pub fn lengthen(buffer: &mut Vec<u8>, length: usize) -> Result<(), Errno> {
    let more = length.saturating_sub(buffer.len());
    reserve(buffer, more)?;
    buffer.resize(buffer.len() + more, 0);
    Ok(())
}

/// Allocates memory for this many bytes behind those of a buffer.
pub fn reserve(buffer: &mut Vec<u8>, more: usize) -> Result<(), Errno> {
    handled(|| buffer.try_reserve(more)).map_err(|_| NO_MEMORY)
}

/// Appends bytes to a buffer.
pub fn append(buffer: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Errno> {
    reserve(buffer, bytes.len())?;
    buffer.extend_from_slice(bytes);
    Ok(())
}

/// Copies bytes to new memory.
pub fn copy(bytes: &[u8]) -> Result<Vec<u8>, Errno> {
    let mut copied = Vec::new();
    handled(|| copied.try_reserve_exact(bytes.len())).map_err(|_| NO_MEMORY)?;
    copied.extend_from_slice(bytes);
    Ok(copied)
}

/// Allocates for a caller that handles a failure.
fn handled<T>(allocate: impl FnOnce() -> T) -> T {
    HANDLED.set(true);
    let allocated = allocate();
    HANDLED.set(false);
    allocated
}

/// Ends the process if an allocation of the C library failed and the caller does not handle that.
pub(super) fn or_end(piece: *mut u8) -> *mut u8 {
    if piece.is_null() && !HANDLED.get() {
        end();
    }
    piece
}

/// Ends the process, without allocating.
#[cold]
fn end() -> ! {
    cleanup::undo();
    // The lock is held for an assignment only, which does not allocate.
    let report = *REPORT.lock().unwrap_or_else(PoisonError::into_inner);
    let report = report.unwrap_or(Report { command: Some(["ipc", "", ""]), status: 3 });
    if let Some(words) = report.command {
        print_diagnostic(words);
    }
    // SAFETY: the call takes a number, and does not return.
    unsafe { libc::_exit(report.status.into()) }
}

/// Writes the diagnostic by one call.
fn print_diagnostic([program, noun, verb]: [&str; 3]) {
    let mut line = [0; 256];
    let space = if noun.is_empty() || verb.is_empty() { "" } else { " " };
    let colon = if noun.is_empty() && verb.is_empty() { "" } else { ": " };
    let parts = [
        program,
        ": ",
        noun,
        space,
        verb,
        colon,
        text::OUT_OF_MEMORY,
        "\nhint: ",
        text::MEMORY_HINT,
        "\n",
    ];
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
    fn more_memory_than_there_is_is_an_error() {
        let most = isize::MAX as usize;
        assert_eq!(zeros(most), Err(NO_MEMORY));
        assert_eq!(zeros(most + 1), Err(NO_MEMORY));
        let mut buffer = b"kept".to_vec();
        assert_eq!(lengthen(&mut buffer, most), Err(NO_MEMORY));
        assert_eq!(reserve(&mut buffer, usize::MAX), Err(NO_MEMORY));
        assert_eq!(buffer, b"kept");
    }

    #[test]
    fn new_memory_is_zeros_behind_the_former_contents() {
        assert_eq!(zeros(0), Ok(vec![]));
        assert_eq!(zeros(3), Ok(vec![0; 3]));
        let mut buffer = copy(b"ab").unwrap();
        lengthen(&mut buffer, 4).unwrap();
        append(&mut buffer, b"c").unwrap();
        assert_eq!(buffer, b"ab\0\0c");
        lengthen(&mut buffer, 1).unwrap();
        assert_eq!(buffer.len(), 5);
    }

    #[test]
    fn a_report_is_replaced_for_a_scope() {
        let status = || REPORT.lock().unwrap().map(|report| report.status);
        let outer = report_as(Report { command: None, status: 1 });
        let inner = report_as(Report { command: None, status: 2 });
        assert_eq!(status(), Some(2));
        drop(inner);
        assert_eq!(status(), Some(1));
        drop(outer);
        assert_eq!(status(), None);
    }
}
