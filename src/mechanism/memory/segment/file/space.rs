//! Memory or disk space of a file: fallocate(2), ftruncate(2), statfs(2).

use std::ops::Range;
use std::os::fd::OwnedFd;

use nix::errno::Errno::{EINTR, EOPNOTSUPP};
use nix::fcntl::{FallocateFlags, fallocate};
use nix::sys::statfs::{FsType, TMPFS_MAGIC, fstatfs};
use nix::unistd::ftruncate;

use crate::base::errno::Errno;
use crate::mechanism::memory::segment::available::check_available;
use crate::sys::offset;

/// Whether memory or disk space was allocated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Allocated {
    /// It was.
    Yes,
    /// The file system has no call for it.
    Unknown,
}

/// Allocates space for these bytes. Bytes that were not stored before are zeros. The size of the file
/// stays.
pub fn allocate(file: &OwnedFd, bytes: Range<u64>) -> Result<Allocated, Errno> {
    if bytes.is_empty() {
        return Ok(Allocated::Yes);
    }
    let (start, length) = (offset::signed(bytes.start)?, offset::signed(bytes.end - bytes.start)?);
    loop {
        match fallocate(file, FallocateFlags::FALLOC_FL_KEEP_SIZE, start, length) {
            Err(EINTR) => {}
            Err(EOPNOTSUPP) => return Ok(Allocated::Unknown),
            result => return Ok(result.map(|()| Allocated::Yes)?),
        }
    }
}

/// Sets the size of a file.
pub fn truncate(file: &OwnedFd, size: u64) -> Result<(), Errno> {
    Ok(ftruncate(file, offset::signed(size)?)?)
}

/// Checks that a file system in memory, and the machine, have room for so many more bytes. An
/// allocation that fails half-way would have used it up, and the kernel would end processes for it.
///
/// # Errors
/// ENOSPC; ENOMEM.
pub fn check_room(file: &OwnedFd, size: u64) -> Result<(), Errno> {
    let system = fstatfs(file)?;
    if !matches!(system.filesystem_type(), TMPFS_MAGIC | RAMFS_MAGIC) {
        return Ok(());
    }
    let room = system.blocks_available().saturating_mul(system.block_size() as u64);
    // A file system without a limit reports no blocks.
    match system.blocks() > 0 && size > room {
        true => Err(Errno(libc::ENOSPC)),
        false => check_available(size),
    }
}

const RAMFS_MAGIC: FsType = FsType(0x8584_58f6);
