//! The names in a directory, in no order: getdents64(2).
//!
//! readdir(3) of musl reads 2 KiB at a time, which are twenty names.

use std::os::fd::{AsRawFd, OwnedFd};

use crate::base::errno::Errno;

/// The names that are read one after the other.
#[derive(Debug)]
pub struct Names {
    directory: OwnedFd,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
}

/// A name, and the number of its inode.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Name<'a> {
    /// The name.
    pub bytes: &'a [u8],
    /// The number of the inode.
    pub inode: u64,
}

/// The number of bytes that are read at a time.
const BUFFER: usize = 64 << 10;

/// The positions of the length and of the name in an entry.
const LENGTH: usize = 16;
const NAME: usize = 19;

/// The alignment of entries.
const ALIGNMENT: usize = 8;

impl Names {
    /// The names of a directory that was just opened.
    pub fn of(directory: OwnedFd) -> Self {
        Self::with_buffer(directory, vec![0; BUFFER])
    }

    /// The same with a buffer, which has room for the longest name at least.
    pub fn with_buffer(directory: OwnedFd, buffer: Vec<u8>) -> Self {
        Self { directory, buffer, at: 0, end: 0 }
    }

    /// The buffer and the directory.
    pub fn into_parts(self) -> (Vec<u8>, OwnedFd) {
        (self.buffer, self.directory)
    }

    /// The next name; `None` after the last one. The directory itself and its parent are left out.
    pub fn read(&mut self) -> Result<Option<Name<'_>>, Errno> {
        loop {
            if self.at == self.end && !self.fill()? {
                return Ok(None);
            }
            let start = self.at;
            self.at += self.length(start);
            if !matches!(self.name(start), b"." | b"..") {
                let inode = u64::from_ne_bytes(self.field(start));
                return Ok(Some(Name { bytes: self.name(start), inode }));
            }
        }
    }

    fn fill(&mut self) -> Result<bool, Errno> {
        // SAFETY: the buffer has this length, and lives through the call.
        let count = unsafe {
            libc::syscall(
                libc::SYS_getdents64,
                self.directory.as_raw_fd(),
                self.buffer.as_mut_ptr(),
                self.buffer.len(),
            )
        };
        let count = usize::try_from(count).map_err(|_| Errno::last())?;
        (self.at, self.end) = (0, count);
        Ok(count > 0)
    }

    fn length(&self, start: usize) -> usize {
        usize::from(u16::from_ne_bytes(self.field(start + LENGTH)))
    }

    /// The name ends with a NUL, behind which the entry ends at the next multiple of 8.
    fn name(&self, start: usize) -> &[u8] {
        let padded = &self.buffer[start + NAME..start + self.length(start)];
        let least = padded.len().saturating_sub(ALIGNMENT);
        let end = padded[least..].iter().position(|&byte| byte == 0);
        end.map_or(padded, |end| &padded[..least + end])
    }

    fn field<const N: usize>(&self, at: usize) -> [u8; N] {
        self.buffer[at..at + N].try_into().expect("the length is the same")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_name_is_read_once() {
        let directory = tempfile::tempdir().unwrap();
        let made: BTreeSet<String> =
            (0..3000).map(|number| format!("{number:0>width$}", width = 4 + number % 90)).collect();
        for name in &made {
            std::fs::write(directory.path().join(name), "").unwrap();
        }
        let mut names = Names::of(std::fs::File::open(directory.path()).unwrap().into());
        let mut read = Vec::new();
        while let Some(name) = names.read().unwrap() {
            read.push(String::from_utf8(name.bytes.to_vec()).unwrap());
        }
        assert_eq!(read.len(), made.len());
        assert_eq!(read.into_iter().collect::<BTreeSet<_>>(), made);
    }
}
