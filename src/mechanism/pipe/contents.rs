//! The contents of a pipe of another process: pidfd_getfd(2).

use nix::sys::stat::{SFlag, fstat};

use crate::base::errno::Errno;
use crate::sys::pidfd::Process;
use crate::sys::process::Openings;
use crate::sys::{inode, pipe};

/// The state of a pipe.
#[derive(Clone, Debug)]
pub struct Contents {
    /// The number of bytes in it.
    pub waiting: usize,
    /// Its capacity in bytes.
    pub capacity: usize,
    /// The processes that have it open.
    pub openings: Openings,
}

/// The reason why the state is unknown.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is no such process.
    #[error(transparent)]
    Process(Errno),
    /// The process has no such descriptor, or denies access to it.
    #[error(transparent)]
    Descriptor(Errno),
    /// The descriptor is not a pipe.
    #[error("not a pipe")]
    NotAPipe,
}

impl Contents {
    /// Inspects the pipe that a process has open as this descriptor.
    ///
    /// # Errors
    /// An error if the process, the descriptor or the pipe does not exist, or access is denied.
    pub fn of(pid: i32, descriptor: i32) -> Result<Self, Error> {
        let process = Process::open(pid).map_err(Error::Process)?;
        let fd = process.copy_descriptor(descriptor).map_err(Error::Descriptor)?;
        let status = fstat(&fd).map_err(|errno| Error::Descriptor(errno.into()))?;
        if inode::kind(&status) != SFlag::S_IFIFO {
            return Err(Error::NotAPipe);
        }
        Ok(Self {
            waiting: pipe::length(&fd).map_err(Error::Descriptor)?,
            capacity: pipe::capacity(&fd).map_err(Error::Descriptor)?,
            openings: Openings::of(&status),
        })
    }
}
