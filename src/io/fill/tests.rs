//! A file has the bytes of its source, wherever the two threads meet.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::thread;

use nix::unistd::pipe;

use crate::base::errno::Errno;
use crate::io::fill::from_file::CHUNK;
use crate::io::fill::from_stream::{Block, Stream, by_two};
use crate::io::fill::*;
use crate::io::transfer::{Counter, Side};
use crate::sys::offset;

/// A size for which two threads are used, and that is no multiple of a block.
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
        // The write fails if the reader stops earlier.
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
        let result = fed(|stream| {
            from_stream(stream, Destination::new(&file, 0, &Counter::default()), 5, Some(limit))
        });
        assert_eq!(result, Ok(written));
        let bytes = contents(&file);
        assert!(written == 0 || bytes[..5] == [0; 5]);
        assert!(bytes.get(5..).unwrap_or_default() == &sample()[..written as usize], "{limit}");
    }
}

#[test]
fn the_bytes_of_a_slow_stream_are_written_at_once() {
    let (file, (out, mut feed)) =
        (in_memory(), pipe().map(|(out, feed)| (out, File::from(feed))).unwrap());
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            from_stream(out.as_fd(), Destination::new(&file, 0, &Counter::default()), 0, None)
        });
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
            by_two(
                stream,
                Destination::new(&unwritable, 0, &Counter::default()),
                Block::new().unwrap(),
                0,
            )
        });
        feed.write_all(b"something").unwrap();
        // The write end stays open.
        let error = Side::Destination.failed(Errno(libc::EBADF));
        assert_eq!(writer.join().unwrap(), Err(error));
    });
}

#[test]
fn a_file_is_copied_to_its_real_end_rather_than_its_reported_size() {
    for (there, reported) in [(SIZE, SIZE), (SIZE - CHUNK, SIZE), (SIZE, SIZE - 7), (0, SIZE)] {
        let mut source = tempfile::tempfile().unwrap();
        source.write_all(b"skipped").unwrap();
        source.write_all(&sample()[..there as usize]).unwrap();
        offset::seek(&source, 7).unwrap();
        let file = in_memory();
        nix::unistd::ftruncate(&file, (3 + reported) as i64).unwrap();
        let counter = Counter::default();
        let copied = from_both_ends(source.as_fd(), &file, 3, reported, &counter);
        assert_eq!((copied, counter.bytes()), (Ok(there), there), "{reported}");
        assert!(contents(&file)[3..][..there as usize] == sample()[..there as usize]);
        // The source is at its end.
        assert_eq!(source.read(&mut [0]).unwrap(), 0);
    }
}
