//! Unnamed pipes between COMMANDs, and copies of one stream to several outputs: pipe(7).

pub mod contents;
pub mod line;
pub mod relay;
pub mod status;
pub mod tee;

use std::os::fd::AsFd;

use crate::base::errno::Errno;
use crate::sys::{pipe, sysctl};

/// A capacity that a pipe cannot have.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{bytes}: {errno}")]
pub struct CapacityRefused {
    /// The capacity.
    pub bytes: u64,
    /// The reason.
    pub errno: Errno,
}

/// Sets the capacity of a pipe.
///
/// # Errors
/// EPERM, EBUSY and others if the kernel refuses it.
pub fn set_capacity(fd: impl AsFd, bytes: u64) -> Result<(), CapacityRefused> {
    pipe::set_capacity(fd, bytes).map_err(|errno| CapacityRefused { bytes, errno })
}

/// The maximum capacity of a pipe of an unprivileged user: the sysctl fs.pipe-max-size.
pub fn maximum_capacity() -> u64 {
    sysctl::number("fs/pipe-max-size", pipe::CAPACITY as u64)
}
