//! `/dev/shm`, the file system of POSIX shared memory and semaphores: shm_overview(7).

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use nix::fcntl::{AT_FDCWD, OFlag, openat};
use nix::sys::stat::{FileStat, Mode};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::names::Names;
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
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mut entries = Names::of(openat(AT_FDCWD, DIRECTORY, flags, Mode::empty())?);
    let mut names = Vec::new();
    while let Some(name) = entries.read()? {
        names.push(OsStr::from_bytes(name.bytes).to_owned());
    }
    names.sort_unstable();
    Ok(names)
}
