//! The file that is filled, which others may cut off meanwhile: fstat(2), pwrite(2).

use std::os::fd::OwnedFd;

use nix::sys::stat::fstat;

use crate::base::errno::Errno;
use crate::io::transfer::{Error, Side};
use crate::sys::{offset, stream};

/// A file, and how long it has to be if nobody has cut it off.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    file: &'a OwnedFd,
    least: u64,
}

impl<'a> Destination<'a> {
    /// A file of at least this length.
    pub fn new(file: &'a OwnedFd, least: u64) -> Self {
        Self { file, least }
    }

    /// The file.
    pub fn file(&self) -> &'a OwnedFd {
        self.file
    }

    /// Sets the position of the file.
    pub fn seek(&self, to: u64) -> Result<(), Error> {
        offset::seek(self.file, to).map_err(|errno| Side::Destination.failed(errno))
    }

    /// Writes all of it to this offset.
    ///
    /// # Errors
    /// EFAULT if the file was cut off before. Writing would make it as long again, with a hole for
    /// what was lost.
    pub fn write_at(&mut self, bytes: &[u8], at: u64) -> Result<(), Error> {
        self.check()?;
        let written = stream::write_at(self.file, bytes, at);
        written.map_err(|errno| Side::Destination.failed(errno))?;
        self.has_grown_to(at + bytes.len() as u64);
        Ok(())
    }

    /// Notes that so much was written.
    pub fn has_grown_to(&mut self, end: u64) {
        self.least = self.least.max(end);
    }

    /// Looks whether the file was cut off. Where the kernel does not tell, writing does.
    ///
    /// # Errors
    /// EFAULT if it was.
    pub fn check(&self) -> Result<(), Error> {
        match fstat(self.file) {
            Ok(status) if (status.st_size as u64) < self.least => {
                Err(Side::Destination.failed(Errno(libc::EFAULT)))
            }
            _ => Ok(()),
        }
    }
}
