//! Reading and writing descriptors, also if signals interrupt the call or the descriptor is
//! non-blocking: read(2), write(2), pwrite(2).

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno::{EAGAIN, EINTR};
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use nix::sys::uio::pwrite;

use super::{offset, poll};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;

/// Opens a file of any kind for reading. For a FIFO it waits for a writer.
pub fn open(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_RDONLY | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    Ok(nix::fcntl::open(path, flags, Mode::empty())?)
}

/// Waits for bytes and reads them; 0 is the end.
pub fn read(fd: impl AsFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    loop {
        match nix::unistd::read(&fd, buffer) {
            Ok(count) => return Ok(count),
            Err(EINTR) => {}
            Err(EAGAIN) => {
                let _: Waited = poll::readable(&fd, Deadline::NEVER)?;
            }
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Reads bytes once; 0 is the end.
///
/// # Errors
/// EAGAIN if the descriptor is non-blocking and has no bytes.
pub fn read_at_once(fd: impl AsFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    loop {
        match nix::unistd::read(&fd, buffer) {
            Err(EINTR) => {}
            result => return Ok(result?),
        }
    }
}

/// Writes all bytes, and waits for room.
pub fn write(fd: impl AsFd, bytes: &[u8]) -> Result<(), Errno> {
    write_counted(fd, bytes).1
}

/// The same; returns also how many bytes were written before an error.
pub fn write_counted(fd: impl AsFd, bytes: &[u8]) -> (usize, Result<(), Errno>) {
    let mut written = 0;
    loop {
        let (count, result) = write_at_once(&fd, &bytes[written..]);
        written += count;
        match result {
            Err(Errno(libc::EAGAIN)) => match poll::writable(&fd, Deadline::NEVER) {
                Ok(_) => {}
                Err(errno) => return (written, Err(errno)),
            },
            result => return (written, result),
        }
    }
}

/// Writes all bytes; returns how many were written before an error.
///
/// # Errors
/// EAGAIN if the descriptor is non-blocking and has no room.
pub fn write_at_once(fd: impl AsFd, bytes: &[u8]) -> (usize, Result<(), Errno>) {
    let mut written = 0;
    while written < bytes.len() {
        match nix::unistd::write(&fd, &bytes[written..]) {
            // A full file system takes some of the bytes; the next call has the error.
            Ok(count) => written += count,
            Err(EINTR) => {}
            Err(errno) => return (written, Err(errno.into())),
        }
    }
    (written, Ok(()))
}

/// Writes all bytes at this offset of a file, and leaves its position.
///
/// # Errors
/// EFBIG if no file can be so large.
pub fn write_at(file: impl AsFd, mut bytes: &[u8], mut at: u64) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match pwrite(&file, bytes, offset::signed(at)?) {
            Ok(count) => {
                bytes = &bytes[count..];
                at += count as u64;
            }
            Err(EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Reads from a position of a file, until the buffer is full or the file ends.
pub fn read_at(file: impl AsFd, buffer: &mut [u8], at: i64) -> Result<usize, Errno> {
    let mut count = 0;
    while count < buffer.len() {
        match nix::sys::uio::pread(&file, &mut buffer[count..], at + count as i64) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(count)
}
