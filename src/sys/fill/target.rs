//! The file that is filled, which others may cut off meanwhile: fstat(2), pwrite(2).

use std::os::fd::OwnedFd;

use nix::sys::stat::fstat;

use crate::errno::Errno;
use crate::sys::stream;

/// A file, and how long it has to be if nobody has cut it off.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    file: &'a OwnedFd,
    least: u64,
}

impl<'a> Target<'a> {
    /// A file of at least this length.
    pub fn new(file: &'a OwnedFd, least: u64) -> Self {
        Self { file, least }
    }

    /// The file.
    pub fn file(&self) -> &'a OwnedFd {
        self.file
    }

    /// Writes all of it to this offset.
    ///
    /// # Errors
    /// EFAULT if the file was cut off before. Writing would make it as long again, with a hole for
    /// what was lost.
    pub fn write_at(&mut self, bytes: &[u8], at: u64) -> Result<(), Errno> {
        self.check()?;
        stream::write_at(self.file, bytes, at)?;
        self.has_grown_to(at + bytes.len() as u64);
        Ok(())
    }

    /// Notes that so much was written.
    pub fn has_grown_to(&mut self, end: u64) {
        self.least = self.least.max(end);
    }

    /// Looks whether the file was cut off.
    ///
    /// # Errors
    /// EFAULT if it was.
    pub fn check(&self) -> Result<(), Errno> {
        let size = fstat(self.file)?.st_size as u64;
        if size < self.least { Err(Errno(libc::EFAULT)) } else { Ok(()) }
    }
}
