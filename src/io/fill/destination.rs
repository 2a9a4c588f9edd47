//! The file that is filled, which another process may truncate meanwhile: fstat(2), pwrite(2).

use std::os::fd::OwnedFd;

use nix::sys::stat::fstat;

use crate::base::errno::Errno;
use crate::io::transfer::{Counter, Error, Side};
use crate::sys::{offset, stream};

/// A file, and its least size unless another process truncates it.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    file: &'a OwnedFd,
    least: u64,
    counter: &'a Counter,
}

impl<'a> Destination<'a> {
    /// A file of at least this size. The bytes that are written are added to the number.
    pub fn new(file: &'a OwnedFd, least: u64, counter: &'a Counter) -> Self {
        Self { file, least, counter }
    }

    /// The number that the bytes are added to.
    pub fn counter(&self) -> &'a Counter {
        self.counter
    }

    /// The file.
    pub fn file(&self) -> &'a OwnedFd {
        self.file
    }

    /// Sets the position of the file.
    pub fn seek(&self, to: u64) -> Result<(), Error> {
        offset::seek(self.file, to).map_err(|errno| Side::Destination.failed(errno))
    }

    /// Writes all bytes to this offset.
    ///
    /// # Errors
    /// EFAULT if the file was truncated. A write would lengthen it again and leave a hole in place
    /// of the lost bytes.
    pub fn write_at(&mut self, bytes: &[u8], at: u64) -> Result<(), Error> {
        self.check()?;
        let written = stream::write_at(self.file, bytes, at);
        written.map_err(|errno| Side::Destination.failed(errno))?;
        self.counter.add(bytes.len() as u64);
        self.has_grown_to(at + bytes.len() as u64);
        Ok(())
    }

    /// Records that the file was written up to this offset.
    pub fn has_grown_to(&mut self, end: u64) {
        self.least = self.least.max(end);
    }

    /// Checks that the file was not truncated. If fstat(2) fails, the next write reports the error.
    ///
    /// # Errors
    /// EFAULT if it was truncated.
    pub fn check(&self) -> Result<(), Error> {
        match fstat(self.file) {
            Ok(status) if (status.st_size as u64) < self.least => {
                Err(Side::Destination.failed(Errno(libc::EFAULT)))
            }
            _ => Ok(()),
        }
    }
}
