//! A directory that is held open, so that what is done to a name in it is done in this one,
//! whatever becomes of its path: path_resolution(7).

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::dir::Dir;
use nix::fcntl::{AtFlags, OFlag, open, openat, renameat};
use nix::sys::socket::UnixAddr;
use nix::sys::stat::{FileStat, Mode, fstat, fstatat, mkdirat, umask};
use nix::unistd::{UnlinkatFlags, fchdir, geteuid, linkat, unlinkat};

use super::descriptor;
use super::inode::{is_regular, is_same, is_socket};
use super::lock::{self, Kind, Lock, Range};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;

/// A directory, open to work in.
#[derive(Debug)]
pub struct Directory {
    fd: OwnedFd,
    path: PathBuf,
}

impl Directory {
    /// The directory that a path leads to, and the name of what is or will be in it.
    ///
    /// # Errors
    /// EISDIR if the path ends in a directory's own name.
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

    /// The address of a socket here: its path, or where that is too long for a socket address, the
    /// way through our descriptor.
    pub fn address(&self, name: &OsStr) -> Result<UnixAddr, Errno> {
        let through = || descriptor::path(&self.fd).join(name);
        Ok(UnixAddr::new(&self.path.join(name)).or_else(|_| UnixAddr::new(&through()))?)
    }

    /// The same where the path itself fits, so that others reach it by what the kernel shows.
    pub fn short_address(&self, name: &OsStr) -> Option<UnixAddr> {
        UnixAddr::new(&self.path.join(name)).ok()
    }

    /// Makes a directory here that is ours alone, and opens it.
    ///
    /// # Errors
    /// EEXIST if something has the name.
    pub fn make(&self, name: &OsStr) -> Result<Self, Errno> {
        let before = umask(Mode::empty());
        let made = mkdirat(&self.fd, name, Mode::S_IRWXU);
        umask(before);
        made?;
        self.inner(name)
    }

    /// Opens a directory here; a link to one is not followed.
    pub fn inner(&self, name: &OsStr) -> Result<Self, Errno> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let fd = openat(&self.fd, name, flags, Mode::empty())?;
        Ok(Self { fd, path: self.path.join(name) })
    }

    /// Removes an empty directory here.
    pub fn remove(&self, name: &OsStr) -> Result<(), Errno> {
        Ok(unlinkat(&self.fd, name, UnlinkatFlags::RemoveDir)?)
    }

    /// Removes all sockets that are here, if the directory is ours.
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

    /// Does something while this is the working directory of the process, which no other thread may
    /// use meanwhile.
    ///
    /// # Errors
    /// EACCES if the working directory could not be returned to; nothing is done then.
    pub fn while_inside<T>(&self, work: impl FnOnce() -> T) -> Result<T, Errno> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let before = open(".", flags, Mode::empty())?;
        fchdir(&self.fd)?;
        let done = work();
        fchdir(&before)?;
        Ok(done)
    }

    /// The path of a name here.
    pub fn path(&self, name: &OsStr) -> PathBuf {
        self.path.join(name)
    }

    /// What is known of a name; of a link itself rather than of what it leads to.
    pub fn status(&self, name: &OsStr) -> Result<FileStat, Errno> {
        Ok(fstatat(&self.fd, name, AtFlags::AT_SYMLINK_NOFOLLOW)?)
    }

    /// Gives what is at `old` the name `new` in another directory as well.
    ///
    /// # Errors
    /// EEXIST if that name is taken, by whatever it is.
    pub fn link(&self, old: &OsStr, to: &Self, new: &OsStr) -> Result<(), Errno> {
        Ok(linkat(&self.fd, old, &to.fd, new, AtFlags::empty())?)
    }

    /// Gives what is at `old` the name `new` in another directory instead, in place of what had it.
    pub fn rename(&self, old: &OsStr, to: &Self, new: &OsStr) -> Result<(), Errno> {
        Ok(renameat(&self.fd, old, &to.fd, new)?)
    }

    /// Removes a name.
    pub fn unlink(&self, name: &OsStr) -> Result<(), Errno> {
        Ok(unlinkat(&self.fd, name, UnlinkatFlags::NoRemoveDir)?)
    }

    /// Waits until nobody else holds the lock file of this name, or until `deadline`; makes it and
    /// holds it.
    ///
    /// The file is there only for as long as somebody holds the lock or waits for it. One that a
    /// killed holder left behind is used and removed by the next.
    ///
    /// # Errors
    /// EEXIST if something of that name is no lock file of ours.
    pub fn lock(&self, name: OsString, deadline: Deadline) -> Result<Waited<LockFile<'_>>, Errno> {
        loop {
            let flags = OFlag::O_RDWR
                | OFlag::O_CREAT
                | OFlag::O_NOFOLLOW
                | OFlag::O_NONBLOCK
                | OFlag::O_CLOEXEC;
            let fd = openat(&self.fd, name.as_os_str(), flags, Mode::S_IRUSR | Mode::S_IWUSR)?;
            let file = fstat(&fd)?;
            let ours = is_regular(&file) && file.st_size == 0 && file.st_uid == geteuid().as_raw();
            if !ours {
                return Err(Errno(libc::EEXIST));
            }
            if LOCK.wait(&fd, deadline)? == Waited::TimedOut {
                return Ok(Waited::TimedOut);
            }
            // Its last holder may have removed it while we waited, and somebody made another.
            if self.status(&name).is_ok_and(|now| is_same(&now, &file)) {
                return Ok(Waited::Done(LockFile { directory: self, name, fd }));
            }
        }
    }
}

/// A lock file that is held. Dropping it removes the file and then lets go of it.
#[derive(Debug)]
pub struct LockFile<'a> {
    directory: &'a Directory,
    name: OsString,
    fd: OwnedFd,
}

const LOCK: Lock =
    Lock { kind: Kind::Flock, mode: lock::Mode::Exclusive, range: Range { start: 0, length: 0 } };

impl Drop for LockFile<'_> {
    fn drop(&mut self) {
        // If it cannot be removed, the next holder finds it and uses it.
        let _ = self.directory.unlink(&self.name);
        let _ = LOCK.release(&self.fd);
    }
}

/// The directory that a path leads into.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
