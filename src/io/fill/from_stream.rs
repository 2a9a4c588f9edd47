//! Filling a file from a stream: one thread reads, another writes: read(2), pwrite(2).

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use nix::poll::{PollFd, PollFlags};

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::io::fill::{Destination, WORTHWHILE};
use crate::io::transfer::{Error, Side};
use crate::sys::eventfd::Bell;
use crate::sys::signal::{Blocked, Unblocked, mask};
use crate::sys::{cleanup, cpu, heap, pipe, poll, stream, thread};

/// The number of bytes that are read and written at a time: the capacity of a pipe, so that its
/// writer runs without interruption as long as possible.
const BLOCK: usize = pipe::CAPACITY;

/// The number of blocks that the two threads exchange. With fewer, they wait for each other more
/// often; more are hardly faster, and the process would use more than 8 MiB.
const BLOCKS: usize = 6;

/// Copies a stream, up to its end or the limit, to this offset of a file; returns the number of
/// bytes.
///
/// # Errors
/// EFAULT of the destination if a check finds it truncated.
pub fn from_stream(
    source: BorrowedFd<'_>,
    mut destination: Destination<'_>,
    offset: u64,
    limit: Option<u64>,
) -> Result<u64, Error> {
    let mut stream = Stream { source, left: limit.unwrap_or(u64::MAX) };
    // Memory is allocated before a byte is written, so that ENOMEM leaves the file unchanged.
    let mut block = Block::new().map_err(|errno| Side::Destination.failed(errno))?;
    let least = pipe::CAPACITY_AT_FIRST;
    let mut written = copy(&mut stream, &mut destination, &mut block, offset, least)?;
    if written < least {
        return Ok(written);
    }
    pipe::enlarge(source);
    let least = WORTHWHILE - written;
    written += copy(&mut stream, &mut destination, &mut block, offset + written, least)?;
    if written < WORTHWHILE {
        return Ok(written);
    }
    let rest = if cpu::allowed() > 1 { by_two } else { alone };
    Ok(written + rest(stream, destination, block, offset + written)?)
}

fn alone(
    mut stream: Stream<'_>,
    mut destination: Destination<'_>,
    mut block: Block,
    offset: u64,
) -> Result<u64, Error> {
    copy(&mut stream, &mut destination, &mut block, offset, u64::MAX)
}

/// Reads and writes in turn until at least this many bytes are written; returns the number of
/// bytes, which is less if the stream ended.
fn copy(
    stream: &mut Stream<'_>,
    destination: &mut Destination<'_>,
    block: &mut Block,
    offset: u64,
    least: u64,
) -> Result<u64, Error> {
    let mut written = 0;
    while written < least {
        if stream.read(block)? == 0 {
            destination.check()?;
            break;
        }
        destination.write_at(block.filled(), offset + written)?;
        written += block.take();
    }
    Ok(written)
}

/// The rest of a stream.
pub(super) struct Stream<'a> {
    pub(super) source: BorrowedFd<'a>,
    pub(super) left: u64,
}

impl Stream<'_> {
    /// Waits, and reads once to the end of the block; 0 is the end of the stream, or the limit.
    fn read(&mut self, block: &mut Block) -> Result<usize, Error> {
        let room = (BLOCK - block.length).min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let room = &mut block.bytes[block.length..][..room];
        let count = stream::read(self.source, room).map_err(|errno| Side::Source.failed(errno))?;
        block.length += count;
        self.left -= count as u64;
        Ok(count)
    }
}

/// Bytes that are read and not written yet.
pub(super) struct Block {
    bytes: Vec<u8>,
    length: usize,
}

impl Block {
    pub(super) fn new() -> Result<Self, Errno> {
        Ok(Self { bytes: heap::zeros(BLOCK)?, length: 0 })
    }

    fn filled(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Empties the block; returns the number of bytes.
    fn take(&mut self) -> u64 {
        std::mem::take(&mut self.length) as u64
    }
}

/// Reads in this thread, and writes in another.
pub(super) fn by_two(
    stream: Stream<'_>,
    destination: Destination<'_>,
    block: Block,
    offset: u64,
) -> Result<u64, Error> {
    // The maximum number of descriptors is reached, or there is no memory.
    let (Ok(failed), Ok(second)) = (Bell::new(), Block::new()) else {
        return alone(stream, destination, block, offset);
    };
    let waiting = AtomicUsize::new(0);
    let (full, to_write) = sync_channel(BLOCKS);
    let (empty, to_fill) = sync_channel(BLOCKS);
    let more = (2..BLOCKS).map_while(|_| Block::new().ok());
    for block in [second].into_iter().chain(more) {
        // The channel has room for each.
        let _ = empty.send(block);
    }
    let last = empty.clone();
    std::thread::scope(|scope| {
        let (failed, waiting) = (&failed, &waiting);
        // The writer does not block fatal signals, so that the cleanup, such as the release of a
        // guard, runs between two writes.
        let open = cleanup::signals().without(mask());
        let write = move || {
            let _open = Unblocked::new(open);
            write_blocks(destination, offset, &to_write, &empty, waiting)
                .inspect_err(|_| failed.ring())
        };
        let writer = thread::start(|thread| thread.spawn_scoped(scope, write));
        // The maximum number of threads is reached.
        let Ok(writer) = writer else { return alone(stream, destination, block, offset) };
        let _ = last.send(block);
        // The writer then has the only sender, and the reader sees its end.
        drop(last);
        let _blocked = Blocked::new(cleanup::signals());
        let read = read_blocks(stream, &to_fill, &full, waiting, failed);
        // The writer writes the remaining blocks, even after an error of the reader.
        drop(full);
        let written = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        read.map(|()| written)
    })
}

fn write_blocks(
    mut destination: Destination<'_>,
    mut offset: u64,
    to_write: &Receiver<Block>,
    empty: &SyncSender<Block>,
    waiting: &AtomicUsize,
) -> Result<u64, Error> {
    let start = offset;
    for mut block in to_write {
        destination.write_at(block.filled(), offset)?;
        offset += block.take();
        waiting.fetch_sub(1, Ordering::Relaxed);
        // The reader may have ended.
        let _ = empty.send(block);
    }
    destination.check()?;
    Ok(offset - start)
}

/// Reads until the end, or until the writer reports an error.
fn read_blocks(
    mut stream: Stream<'_>,
    to_fill: &Receiver<Block>,
    full: &SyncSender<Block>,
    waiting: &AtomicUsize,
    failed: &Bell,
) -> Result<(), Error> {
    while let Ok(mut block) = to_fill.recv() {
        let filled = fill_block(&mut stream, &mut block, waiting, failed);
        if filled == Ok(Filled::InVain) {
            break;
        }
        // The bytes before an error are written.
        waiting.fetch_add(1, Ordering::Relaxed);
        let handed_on = full.send(block);
        if filled? == Filled::ToTheEnd || handed_on.is_err() {
            break;
        }
    }
    Ok(())
}

/// The outcome of reading into a block.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Filled {
    /// The block has bytes, and more may follow.
    Partly,
    /// The block may have bytes, and no more follow.
    ToTheEnd,
    /// The writer has failed.
    InVain,
}

/// Reads into a block until the writer is idle, or the reader would block. Otherwise it fills the
/// block, because each write has a cost.
fn fill_block(
    stream: &mut Stream<'_>,
    block: &mut Block,
    waiting: &AtomicUsize,
    failed: &Bell,
) -> Result<Filled, Error> {
    while block.length < BLOCK {
        if stream.left == 0 {
            return Ok(Filled::ToTheEnd);
        }
        let is_wanted = || waiting.load(Ordering::Relaxed) == 0;
        if block.length > 0 && is_wanted() {
            break;
        }
        let deadline = if block.length > 0 { Deadline::PASSED } else { Deadline::NEVER };
        let fds = [stream.source, failed.as_fd()];
        let mut fds = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        let waited = poll::any(&mut fds, deadline).map_err(|errno| Side::Source.failed(errno))?;
        if fds[1].any() == Some(true) {
            return Ok(Filled::InVain);
        }
        if waited == Waited::TimedOut {
            break;
        }
        if stream.read(block)? == 0 {
            return Ok(Filled::ToTheEnd);
        }
    }
    Ok(Filled::Partly)
}
