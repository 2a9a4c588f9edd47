//! An open directory. Operations on its names take place in it even if its path leads elsewhere by then:
//! path_resolution(7).

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::dir::Dir;
use nix::fcntl::{AtFlags, OFlag, open, openat, renameat};
use nix::sys::socket::UnixAddr;
use nix::sys::stat::{FileStat, Mode, fstat, fstatat, mkdirat, stat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchdir, fchownat, geteuid, linkat, unlinkat};

use super::descriptor;
use super::inode::is_socket;
use super::umask;
use crate::base::errno::Errno;
use crate::base::units::OwnerIds;

/// An open directory.
#[derive(Debug)]
pub struct Directory {
    fd: OwnedFd,
    path: PathBuf,
}

impl Directory {
    /// The directory of a path, and the last component of the path.
    ///
    /// # Errors
    /// EISDIR if the last component is empty, `.` or `..`.
    pub fn of(path: &Path) -> Result<(Self, OsString), Errno> {
        let bytes = path.as_os_str().as_bytes();
        let start = bytes.iter().rposition(|&b| b == b'/').map_or(0, |slash| slash + 1);
        let (parent, name) = bytes.split_at(start);
        if matches!(name, b"" | b"." | b"..") {
            return Err(Errno(libc::EISDIR));
        }
        let parent = if parent.is_empty() { b"./" } else { parent };
        let path = PathBuf::from(OsStr::from_bytes(parent));
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let fd = open(&path, flags, Mode::empty())?;
        Ok((Self { fd, path }, OsStr::from_bytes(name).to_owned()))
    }

    /// The address of a socket here: its path, or a path through the descriptor of the directory if its
    /// own is too long for a socket address.
    pub fn address(&self, name: &OsStr) -> Result<UnixAddr, Errno> {
        let through = || descriptor::path(&self.fd).join(name);
        Ok(UnixAddr::new(&self.path.join(name)).or_else(|_| UnixAddr::new(&through()))?)
    }

    /// The path of a socket here as an address, if it is short enough. The kernel reports it to other
    /// processes, which can then connect to it.
    pub fn short_address(&self, name: &OsStr) -> Option<UnixAddr> {
        UnixAddr::new(&self.path.join(name)).ok()
    }

    /// Creates a directory here with permissions for its owner only, and opens it.
    ///
    /// # Errors
    /// EEXIST if the name exists.
    pub fn make(&self, name: &OsStr) -> Result<Self, Errno> {
        umask::without(|| mkdirat(&self.fd, name, Mode::S_IRWXU))?;
        self.inner(name)
    }

    /// Opens a directory here. A symbolic link is not followed.
    pub fn inner(&self, name: &OsStr) -> Result<Self, Errno> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let fd = openat(&self.fd, name, flags, Mode::empty())?;
        Ok(Self { fd, path: self.path.join(name) })
    }

    /// Removes an empty directory here.
    pub fn remove(&self, name: &OsStr) -> Result<(), Errno> {
        Ok(unlinkat(&self.fd, name, UnlinkatFlags::RemoveDir)?)
    }

    /// Removes all sockets here, if this user owns the directory.
    pub fn remove_sockets(&self) -> Result<(), Errno> {
        if fstat(&self.fd)?.st_uid != geteuid().as_raw() {
            return Err(Errno(libc::EPERM));
        }
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut listing = Dir::openat(&self.fd, ".", flags, Mode::empty())?;
        for entry in listing.iter() {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if self.status(name).is_ok_and(|file| is_socket(&file)) {
                self.unlink(name)?;
            }
        }
        Ok(())
    }

    /// Does something in this working directory, and returns to the former one. The working directory
    /// belongs to the process, so that no other thread may depend on it meanwhile.
    ///
    /// # Errors
    /// EACCES, before anything is done, without permission to return to the former directory.
    pub fn while_inside<T>(&self, work: impl FnOnce() -> T) -> Result<T, Errno> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let before = open(".", flags, Mode::empty())?;
        fchdir(&before)?;
        let _return = Return(before);
        fchdir(&self.fd)?;
        Ok(work())
    }

    /// The path of a name here.
    pub fn path(&self, name: &OsStr) -> PathBuf {
        self.path.join(name)
    }

    /// The status of a name. A symbolic link is not followed.
    pub fn status(&self, name: &OsStr) -> Result<FileStat, Errno> {
        Ok(fstatat(&self.fd, name, AtFlags::AT_SYMLINK_NOFOLLOW)?)
    }

    /// Adds the name `new` in another directory to the file with the name `old`.
    ///
    /// # Errors
    /// EEXIST if that name exists.
    pub fn link(&self, old: &OsStr, to: &Self, new: &OsStr) -> Result<(), Errno> {
        Ok(linkat(&self.fd, old, &to.fd, new, AtFlags::empty())?)
    }

    /// Changes the name `old` to `new` in another directory. A file that had that name loses it.
    pub fn rename(&self, old: &OsStr, to: &Self, new: &OsStr) -> Result<(), Errno> {
        Ok(renameat(&self.fd, old, &to.fd, new)?)
    }

    /// Changes the owner and the group of a name. A symbolic link is not followed.
    ///
    /// # Errors
    /// EPERM for another user, or for a group of which this process is no member.
    pub fn set_owner(&self, name: &OsStr, owner: OwnerIds) -> Result<(), Errno> {
        let (user, group) = (owner.user.map(Uid::from_raw), owner.group.map(Gid::from_raw));
        Ok(fchownat(&self.fd, name, user, group, AtFlags::AT_SYMLINK_NOFOLLOW)?)
    }

    /// Removes a name.
    pub fn unlink(&self, name: &OsStr) -> Result<(), Errno> {
        Ok(unlinkat(&self.fd, name, UnlinkatFlags::NoRemoveDir)?)
    }

    /// Opens a file here for reading and writing, without waiting, and creates it with permissions for its
    /// owner only if it does not exist. A symbolic link is not followed.
    pub fn open_or_create(&self, name: &OsStr) -> Result<OwnedFd, Errno> {
        let flags = OFlag::O_RDWR
            | OFlag::O_CREAT
            | OFlag::O_NOFOLLOW
            | OFlag::O_NONBLOCK
            | OFlag::O_CLOEXEC;
        Ok(openat(&self.fd, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)?)
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// A working directory that the process returns to when this is dropped.
struct Return(OwnedFd);

impl Drop for Return {
    fn drop(&mut self) {
        // It succeeded before.
        let _ = fchdir(&self.0);
    }
}

/// Whether a directory was removed, which is possible while it is a working directory.
pub fn is_removed(path: &Path) -> bool {
    stat(path).is_ok_and(|status| status.st_nlink == 0)
}

/// The directory of a path.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
