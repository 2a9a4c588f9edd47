//! Filling a file with more than one CPU copies: read(2), pwrite(2), mmap(2).
//!
//! What limits `cat` into a file of memory is the CPU: for each page it takes one from the kernel
//! and copies twice. So where another CPU is allowed, two threads share the work: of a stream, one
//! reads and the other writes; of a file, one begins at its front and the other at its back. The
//! second way to the same file is a mapping, as the kernel lets one writer in at a time.

use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use nix::errno::Errno::{EAGAIN, EINTR};
use nix::sys::uio::pwrite;
use nix::unistd::{Whence, lseek};

use super::eventfd::Bell;
use super::process::allowed_cpus;
use super::transfer::{self, Error, Side, enlarge_pipe};
use super::window::{Access, Window};
use super::{poll, stream};
use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;

/// What is read and written at a time.
const BLOCK: usize = 512 << 10;

/// How many blocks go to and fro between reader and writer.
const BLOCKS: usize = 4;

/// What one of two takes of a file at a time: the reach of one page of page tables.
const CHUNK: u64 = 2 << 20;

/// A second thread is worth its start from this much on.
const WORTHWHILE: u64 = 4 << 20;

/// Whether a file of this size is better copied by two.
pub fn is_worthwhile(size: u64) -> bool {
    size >= WORTHWHILE && allowed_cpus() > 1
}

/// Moves all of a stream to this offset of a file, or as much as the limit says; returns how much
/// it was.
pub fn from_stream(
    source: BorrowedFd<'_>,
    file: &OwnedFd,
    offset: u64,
    limit: Option<u64>,
) -> Result<u64, Error> {
    let mut stream = Stream { source, left: limit.unwrap_or(u64::MAX) };
    let mut block = Block::new();
    let mut written = 0;
    while written < WORTHWHILE {
        if stream.read(&mut block)? == 0 {
            return Ok(written);
        }
        block.write_to(file, offset + written)?;
        written += block.take();
        if written >= transfer::WORTHWHILE {
            enlarge_pipe(source);
        }
    }
    let rest = if allowed_cpus() > 1 { by_two } else { alone };
    Ok(written + rest(stream, file, offset + written)?)
}

fn alone(mut stream: Stream<'_>, file: &OwnedFd, offset: u64) -> Result<u64, Error> {
    let (mut block, mut written) = (Block::new(), 0);
    while stream.read(&mut block)? > 0 {
        block.write_to(file, offset + written)?;
        written += block.take();
    }
    Ok(written)
}

/// What is still to come.
struct Stream<'a> {
    source: BorrowedFd<'a>,
    left: u64,
}

impl Stream<'_> {
    /// Reads once behind what is in the block, waiting for something; 0 is the end, or the limit.
    fn read(&mut self, block: &mut Block) -> Result<usize, Error> {
        let room = (BLOCK - block.length).min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let room = &mut block.bytes[block.length..][..room];
        let count = stream::read(self.source, room).map_err(at(Side::Source))?;
        block.length += count;
        self.left -= count as u64;
        Ok(count)
    }

    /// Whether a read would not wait.
    fn is_readable(&self) -> bool {
        poll::readable(self.source, Deadline::PASSED) == Ok(Waited::Done(()))
    }
}

/// Bytes on their way.
struct Block {
    bytes: Vec<u8>,
    length: usize,
}

impl Block {
    fn new() -> Self {
        Self { bytes: vec![0; BLOCK], length: 0 }
    }

    fn write_to(&self, file: &OwnedFd, offset: u64) -> Result<(), Error> {
        let mut done = 0;
        while done < self.length {
            let at_offset = i64::try_from(offset + done as u64);
            let at_offset = at_offset.map_err(|_| at(Side::Destination)(Errno(libc::EFBIG)))?;
            match pwrite(file, &self.bytes[done..self.length], at_offset) {
                Ok(count) => done += count,
                Err(EINTR) => {}
                Err(errno) => return Err(at(Side::Destination)(errno.into())),
            }
        }
        Ok(())
    }

    /// Empties it; returns how much there was.
    fn take(&mut self) -> u64 {
        std::mem::take(&mut self.length) as u64
    }
}

/// One thread reads, another writes what was read.
fn by_two(stream: Stream<'_>, file: &OwnedFd, offset: u64) -> Result<u64, Error> {
    let failed = Bell::new().map_err(at(Side::Destination))?;
    let waiting = AtomicUsize::new(0);
    let (full, to_write) = sync_channel(BLOCKS);
    let (empty, to_fill) = sync_channel(BLOCKS);
    for _ in 0..BLOCKS {
        // There is a place for each.
        let _ = empty.send(Block::new());
    }
    thread::scope(|scope| {
        let (failed, waiting) = (&failed, &waiting);
        let writer = thread::Builder::new().spawn_scoped(scope, move || {
            write_blocks(file, offset, &to_write, &empty, waiting).inspect_err(|_| failed.ring())
        });
        // There may be a limit on threads.
        let Ok(writer) = writer else { return alone(stream, file, offset) };
        let read = read_blocks(stream, &to_fill, &full, waiting, failed);
        // What was read is written, however reading ended.
        drop(full);
        let written = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        read.map(|()| written)
    })
}

fn write_blocks(
    file: &OwnedFd,
    mut offset: u64,
    to_write: &Receiver<Block>,
    empty: &SyncSender<Block>,
    waiting: &AtomicUsize,
) -> Result<u64, Error> {
    let start = offset;
    for mut block in to_write {
        block.write_to(file, offset)?;
        offset += block.take();
        waiting.fetch_sub(1, Ordering::Relaxed);
        // Nobody takes it back once all is read.
        let _ = empty.send(block);
    }
    Ok(offset - start)
}

/// Reads until the end, or until writing failed, which the writer tells.
fn read_blocks(
    mut stream: Stream<'_>,
    to_fill: &Receiver<Block>,
    full: &SyncSender<Block>,
    waiting: &AtomicUsize,
    failed: &Bell,
) -> Result<(), Error> {
    while let Ok(mut block) = to_fill.recv() {
        // A writer that has nothing to do is not kept waiting, and nothing is kept back while we
        // wait ourselves; otherwise the block is filled up, as each has its cost.
        let mut has_ended = false;
        while block.length < BLOCK && !has_ended {
            if stream.left == 0 {
                has_ended = true;
                break;
            }
            let is_wanted = block.length > 0 && waiting.load(Ordering::Relaxed) == 0;
            if is_wanted || block.length > 0 && !stream.is_readable() {
                break;
            }
            let fds = [stream.source, failed.as_fd()];
            let waited = poll::any_readable(&fds, Deadline::NEVER).map_err(at(Side::Source));
            if failed.has_rung() {
                return Ok(());
            }
            // What was read before an error is written.
            has_ended = match waited.and_then(|_| stream.read(&mut block)) {
                Ok(count) => count == 0,
                Err(error) => {
                    waiting.fetch_add(1, Ordering::Relaxed);
                    let _ = full.send(block);
                    return Err(error);
                }
            };
        }
        waiting.fetch_add(1, Ordering::Relaxed);
        if full.send(block).is_err() || has_ended {
            break;
        }
    }
    Ok(())
}

/// Copies a file that says it has `size` more bytes to this offset of another, which is ours alone,
/// and lies in memory; returns how much it was. The source is read from its position on, which
/// moves along.
///
/// # Errors
/// Those of copying. What the file has then is of no use.
pub fn from_file(
    source: BorrowedFd<'_>,
    file: &OwnedFd,
    offset: u64,
    size: u64,
) -> Result<u64, Error> {
    let start =
        lseek(source, 0, Whence::SeekCur).map_err(|errno| at(Side::Source)(errno.into()))?;
    seek(file, offset, Side::Destination)?;
    let left = Left { chunks: Mutex::new(0..size.div_ceil(CHUNK)), size };
    let copied = thread::scope(|scope| {
        let back = || copy_back(source, start as u64, file, offset, &left);
        let back = thread::Builder::new().spawn_scoped(scope, back);
        let front = copy_front(source, file, &left)?;
        // There may be a limit on threads.
        let Ok(back) = back else { return Ok(front) };
        let back = back.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        // It gives up where it gets no page, perhaps after the front has come to its end.
        Ok(front.min(back).min(copy_front(source, file, &left)?))
    })?;
    seek(source, start as u64 + copied, Side::Source)?;
    if copied < size {
        return Ok(copied);
    }
    // The source may have become longer.
    seek(file, offset + copied, Side::Destination)?;
    Ok(copied + transfer::copy(source, file, None)?)
}

fn seek(fd: impl AsFd, offset: u64, side: Side) -> Result<(), Error> {
    let offset = i64::try_from(offset).map_err(|_| at(side)(Errno(libc::EFBIG)))?;
    lseek(fd, offset, Whence::SeekSet).map(drop).map_err(|errno| at(side)(errno.into()))
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
    offset: u64,
    left: &Left,
) -> Result<u64, Error> {
    let mut end = left.size;
    while let Some(bytes) = left.last() {
        let target = offset + bytes.start..offset + bytes.end;
        let populated = Window::map(file.as_fd(), target.clone(), Access::Write)
            .and_then(|window| window.populate().map(|()| window));
        let Ok(window) = populated else {
            left.put_back();
            break;
        };
        let mut position = bytes.start;
        while position < bytes.end {
            let part = offset + position..target.end;
            match window.read_at(source, start + position, part) {
                Ok(0) => {
                    end = end.min(position);
                    break;
                }
                Ok(count) => position += count as u64,
                Err(EINTR | EAGAIN) => {}
                Err(errno) => return Err(at(Side::Source)(errno.into())),
            }
        }
    }
    Ok(end)
}

fn at(side: Side) -> impl Fn(Errno) -> Error {
    move |errno| Error { side, errno }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::unix::fs::FileExt;

    use nix::unistd::pipe;

    use super::*;

    /// More than a stream has before two work on it, and no multiple of anything.
    const SIZE: u64 = WORTHWHILE + 3 * CHUNK + 12_345;

    fn sample() -> Vec<u8> {
        (0..SIZE).map(|i| (i.wrapping_mul(i) / 7) as u8).collect()
    }

    fn in_memory() -> OwnedFd {
        nix::sys::memfd::memfd_create(c"", nix::sys::memfd::MFdFlags::MFD_CLOEXEC).unwrap()
    }

    fn contents(file: &OwnedFd) -> Vec<u8> {
        let file = File::from(file.try_clone().unwrap());
        let mut bytes = vec![0; file.metadata().unwrap().len() as usize];
        file.read_exact_at(&mut bytes, 0).unwrap();
        bytes
    }

    fn fed<T>(work: impl FnOnce(BorrowedFd<'_>) -> T) -> T {
        let (out, feed) = pipe().unwrap();
        thread::scope(|scope| {
            // Whoever reads less has left.
            scope.spawn(move || drop(File::from(feed).write_all(&sample())));
            let result = work(out.as_fd());
            drop(out);
            result
        })
    }

    #[test]
    fn a_stream_arrives_at_its_offset_and_no_more_than_the_limit() {
        for limit in [0, 1, WORTHWHILE, WORTHWHILE + 1, SIZE - 1, SIZE, u64::MAX] {
            let file = in_memory();
            let written = limit.min(SIZE);
            let result = fed(|stream| from_stream(stream, &file, 5, Some(limit)));
            assert_eq!(result, Ok(written));
            let bytes = contents(&file);
            assert!(written == 0 || bytes[..5] == [0; 5]);
            assert!(bytes.get(5..).unwrap_or_default() == &sample()[..written as usize], "{limit}");
        }
    }

    #[test]
    fn what_comes_slowly_is_not_held_back() {
        let (file, (out, mut feed)) =
            (in_memory(), pipe().map(|(out, feed)| (out, File::from(feed))).unwrap());
        thread::scope(|scope| {
            let writer = scope.spawn(|| from_stream(out.as_fd(), &file, 0, None));
            feed.write_all(&sample()).unwrap();
            feed.write_all(b"late").unwrap();
            while contents(&file).len() < SIZE as usize + 4 {
                thread::yield_now();
            }
            drop(feed);
            assert_eq!(writer.join().unwrap(), Ok(SIZE + 4));
        });
    }

    #[test]
    fn a_writer_that_fails_does_not_wait_for_its_stream() {
        let (out, mut feed) = pipe().map(|(out, feed)| (out, File::from(feed))).unwrap();
        let unwritable = OwnedFd::from(File::open("/dev/null").unwrap());
        thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let stream = Stream { source: out.as_fd(), left: u64::MAX };
                by_two(stream, &unwritable, 0)
            });
            feed.write_all(b"something").unwrap();
            // The feeding end stays open.
            let error = Error { side: Side::Destination, errno: Errno(libc::EBADF) };
            assert_eq!(writer.join().unwrap(), Err(error));
        });
    }

    #[test]
    fn two_copy_a_file_and_believe_what_it_has_rather_than_what_it_says() {
        for (there, told) in [(SIZE, SIZE), (SIZE - CHUNK, SIZE), (SIZE, SIZE - 7), (0, SIZE)] {
            let mut source = tempfile::tempfile().unwrap();
            source.write_all(b"skipped").unwrap();
            source.write_all(&sample()[..there as usize]).unwrap();
            seek(&source, 7, Side::Source).unwrap();
            let file = in_memory();
            nix::unistd::ftruncate(&file, (3 + told) as i64).unwrap();
            assert_eq!(from_file(source.as_fd(), &file, 3, told), Ok(there), "{told}");
            assert!(contents(&file)[3..][..there as usize] == sample()[..there as usize]);
            // Nothing is left to be read.
            assert_eq!(source.read(&mut [0]).unwrap(), 0);
        }
    }
}
