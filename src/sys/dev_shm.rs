//! `/dev/shm`, the file system of POSIX shared memory and semaphores: shm_overview(7).

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use nix::dir::Dir;
use nix::fcntl::{AT_FDCWD, OFlag};
use nix::sys::stat::{FileStat, Mode};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::regular_file::{self, Error, Links};
use crate::base::errno::Errno;

/// Its mount point.
pub const DIRECTORY: &str = "/dev/shm";

/// The path of the object of this name.
#[inline]
pub fn path(file_name: &OsStr) -> PathBuf {
    // `Path::join` would allocate three times.
    let mut path = Vec::with_capacity(DIRECTORY.len() + 1 + file_name.len());
    path.extend_from_slice(DIRECTORY.as_bytes());
    path.push(b'/');
    path.extend_from_slice(file_name.as_bytes());
    OsString::from_vec(path).into()
}

/// Opens an object. Anything but a regular file is refused, and so is a symbolic link.
pub fn open_object(file_name: &OsStr, access: OFlag) -> Result<(OwnedFd, FileStat), Error> {
    regular_file::open(&path(file_name), access, Links::Refused)
}

/// The status of an object that is not opened.
pub fn status(file_name: &OsStr) -> Result<FileStat, Error> {
    regular_file::status(&path(file_name), Links::Refused)
}

/// Removes a name. Processes that have the object open keep it.
pub fn unlink(file_name: &OsStr) -> Result<(), Errno> {
    Ok(unlinkat(AT_FDCWD, &path(file_name), UnlinkatFlags::NoRemoveDir)?)
}

/// The names of all objects, sorted.
pub fn list() -> Result<Vec<OsString>, Errno> {
    let mut directory = Dir::open(DIRECTORY, OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    let mut names = Vec::new();
    for entry in directory.iter() {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(OsString::from_vec(name));
        }
    }
    names.sort();
    Ok(names)
}
