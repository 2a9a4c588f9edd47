//! A pipe between two descriptors, through which the kernel moves pages: splice(2).
//!
//! It is used if neither descriptor is a pipe, and for a file into a pipe. In the second case a
//! reader locks its pipe while it copies, and a splice from a file locks the pipe while it fills it
//! page by page. A splice into this pipe works meanwhile, and then moves all pages at once.

use std::os::fd::{AsFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, SpliceFFlags, fcntl, splice};
use nix::unistd::{pipe2, read};

use crate::base::errno::Errno;
use crate::io::transfer::source::Source;
use crate::sys::pipe::CAPACITY;

/// A pipe, and the number of bytes in it. Dropping it loses them.
#[derive(Debug)]
pub struct SplicePipe {
    read_end: OwnedFd,
    write_end: OwnedFd,
    held: usize,
}

impl SplicePipe {
    /// A pipe of full capacity; a smaller one is worse than a buffer.
    ///
    /// # Errors
    /// EPERM if the user has too much memory in pipes.
    pub fn new() -> nix::Result<Self> {
        let (read_end, write_end) = pipe2(OFlag::O_CLOEXEC)?;
        fcntl(&write_end, FcntlArg::F_SETPIPE_SZ(CAPACITY as i32))?;
        Ok(Self { read_end, write_end, held: 0 })
    }

    /// The number of bytes in it.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Moves up to `count` bytes from the source into the empty pipe. It waits for the first one,
    /// as read(2) does; 0 is the end.
    pub fn fill(&mut self, source: &Source<'_>, count: u64) -> nix::Result<usize> {
        debug_assert_eq!(self.held, 0, "it would wait for room without a reader");
        let count = count.min(CAPACITY as u64) as usize;
        let mut position = source.position()?;
        let flags = SpliceFFlags::empty();
        self.held = splice(source, position.as_mut(), &self.write_end, None, count, flags)?;
        Ok(self.held)
    }

    /// Moves bytes to the destination, as many as it takes. It does not wait for a pipe; for
    /// another destination it waits as write(2) does.
    pub fn drain(&mut self, destination: impl AsFd) -> nix::Result<usize> {
        let flags = SpliceFFlags::SPLICE_F_NONBLOCK;
        let count = splice(&self.read_end, None, destination, None, self.held, flags)?;
        self.held -= count;
        Ok(count)
    }

    /// Reads the bytes into a buffer that has room for them, for a destination that takes no
    /// splice.
    pub fn take_back(&mut self, buffer: &mut [u8]) -> Result<(), Errno> {
        let mut taken = 0;
        while self.held > 0 {
            match read(&self.read_end, &mut buffer[taken..][..self.held]) {
                Ok(count) => {
                    taken += count;
                    self.held -= count;
                }
                Err(nix::errno::Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }
}
