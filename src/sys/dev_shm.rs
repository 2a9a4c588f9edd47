//! `/dev/shm`, the file system of POSIX shared memory and semaphores: shm_overview(7).
//!
//! An object is made without a name and linked when it is complete, so that nobody ever opens half
//! of one, and nothing stays behind where making it fails or is killed.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use nix::dir::Dir;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, open};
use nix::sys::stat::{FileStat, Mode, SFlag, fchmod, fstat, fstatat};
use nix::unistd::{UnlinkatFlags, linkat, unlinkat};

use crate::errno::Errno;

const DIRECTORY: &CStr = c"/dev/shm";

/// A file that has no name yet. Dropping it forgets it.
#[derive(Debug)]
pub struct Unnamed(OwnedFd);

impl Unnamed {
    /// An empty file of `/dev/shm` with exactly these permissions.
    pub fn new(mode: u32) -> Result<Self, Errno> {
        Self::within(Path::new(OsStr::from_bytes(DIRECTORY.to_bytes())), mode)
    }

    /// An empty file of the file system of this directory, with exactly these permissions.
    ///
    /// # Errors
    /// EOPNOTSUPP or EISDIR if that file system has no such files.
    pub fn within(directory: &Path, mode: u32) -> Result<Self, Errno> {
        let flags = OFlag::O_TMPFILE | OFlag::O_RDWR | OFlag::O_CLOEXEC;
        let fd = open(directory, flags, Mode::S_IRUSR | Mode::S_IWUSR)?;
        fchmod(&fd, Mode::from_bits_truncate(mode))?;
        Ok(Self(fd))
    }

    /// Its descriptor, to fill it.
    pub fn file(&self) -> &OwnedFd {
        &self.0
    }

    /// Gives it a name in `/dev/shm`, whereby it becomes an object that others can open.
    ///
    /// # Errors
    /// EEXIST if there is one of that name.
    pub fn link(self, file_name: &OsStr) -> Result<OwnedFd, Errno> {
        let path = path(file_name)?;
        self.link_as(Path::new(OsStr::from_bytes(path.to_bytes())))
    }

    /// Gives it a path on its file system.
    ///
    /// # Errors
    /// EEXIST if there is anything of that name.
    pub fn link_as(self, path: &Path) -> Result<OwnedFd, Errno> {
        let descriptor = format!("/proc/self/fd/{}", self.0.as_raw_fd());
        linkat(AT_FDCWD, descriptor.as_str(), AT_FDCWD, path, AtFlags::AT_SYMLINK_FOLLOW)?;
        Ok(self.0)
    }
}

/// Opens an object. What is no regular file, a link or a FIFO that somebody planted, is refused
/// and not waited for.
///
/// # Errors
/// EINVAL if it is no regular file; ELOOP if it is a link.
pub fn open_object(file_name: &OsStr, access: OFlag) -> Result<(OwnedFd, FileStat), Errno> {
    let flags = access | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let fd = open(path(file_name)?.as_c_str(), flags, Mode::empty())?;
    let status = fstat(&fd)?;
    if !is_regular(&status) {
        return Err(Errno(libc::EINVAL));
    }
    Ok((fd, status))
}

/// What is known of an object, without opening it.
///
/// # Errors
/// EINVAL if it is no regular file.
pub fn status(file_name: &OsStr) -> Result<FileStat, Errno> {
    let status = fstatat(AT_FDCWD, path(file_name)?.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW)?;
    if is_regular(&status) { Ok(status) } else { Err(Errno(libc::EINVAL)) }
}

/// Removes a name. The object lives on for those who have it open.
pub fn unlink(file_name: &OsStr) -> Result<(), Errno> {
    Ok(unlinkat(AT_FDCWD, path(file_name)?.as_c_str(), UnlinkatFlags::NoRemoveDir)?)
}

/// The names of all regular files there, sorted.
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

/// Whether it is an ordinary file.
pub fn is_regular(status: &FileStat) -> bool {
    SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG
}

fn path(file_name: &OsStr) -> Result<CString, Errno> {
    let path = [DIRECTORY.to_bytes(), b"/", file_name.as_bytes()].concat();
    CString::new(path).map_err(|_| Errno(libc::EINVAL))
}
