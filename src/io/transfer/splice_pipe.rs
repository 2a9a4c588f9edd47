//! A pipe of our own between two descriptors, so that the kernel moves the pages from the one to the
//! other: splice(2).
//!
//! It takes part where neither of them is a pipe, and where a file goes into one: whoever reads a
//! pipe has it to himself while he copies, and so has whoever fills it page by page from a file.
//! Filling ours meanwhile, and handing over all of its pages at once, lets both work at a time.

use std::os::fd::{AsFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, SpliceFFlags, fcntl, splice};
use nix::unistd::{pipe2, read};

use crate::base::errno::Errno;
use crate::io::transfer::source::Source;
use crate::sys::pipe::CAPACITY;

/// A pipe, and how much is in it. What was not taken out is lost when it is dropped.
#[derive(Debug)]
pub struct SplicePipe {
    exit: OwnedFd,
    entrance: OwnedFd,
    held: usize,
}

impl SplicePipe {
    /// A pipe of full capacity; a smaller one is worse than a buffer.
    ///
    /// # Errors
    /// EPERM if this user has too much in pipes.
    pub fn new() -> nix::Result<Self> {
        let (exit, entrance) = pipe2(OFlag::O_CLOEXEC)?;
        fcntl(&entrance, FcntlArg::F_SETPIPE_SZ(CAPACITY as i32))?;
        Ok(Self { exit, entrance, held: 0 })
    }

    /// How much is in it.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Takes up to `count` bytes from the source, waiting for the first as read(2) does; 0 is the
    /// end. There is nothing in it yet, so nothing else is waited for.
    pub fn fill(&mut self, source: &Source<'_>, count: u64) -> nix::Result<usize> {
        debug_assert_eq!(self.held, 0, "it might wait for room that nobody makes");
        let count = count.min(CAPACITY as u64) as usize;
        let mut position = source.position()?;
        let flags = SpliceFFlags::empty();
        self.held = splice(source, position.as_mut(), &self.entrance, None, count, flags)?;
        Ok(self.held)
    }

    /// Gives what is in it to the destination, or as much as that takes. A pipe is not waited for;
    /// other destinations wait as for write(2).
    pub fn drain(&mut self, destination: impl AsFd) -> nix::Result<usize> {
        let flags = SpliceFFlags::SPLICE_F_NONBLOCK;
        let count = splice(&self.exit, None, destination, None, self.held, flags)?;
        self.held -= count;
        Ok(count)
    }

    /// Takes back what is in it, for a destination that no pipe leads to, into a buffer that has
    /// room for as much.
    pub fn take_back(&mut self, buffer: &mut [u8]) -> Result<(), Errno> {
        let mut taken = 0;
        while self.held > 0 {
            match read(&self.exit, &mut buffer[taken..][..self.held]) {
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
