//! Files that get their name when they are complete: open(2) with O_TMPFILE, linkat(2).
//!
//! No process ever opens an incomplete file, and a failure or KILL in between leaves nothing behind.
//! File systems without unnamed files, such as NFS and FAT, get a temporary name, which is removed on
//! drop and before a fatal signal ends the process.

use std::ffi::{CString, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno::{EINTR, EISDIR, ENOENT, ENOSYS, EOPNOTSUPP, EPERM};
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, open, openat, posix_fallocate};
use nix::sys::stat::{Mode, fchmod};
use nix::unistd::{UnlinkatFlags, linkat, unlinkat};

use crate::base::errno::Errno;
use crate::sys::cleanup::{self, Registered, Undo};
use crate::sys::signal::Blocked;
use crate::sys::{descriptor, directory, heap, rename, stream};

/// A file without its final name. Dropping it discards the file.
#[derive(Debug)]
pub struct NewFile {
    file: OwnedFd,
    path: PathBuf,
    temporary: Option<TemporaryName>,
}

impl NewFile {
    /// Creates an empty file for this path with exactly these permissions, open for reading and
    /// writing.
    pub fn new(path: &Path, mode: u32) -> Result<Self, Errno> {
        let directory = directory::parent(path);
        let owner_only = Mode::S_IRUSR | Mode::S_IWUSR;
        let flags = OFlag::O_TMPFILE | OFlag::O_RDWR | OFlag::O_CLOEXEC;
        let (file, temporary) = match open(directory, flags, owner_only) {
            Ok(file) => (file, None),
            // A kernel that does not know the flag reports EISDIR.
            Err(EOPNOTSUPP | EISDIR) => {
                let (file, temporary) = create_temporary(directory)?;
                (file, Some(temporary))
            }
            // ext4 has this error, other file systems ENOENT.
            Err(EPERM) if directory::is_removed(directory) => return Err(Errno(libc::ENOENT)),
            Err(errno) => return Err(errno.into()),
        };
        let new = Self { file, path: path.to_owned(), temporary };
        fchmod(&new.file, Mode::from_bits_truncate(mode))?;
        Ok(new)
    }

    /// Creates a file in the same way that contains these bytes.
    pub fn holding(path: &Path, mode: u32, content: &[u8]) -> Result<Self, Errno> {
        let new = Self::new(path, mode)?;
        stream::write(&new.file, content)?;
        Ok(new)
    }

    /// The descriptor, to write the content to.
    pub fn file(&self) -> &OwnedFd {
        &self.file
    }

    /// Makes it this long, with all of it in memory or on disk.
    ///
    /// # Errors
    /// ENOSPC if there is no room, EFBIG if it is longer than a file can be.
    pub fn allocate(&self, size: u64) -> Result<(), Errno> {
        let size = i64::try_from(size).map_err(|_| Errno(libc::EFBIG))?;
        loop {
            match posix_fallocate(&self.file, 0, size) {
                Err(EINTR) => {}
                // musl leaves it to the caller where the file system cannot.
                Err(EOPNOTSUPP) => return self.fill_with_zeros(size as u64),
                allocated => return Ok(allocated?),
            }
        }
    }

    fn fill_with_zeros(&self, size: u64) -> Result<(), Errno> {
        let zeros = heap::zeros(size.min(1 << 16) as usize)?;
        let mut at = 0;
        while at < size {
            let length = (size - at).min(zeros.len() as u64);
            stream::write_at(&self.file, &zeros[..length as usize], at)?;
            at += length;
        }
        Ok(())
    }

    /// The descriptor alone. A file that has no name yet never gets one.
    pub fn into_file(self) -> OwnedFd {
        self.file
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// EEXIST if the name is in use; the caller may try again.
    pub fn link(&self) -> Result<(), Errno> {
        match &self.temporary {
            None => self.link_unnamed(),
            Some(temporary) => temporary.become_final(&self.path),
        }
    }

    fn link_unnamed(&self) -> Result<(), Errno> {
        let unnamed = descriptor::path(&self.file);
        let follow = AtFlags::AT_SYMLINK_FOLLOW;
        match linkat(AT_FDCWD, &unnamed, AT_FDCWD, &self.path, follow) {
            // Works without /proc, but only for the opener, since Linux 6.10, and for privileged
            // processes.
            Err(ENOENT) => {
                Ok(linkat(&self.file, c"", AT_FDCWD, &self.path, AtFlags::AT_EMPTY_PATH)?)
            }
            linked => Ok(linked?),
        }
    }
}

/// The name of a file that is not complete. Dropping it removes the name, and so does a fatal signal.
#[derive(Debug)]
pub struct TemporaryName(Registered<Removal>);

/// Removes a name once.
#[derive(Debug)]
struct Removal {
    /// The directory of the path; `None` is the working directory.
    directory: Option<Arc<OwnedFd>>,
    path: CString,
    exists: AtomicBool,
}

impl Removal {
    fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_ref().map_or(AT_FDCWD, AsFd::as_fd)
    }

    fn create_file(&self) -> Result<OwnedFd, Errno> {
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        // open(3) of musl makes one more system call.
        Ok(openat(self.directory(), self.path.as_c_str(), flags, mode)?)
    }
}

impl Undo for Removal {
    fn undo(&self) {
        if self.exists.swap(false, Ordering::SeqCst) {
            let path = self.path.as_c_str();
            let _ = unlinkat(self.directory(), path, UnlinkatFlags::NoRemoveDir);
        }
    }
}

/// Creates a file with a name that no other file in this directory has.
fn create_temporary(directory: &Path) -> Result<(OwnedFd, TemporaryName), Errno> {
    for number in 0_u32.. {
        let mut name = OsString::from(".ipc-");
        name.push(format!("{}-{number}", std::process::id()));
        match TemporaryName::create(c_string(&directory.join(name))?) {
            // A process that was killed had the same number and left its file.
            Err(Errno(libc::EEXIST)) => {}
            created => return created,
        }
    }
    Err(Errno(libc::EEXIST))
}

impl TemporaryName {
    /// Creates a file with this name, for its owner only, open for reading and writing.
    ///
    /// # Errors
    /// EEXIST if the name is in use.
    pub fn create(path: CString) -> Result<(OwnedFd, Self), Errno> {
        let exists = AtomicBool::new(false);
        let removal = Registered::new(Removal { directory: None, path, exists })?;
        // A signal between the creation and the store would leave the name behind.
        let _blocked = Blocked::new(cleanup::signals());
        let file = removal.create_file()?;
        removal.exists.store(true, Ordering::SeqCst);
        Ok((file, Self(removal)))
    }

    /// Creates such a file in a directory, with a name that no other process uses, so that it can be
    /// removed at any moment, and no signal has to be blocked.
    pub fn create_unique(
        directory: &Arc<OwnedFd>,
        name: CString,
    ) -> Result<(OwnedFd, Self), Errno> {
        let (directory, exists) = (Some(Arc::clone(directory)), AtomicBool::new(true));
        let removal = Registered::new(Removal { directory, path: name, exists })?;
        match removal.create_file() {
            Ok(file) => Ok((file, Self(removal))),
            Err(errno) => {
                removal.exists.store(false, Ordering::SeqCst);
                Err(errno)
            }
        }
    }

    /// The file has another name now, and no longer this one.
    pub fn is_gone(&self) {
        self.0.exists.store(false, Ordering::SeqCst);
    }

    /// Whether the file still has this name.
    pub fn exists(&self) -> bool {
        self.0.exists.load(Ordering::SeqCst)
    }

    /// Gives the file its final name, unless that is in use.
    fn become_final(&self, path: &Path) -> Result<(), Errno> {
        match linkat(AT_FDCWD, self.0.path.as_c_str(), AT_FDCWD, path, AtFlags::empty()) {
            // A file has only one name there, as on FAT.
            Err(EPERM | EOPNOTSUPP | ENOSYS) => {
                rename::without_replacing(&self.0.path, &c_string(path)?)?;
                self.0.exists.store(false, Ordering::SeqCst);
                Ok(())
            }
            linked => Ok(linked?),
        }
    }
}

impl Drop for TemporaryName {
    fn drop(&mut self) {
        if !self.exists() {
            return;
        }
        // A signal between the exchange and the removal would leave the name behind.
        let _blocked = Blocked::new(cleanup::signals());
        self.0.undo();
    }
}

fn c_string(path: &Path) -> Result<CString, Errno> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno(libc::EINVAL))
}
