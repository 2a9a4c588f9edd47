//! Filling a file from another: copy_file_range(2), mmap(2).
//!
//! A new file, that nobody else sees yet, is filled by two threads where that is worth it: one copies
//! from the front and one from the back. The one at the back copies into a mapping, as the kernel lets
//! one writer at a time into a file. A file that others may cut off meanwhile is filled in pieces, and
//! looked at between them.

use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Mutex;

use nix::unistd::{Whence, lseek};

use crate::io::fill::Destination;
use crate::io::transfer;
use crate::io::transfer::{Error, Side};
use crate::sys::memory::{Access, Window};
use crate::sys::{offset, thread};

/// What one of two takes of a file at a time: the reach of one page of page tables.
pub(super) const CHUNK: u64 = 2 << 20;

/// What is copied at a time of a file that others may cut off.
const PIECE: u64 = 32 << 20;

/// Copies a file from its position on, or as much as the limit says, to this offset of another;
/// returns how much it was.
///
/// # Errors
/// EFAULT of the destination if it is seen to have been cut off. Where that happens while a piece is
/// copied, the copy may make it as long again, and nobody sees it.
pub fn in_pieces(
    source: BorrowedFd<'_>,
    mut destination: Destination<'_>,
    offset: u64,
    limit: Option<u64>,
) -> Result<u64, Error> {
    let limit = limit.unwrap_or(u64::MAX);
    let mut copied = 0;
    loop {
        destination.check()?;
        let piece = PIECE.min(limit - copied);
        destination.seek(offset + copied)?;
        let count = transfer::copy(source, destination.file(), Some(piece))?;
        copied += count;
        destination.has_grown_to(offset + copied);
        if count < piece || copied == limit {
            destination.check()?;
            return Ok(copied);
        }
    }
}

/// Copies a file that says it has `size` more bytes to this offset of another, which is ours alone,
/// and lies in memory; returns how much it was. The source is read from its position on, which
/// moves along.
///
/// # Errors
/// Those of copying. What the file has then is of no use.
pub fn from_both_ends(
    source: BorrowedFd<'_>,
    file: &OwnedFd,
    at: u64,
    size: u64,
) -> Result<u64, Error> {
    let seek_source = |to| offset::seek(source, to).map_err(|errno| Side::Source.failed(errno));
    let seek_file = |to| offset::seek(file, to).map_err(|errno| Side::Destination.failed(errno));
    let start =
        lseek(source, 0, Whence::SeekCur).map_err(|errno| Side::Source.failed(errno))? as u64;
    seek_file(at)?;
    let left = Left { chunks: Mutex::new(0..size.div_ceil(CHUNK)), size };
    let copied = std::thread::scope(|scope| {
        let back = || copy_back(source, start, file, at, &left);
        let back = thread::start(|thread| thread.spawn_scoped(scope, back));
        let front = copy_front(source, file, &left).inspect_err(|_| left.drop_all())?;
        // There may be a limit on threads.
        let Ok(back) = back else { return Ok(front) };
        let back = back.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        // It gives up where it gets no page, perhaps after the front has come to its end.
        Ok(front.min(back).min(copy_front(source, file, &left)?))
    })?;
    seek_source(start + copied)?;
    if copied < size {
        return Ok(copied);
    }
    // The source may have become longer.
    seek_file(at + copied)?;
    Ok(copied + transfer::copy(source, file, None)?)
}

/// The chunks of a file that nobody has taken yet.
struct Left {
    chunks: Mutex<Range<u64>>,
    size: u64,
}

impl Left {
    fn change<T>(&self, change: impl FnOnce(&mut Range<u64>) -> T) -> T {
        // Nobody panics while he has it.
        change(&mut self.chunks.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn first(&self) -> Option<Range<u64>> {
        self.change(|chunks| chunks.next()).map(|chunk| self.bytes(chunk))
    }

    fn last(&self) -> Option<Range<u64>> {
        self.change(|chunks| chunks.next_back()).map(|chunk| self.bytes(chunk))
    }

    /// Leaves nothing to be copied.
    fn drop_all(&self) {
        self.change(|chunks| chunks.end = chunks.start);
    }

    /// Puts back the last that was taken from the back.
    fn put_back(&self) {
        self.change(|chunks| chunks.end += 1);
    }

    fn bytes(&self, chunk: u64) -> Range<u64> {
        chunk * CHUNK..((chunk + 1) * CHUNK).min(self.size)
    }
}

/// Copies one chunk after the other from the front; returns where the source ended, or its size.
fn copy_front(source: BorrowedFd<'_>, file: &OwnedFd, left: &Left) -> Result<u64, Error> {
    while let Some(bytes) = left.first() {
        let copied = transfer::copy(source, file, Some(bytes.end - bytes.start))?;
        if bytes.start + copied < bytes.end {
            return Ok(bytes.start + copied);
        }
    }
    Ok(left.size)
}

/// The same from the back, by a mapping.
fn copy_back(
    source: BorrowedFd<'_>,
    start: u64,
    file: &OwnedFd,
    at: u64,
    left: &Left,
) -> Result<u64, Error> {
    let mut end = left.size;
    while let Some(bytes) = left.last() {
        let target = at + bytes.start..at + bytes.end;
        let populated = Window::map(file.as_fd(), target.clone(), Access::Write)
            .and_then(|window| window.populate().map(|()| window));
        let Ok(window) = populated else {
            left.put_back();
            break;
        };
        let copied = Side::Source.repeat(source, target, |part| {
            window.read_at(source, start + (part.start - at), part)
        })?;
        if bytes.start + copied < bytes.end {
            end = end.min(bytes.start + copied);
        }
    }
    Ok(end)
}
