//! What an open file says about how far its contents can be trusted: fstat(2), fstatfs(2).

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
    /// Whether it is an ordinary file.
    pub is_regular: bool,
    /// Its size.
    pub size: u64,
    /// Whether only this user, and the superuser, may write it.
    pub is_ours_alone: bool,
    /// Whether it is gone after a reboot.
    pub is_volatile: bool,
}

impl Object {
    /// The one behind a descriptor.
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

/// Opens a file that is open once more, for reading and writing: an open file description of its
/// own, with its own locks.
pub fn reopen(file: impl AsFd) -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_RDWR | OFlag::O_CLOEXEC;
    Ok(open(&descriptor::path(file), flags, Mode::empty())?)
}
