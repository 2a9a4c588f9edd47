//! The properties of an open file that decide whether to trust its contents: fstat(2), fstatfs(2).

use std::os::fd::{AsFd, OwnedFd};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, fstat};
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};
use nix::unistd::geteuid;

use super::{descriptor, inode};
use crate::base::errno::Errno;

/// An open file that processes share.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Object {
    /// Whether the file is a regular file.
    pub is_regular: bool,
    /// The size of the file in bytes.
    pub size: u64,
    /// Whether only this user and the superuser may write the file.
    pub is_ours_alone: bool,
    /// Whether the file is on a tmpfs, and so does not survive a reboot.
    pub is_volatile: bool,
}

impl Object {
    /// Inspects the file behind a descriptor.
    pub fn of(file: impl AsFd) -> Result<Self, Errno> {
        let status = fstat(&file)?;
        let others = Mode::S_IWGRP | Mode::S_IWOTH;
        let is_written_by_others = Mode::from_bits_truncate(status.st_mode).intersects(others);
        Ok(Self {
            is_regular: inode::is_regular(&status),
            size: status.st_size as u64,
            is_ours_alone: status.st_uid == geteuid().as_raw() && !is_written_by_others,
            is_volatile: fstatfs(&file)?.filesystem_type() == TMPFS_MAGIC,
        })
    }
}

/// Opens an open file again, for reading and writing. The new open file description has its own
/// locks.
pub fn reopen(file: impl AsFd) -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_RDWR | OFlag::O_CLOEXEC;
    Ok(open(&descriptor::path(file), flags, Mode::empty())?)
}
