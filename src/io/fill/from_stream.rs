//! Filling a file from a stream, of which one thread reads and another writes: read(2), pwrite(2).

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

/// What is read and written at a time: all that a pipe holds, so that its writer is disturbed least.
const BLOCK: usize = pipe::CAPACITY;

/// How many blocks go to and fro between reader and writer. The fewer, the more often the one has to
/// wait for the other; more than this are hardly better, and would be more than 8 MiB with all else.
const BLOCKS: usize = 6;

/// Moves all of a stream to this offset of a file, or as much as the limit says; returns how much
/// it was.
///
/// # Errors
/// EFAULT of the destination if it is seen to have been cut off.
pub fn from_stream(
    source: BorrowedFd<'_>,
    mut destination: Destination<'_>,
    offset: u64,
    limit: Option<u64>,
) -> Result<u64, Error> {
    let mut stream = Stream { source, left: limit.unwrap_or(u64::MAX) };
    // Before a byte is written, so that what fails for want of memory changes nothing.
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

/// Reads and writes in turn until this much is written, or a little more; returns how much it was,
/// which is less where the stream ended.
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

/// What is still to come.
pub(super) struct Stream<'a> {
    pub(super) source: BorrowedFd<'a>,
    pub(super) left: u64,
}

impl Stream<'_> {
    /// Reads once behind what is in the block, waiting for something; 0 is the end, or the limit.
    fn read(&mut self, block: &mut Block) -> Result<usize, Error> {
        let room = (BLOCK - block.length).min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let room = &mut block.bytes[block.length..][..room];
        let count = stream::read(self.source, room).map_err(|errno| Side::Source.failed(errno))?;
        block.length += count;
        self.left -= count as u64;
        Ok(count)
    }
}

/// Bytes on their way.
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

    /// Empties it; returns how much there was.
    fn take(&mut self) -> u64 {
        std::mem::take(&mut self.length) as u64
    }
}

/// One thread reads, another writes what was read.
pub(super) fn by_two(
    stream: Stream<'_>,
    destination: Destination<'_>,
    block: Block,
    offset: u64,
) -> Result<u64, Error> {
    // There may be a limit on descriptors, or on memory.
    let (Ok(failed), Ok(second)) = (Bell::new(), Block::new()) else {
        return alone(stream, destination, block, offset);
    };
    let waiting = AtomicUsize::new(0);
    let (full, to_write) = sync_channel(BLOCKS);
    let (empty, to_fill) = sync_channel(BLOCKS);
    let more = (2..BLOCKS).map_while(|_| Block::new().ok());
    for block in [second].into_iter().chain(more) {
        // There is a place for each.
        let _ = empty.send(block);
    }
    let last = empty.clone();
    std::thread::scope(|scope| {
        let (failed, waiting) = (&failed, &waiting);
        // What is undone before a signal ends us, such as giving back a guard, is undone by the one
        // who writes: nothing is written any more when it is.
        let open = cleanup::signals().without(mask());
        let write = move || {
            let _open = Unblocked::new(open);
            write_blocks(destination, offset, &to_write, &empty, waiting)
                .inspect_err(|_| failed.ring())
        };
        let writer = thread::start(|thread| thread.spawn_scoped(scope, write));
        // There may be a limit on threads.
        let Ok(writer) = writer else { return alone(stream, destination, block, offset) };
        let _ = last.send(block);
        // The reader sees the end of the writer when no one else could send it a block.
        drop(last);
        let _blocked = Blocked::new(cleanup::signals());
        let read = read_blocks(stream, &to_fill, &full, waiting, failed);
        // What was read is written, however reading ended.
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
        // Nobody takes it back once all is read.
        let _ = empty.send(block);
    }
    destination.check()?;
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
        let filled = fill_block(&mut stream, &mut block, waiting, failed);
        if filled == Ok(Filled::InVain) {
            break;
        }
        // What was read before an error is written.
        waiting.fetch_add(1, Ordering::Relaxed);
        let handed_on = full.send(block);
        if filled? == Filled::ToTheEnd || handed_on.is_err() {
            break;
        }
    }
    Ok(())
}

/// What became of reading into a block.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Filled {
    /// It is to be written, and more may come.
    Partly,
    /// It is to be written, and nothing more comes.
    ToTheEnd,
    /// Nobody writes any more.
    InVain,
}

/// Reads into a block for as long as that keeps nobody waiting: a writer that has nothing to do gets
/// what there is, and so he does before we wait ourselves. Otherwise the block is filled up, as each
/// has its cost.
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
