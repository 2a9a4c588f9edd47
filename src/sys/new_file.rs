//! Files that are complete before they have a name: open(2) with O_TMPFILE, link(2).

use std::ffi::OsString;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, fsync, linkat, unlinkat, write};

use crate::errno::Errno;

/// A file that its name-to-be does not lead to yet. Dropping it forgets it.
#[derive(Debug)]
pub struct NewFile {
    file: OwnedFd,
    /// The name that it has meanwhile, on file systems where it has to have one.
    temporary: Option<PathBuf>,
}

impl NewFile {
    /// A file for this path, for its owner alone, on disk with these bytes in it.
    ///
    /// A few bytes are one write; a file system that takes fewer is full.
    pub fn new(path: &Path, content: &[u8]) -> Result<Self, Errno> {
        let new = Self::empty(path)?;
        if write(&new.file, content)? != content.len() {
            return Err(Errno(libc::ENOSPC));
        }
        fsync(&new.file)?;
        Ok(new)
    }

    fn empty(path: &Path) -> Result<Self, Errno> {
        let directory = directory(path);
        let flags = OFlag::O_RDWR | OFlag::O_CLOEXEC;
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        match open(directory, flags | OFlag::O_TMPFILE, mode) {
            Ok(file) => Ok(Self { file, temporary: None }),
            // EISDIR is what a kernel says that does not know the flag.
            Err(nix::errno::Errno::EOPNOTSUPP | nix::errno::Errno::EISDIR) => {
                let mut name = OsString::from(".");
                name.push(path.file_name().unwrap_or_default());
                name.push(format!(".{}", std::process::id()));
                let temporary = directory.join(name);
                let file = open(&temporary, flags | OFlag::O_CREAT | OFlag::O_EXCL, mode)?;
                Ok(Self { file, temporary: Some(temporary) })
            }
            Err(errno) => Err(errno.into()),
        }
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// EEXIST if there is something of that name; it can be tried again.
    pub fn link(&self, path: &Path) -> Result<(), Errno> {
        let from = match &self.temporary {
            Some(temporary) => temporary.clone(),
            None => format!("/proc/self/fd/{}", self.file.as_raw_fd()).into(),
        };
        Ok(linkat(AT_FDCWD, &from, AT_FDCWD, path, AtFlags::AT_SYMLINK_FOLLOW)?)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = unlinkat(AT_FDCWD, temporary, UnlinkatFlags::NoRemoveDir);
        }
    }
}

/// The directory that a path leads into.
fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
