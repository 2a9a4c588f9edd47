//! Every byte arrives between any two types of descriptors, and an error names its side.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::thread;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::{pipe, pipe2, write};

use crate::io::transfer::*;

/// More bytes than a pipe takes, and an odd number.
fn sample() -> Vec<u8> {
    (0..3_000_001_u32).map(|i| (i.wrapping_mul(i) / 7) as u8).collect()
}

fn file_with(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

fn contents(mut file: &File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Runs the transfer while another thread writes the sample and closes its end.
fn fed(end: impl Into<OwnedFd>, work: impl FnOnce()) {
    let mut end = File::from(end.into());
    thread::scope(|scope| {
        scope.spawn(move || end.write_all(&sample()).unwrap());
        work();
    });
}

/// Runs the transfer while another thread reads as much as the sample; returns what it read.
fn drained(end: impl Into<OwnedFd>, work: impl FnOnce()) -> Vec<u8> {
    let mut end = File::from(end.into());
    thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut bytes = vec![0; sample().len()];
            end.read_exact(&mut bytes).unwrap();
            (bytes, end)
        });
        work();
        // The pipe is open until the transfer has ended: a reader that left would be an error.
        reader.join().unwrap().0
    })
}

#[test]
fn every_byte_arrives_in_order_between_any_two_kinds_of_descriptors() {
    let length = sample().len() as u64;
    let (pipe_out, pipe_in) = pipe().unwrap();
    let (pipe_out2, pipe_in2) = pipe().unwrap();
    let target = tempfile::tempfile().unwrap();
    fed(pipe_in, || assert_eq!(copy(&pipe_out, &target, None), Ok(length)));
    assert!(contents(&target) == sample(), "pipe to file");

    let source = file_with(&sample());
    let read = drained(pipe_out2, || assert_eq!(copy(&source, &pipe_in2, None), Ok(length)));
    assert!(read == sample(), "file to pipe");

    let (source, target) = (file_with(&sample()), tempfile::tempfile().unwrap());
    assert_eq!(copy(&source, &target, None), Ok(length));
    assert!(contents(&target) == sample(), "file to file");

    let (source, (near, far)) = (file_with(&sample()), UnixStream::pair().unwrap());
    let read = drained(far, || assert_eq!(copy(&source, &near, None), Ok(length)));
    assert!(read == sample(), "file to socket");

    let ((near, far), target) = (UnixStream::pair().unwrap(), tempfile::tempfile().unwrap());
    fed(far, || assert_eq!(copy(&near, &target, None), Ok(length)));
    assert!(contents(&target) == sample(), "socket to file");

    let ((from, feed), (to, drain)) = (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
    let read = drained(drain, || fed(feed, || assert_eq!(copy(&from, &to, None), Ok(length))));
    assert!(read == sample(), "socket to socket");
}

#[test]
fn bytes_are_moved_from_a_pipe_to_a_pipe() {
    let ((from, feed), (drain, to)) = (pipe().unwrap(), pipe().unwrap());
    let read = drained(drain, || {
        fed(feed, || assert_eq!(copy(&from, &to, None), Ok(sample().len() as u64)));
    });
    assert!(read == sample());
}

#[test]
fn no_byte_beyond_the_limit_is_read() {
    for limit in [0, 1, 4096, 1_000_000] {
        let (mut source, target) = (file_with(&sample()), tempfile::tempfile().unwrap());
        assert_eq!(copy(&source, &target, Some(limit)), Ok(limit));
        assert_eq!(source.stream_position().unwrap(), limit);
        assert!(contents(&target) == sample()[..limit as usize]);
    }
}

#[test]
fn bytes_are_appended_to_a_file_in_append_mode() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    std::fs::write(&path, "first ").unwrap();
    let target = OpenOptions::new().append(true).open(&path).unwrap();
    assert_eq!(copy(file_with(b"second"), &target, None), Ok(6));
    let (pipe_out, pipe_in) = pipe().unwrap();
    File::from(pipe_in).write_all(b" third").unwrap();
    assert_eq!(copy(&pipe_out, &target, None), Ok(6));
    assert_eq!(std::fs::read(&path).unwrap(), b"first second third");
    // It takes no splice, which fails while bytes are in transit.
    let (near, far) = UnixStream::pair().unwrap();
    fed(far, || assert_eq!(copy(&near, &target, None), Ok(sample().len() as u64)));
    assert!(std::fs::read(&path).unwrap() == [&b"first second third"[..], &sample()].concat());
}

#[test]
fn a_file_that_looks_empty_is_read() {
    let target = tempfile::tempfile().unwrap();
    let moved = copy(File::open("/proc/self/status").unwrap(), &target, None).unwrap();
    assert!(moved > 0);
    assert!(contents(&target).starts_with(b"Name:"));
}

#[test]
fn an_error_has_the_side_that_failed() {
    let destination = |errno| Err(Error { side: Side::Destination, errno: Errno(errno) });
    let source = |errno| Err(Error { side: Side::Source, errno: Errno(errno) });
    let file = || file_with(b"some bytes");
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    let (pipe_out, pipe_in) = pipe().unwrap();

    assert_eq!(copy(file(), full(), None), destination(libc::ENOSPC));
    assert_eq!(copy(File::open("/").unwrap(), file(), None), source(libc::EISDIR));
    assert_eq!(copy(&pipe_in, file(), None), source(libc::EBADF));
    assert_eq!(copy(file(), &pipe_out, None), destination(libc::EBADF));
    write(&pipe_in, b"some bytes").unwrap();
    assert_eq!(copy(&pipe_out, full(), None), destination(libc::ENOSPC));
    drop(pipe_out);
    assert_eq!(copy(file(), &pipe_in, None), destination(libc::EPIPE));
}

#[test]
fn a_wait_for_a_side_ends_at_the_deadline() {
    let (pipe_out, pipe_in) = pipe2(OFlag::O_NONBLOCK).unwrap();
    let target = tempfile::tempfile().unwrap();
    let mut transfer = Transfer::new(pipe_out.as_fd(), target.as_fd(), None);
    assert_eq!(transfer.step(), Ok(Step::NotReady(Side::Source)));
    assert_eq!(transfer.run(|_| Deadline::PASSED), Ok(Waited::TimedOut));
    write(&pipe_in, b"late").unwrap();
    drop(pipe_in);
    assert_eq!(transfer.run(|_| Deadline::PASSED), Ok(Waited::Done(())));
    assert_eq!(transfer.moved(), 4);
}

#[test]
fn a_full_destination_loses_no_bytes() {
    for by_value in [false, true] {
        let source = file_with(&sample());
        let (pipe_out, pipe_in) = pipe2(OFlag::O_NONBLOCK).unwrap();
        let mut transfer = Transfer::new(source.as_fd(), pipe_in.as_fd(), None);
        if by_value {
            transfer = transfer.by_value();
        }
        let mut seen = None;
        let waited = transfer.run(|side| {
            seen = Some(side);
            Deadline::PASSED
        });
        assert_eq!((waited, seen), (Ok(Waited::TimedOut), Some(Side::Destination)));
        fcntl(&pipe_out, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
        let read = drained(pipe_out, || {
            assert_eq!(transfer.run(|_| Deadline::NEVER), Ok(Waited::Done(())));
        });
        assert!(read == sample());
    }
}

#[test]
fn a_full_pipe_does_not_block_with_a_passed_deadline() {
    let source = file_with(&sample());
    let (pipe_out, pipe_in) = pipe().unwrap();
    let mut transfer = Transfer::new(source.as_fd(), pipe_in.as_fd(), None);
    assert_eq!(transfer.run(|_| Deadline::PASSED), Ok(Waited::TimedOut));
    let capacity = fcntl(&pipe_in, FcntlArg::F_GETPIPE_SZ).unwrap() as u64;
    assert_eq!(transfer.moved(), capacity);
    let read = drained(pipe_out, || {
        assert_eq!(transfer.run(|_| Deadline::NEVER), Ok(Waited::Done(())));
    });
    assert!(read == sample());
}

#[test]
fn bytes_in_transit_are_left_in_the_file() {
    for by_value in [false, true] {
        let source = file_with(&sample());
        let (_pipe_out, pipe_in) = pipe2(OFlag::O_NONBLOCK).unwrap();
        let mut transfer = Transfer::new(source.as_fd(), pipe_in.as_fd(), None);
        if by_value {
            transfer = transfer.by_value();
        }
        assert_eq!(transfer.run(|_| Deadline::PASSED), Ok(Waited::TimedOut));
        assert!(transfer.strategy.held() > 0, "bytes are in transit");
        assert_eq!((&source).stream_position().unwrap(), transfer.moved());
    }
}
