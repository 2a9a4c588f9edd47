//! Filling a file from another: copy_file_range(2), mmap(2).
//!
//! A new file, which has no name yet, is filled by two threads: one copies from the front and one
//! from the back. The one at the back copies into a mapping, as the kernel admits one writer to a
//! file at a time. A file that another process may truncate is filled in pieces, and checked
//! between them.

use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Mutex;

use nix::unistd::{Whence, lseek};

use crate::io::fill::Destination;
use crate::io::transfer::{Counter, Error, Side, Transfer};
use crate::sys::memory::{Access, Window};
use crate::sys::{offset, thread};

/// The number of bytes that one of two threads copies at a time: as many as one page table maps.
pub(super) const CHUNK: u64 = 2 << 20;

/// The number of bytes that are copied between two checks of the size.
const PIECE: u64 = 32 << 20;

/// Copies a file, from its position up to its end or the limit, to this offset of another; returns
/// the number of bytes.
///
/// # Errors
/// EFAULT of the destination if a check finds it truncated. If that happens while a piece is
/// copied, the copy may lengthen it again, and no check finds it.
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
        let count = copy(source, destination.file(), Some(piece), destination.counter())?;
        copied += count;
        destination.has_grown_to(offset + copied);
        if count < piece || copied == limit {
            destination.check()?;
            return Ok(copied);
        }
    }
}

/// Copies a file, of which `size` bytes are left, to this offset of another, which no other process
/// uses, and which lies in memory; returns the number of bytes, which it adds to the counter. The
/// position of the source moves along.
///
/// # Errors
/// Those of copying. The contents of the file are undefined then.
pub fn from_both_ends(
    source: BorrowedFd<'_>,
    file: &OwnedFd,
    at: u64,
    size: u64,
    counter: &Counter,
) -> Result<u64, Error> {
    let seek_source = |to| offset::seek(source, to).map_err(|errno| Side::Source.failed(errno));
    let seek_file = |to| offset::seek(file, to).map_err(|errno| Side::Destination.failed(errno));
    let start =
        lseek(source, 0, Whence::SeekCur).map_err(|errno| Side::Source.failed(errno))? as u64;
    seek_file(at)?;
    let left = Left { chunks: Mutex::new(0..size.div_ceil(CHUNK)), size, counter };
    let copied = std::thread::scope(|scope| {
        let back = || copy_back(source, start, file, at, &left);
        let back = thread::start(|thread| thread.spawn_scoped(scope, back));
        let front = copy_front(source, file, &left).inspect_err(|_| left.drop_all())?;
        // The maximum number of threads is reached.
        let Ok(back) = back else { return Ok(front) };
        let back = back.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        // The thread at the back stops if it gets no page, perhaps after the one at the front has
        // ended.
        Ok(front.min(back).min(copy_front(source, file, &left)?))
    })?;
    seek_source(start + copied)?;
    if copied < size {
        return Ok(copied);
    }
    // The source may have become longer.
    seek_file(at + copied)?;
    Ok(copied + copy(source, file, None, counter)?)
}

/// Copies bytes, up to the end of the source or the limit; returns their number.
fn copy(
    source: BorrowedFd<'_>,
    file: &OwnedFd,
    limit: Option<u64>,
    counter: &Counter,
) -> Result<u64, Error> {
    Transfer::new(source, file.as_fd(), limit).counted(counter).finish()
}

/// The chunks of a file that no thread has claimed yet.
struct Left<'a> {
    chunks: Mutex<Range<u64>>,
    size: u64,
    counter: &'a Counter,
}

impl Left<'_> {
    fn change<T>(&self, change: impl FnOnce(&mut Range<u64>) -> T) -> T {
        // No thread panics while it holds the lock.
        change(&mut self.chunks.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn first(&self) -> Option<Range<u64>> {
        self.change(|chunks| chunks.next()).map(|chunk| self.bytes(chunk))
    }

    fn last(&self) -> Option<Range<u64>> {
        self.change(|chunks| chunks.next_back()).map(|chunk| self.bytes(chunk))
    }

    /// Removes all chunks.
    fn drop_all(&self) {
        self.change(|chunks| chunks.end = chunks.start);
    }

    /// Returns the chunk that was claimed last from the back.
    fn put_back(&self) {
        self.change(|chunks| chunks.end += 1);
    }

    fn bytes(&self, chunk: u64) -> Range<u64> {
        chunk * CHUNK..((chunk + 1) * CHUNK).min(self.size)
    }
}

/// Copies chunks from the front; returns the offset at which the source ended, or its size.
fn copy_front(source: BorrowedFd<'_>, file: &OwnedFd, left: &Left<'_>) -> Result<u64, Error> {
    while let Some(bytes) = left.first() {
        let copied = copy(source, file, Some(bytes.end - bytes.start), left.counter)?;
        if bytes.start + copied < bytes.end {
            return Ok(bytes.start + copied);
        }
    }
    Ok(left.size)
}

/// Copies chunks from the back, through a mapping; returns the same.
fn copy_back(
    source: BorrowedFd<'_>,
    start: u64,
    file: &OwnedFd,
    at: u64,
    left: &Left<'_>,
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
            let read = window.read_at(source, start + (part.start - at), part);
            read.inspect(|&count| left.counter.add(count as u64))
        })?;
        if bytes.start + copied < bytes.end {
            end = end.min(bytes.start + copied);
        }
    }
    Ok(end)
}
