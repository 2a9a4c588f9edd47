//! The room of a file system: statvfs(3).

use std::path::Path;

use nix::sys::statvfs::statvfs;

use crate::base::errno::Errno;

/// The size of a file system, and the part in use. Zero of all is a file system without that limit.
#[derive(Clone, Copy, Debug)]
pub struct Space {
    pub bytes: u64,
    pub used_bytes: u64,
    pub files: u64,
    pub used_files: u64,
}

/// The room of the file system that has this path.
///
/// # Errors
/// ENOENT, EACCES.
pub fn of(path: &Path) -> Result<Space, Errno> {
    let found = statvfs(path)?;
    let unit = found.fragment_size();
    Ok(Space {
        bytes: found.blocks() * unit,
        used_bytes: (found.blocks() - found.blocks_free()) * unit,
        files: found.files(),
        used_files: found.files() - found.files_free(),
    })
}
