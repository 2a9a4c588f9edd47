//! Operations on the files of a spool.
//!
//! Each part is opened once, and no symbolic link is followed. The users who may write a spool could
//! otherwise have the worker of another user rename, remove or write files elsewhere.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno as Reason;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{FileStat, Mode, fchmod, fstatat, mkdirat};
use nix::sys::statfs::fstatfs;
use nix::unistd::{UnlinkatFlags, fchown, fsync, linkat, unlinkat};

use super::directory::{INNER, Spool};
use super::part::Part;
use crate::base::errno::Errno;
use crate::sys::lock::{Kind, Lock, Mode as LockMode, Range};
use crate::sys::regular_file::HARMLESS;

/// The lock of a message that is written or claimed, of a log that is written, and of the names that were
/// given.
pub const WHOLE: Lock =
    Lock { kind: Kind::Flock, mode: LockMode::Exclusive, range: Range { start: 0, length: 0 } };

impl Spool {
    /// A part of it.
    ///
    /// # Errors
    /// ENOTDIR if a symbolic link is in its place.
    pub fn part(&self, part: Part) -> Result<&Arc<OwnedFd>, Errno> {
        let opened = &self.parts[part as usize];
        match opened.get() {
            Some(directory) => Ok(directory),
            None => {
                let directory = openat(&self.root, part.name(), INNER, Mode::empty())?;
                Ok(opened.get_or_init(|| directory.into()))
            }
        }
    }

    /// Opens a part to read its names, or to lock it.
    pub fn open_part(&self, part: Part) -> Result<OwnedFd, Errno> {
        self.open_in(part, OsStr::new("."))
    }

    /// Opens a directory in a part to read its names.
    pub fn open_in(&self, part: Part, name: &OsStr) -> Result<OwnedFd, Errno> {
        Ok(openat(self.part(part)?, name, INNER, Mode::empty())?)
    }

    /// Opens a file for reading, without waiting.
    pub fn read(&self, part: Part, file: &str) -> Result<OwnedFd, Errno> {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | HARMLESS;
        Ok(openat(self.part(part)?, file, flags, Mode::empty())?)
    }

    /// Creates a file, or opens it at its end, with the mode of a message.
    pub fn append(&self, part: Part, file: &str) -> Result<OwnedFd, Errno> {
        self.create_file(part, file, OFlag::O_APPEND)
    }

    /// Creates an empty file with the mode of a message, in the place of one of that name.
    pub fn replace(&self, part: Part, file: &str) -> Result<OwnedFd, Errno> {
        match self.unlink(part, file) {
            Ok(()) | Err(Errno(libc::ENOENT)) => self.create_file(part, file, OFlag::O_EXCL),
            Err(errno) => Err(errno),
        }
    }

    fn create_file(&self, part: Part, file: &str, how: OFlag) -> Result<OwnedFd, Errno> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_NOFOLLOW | HARMLESS | how;
        let file = openat(self.part(part)?, file, flags, Mode::S_IRUSR | Mode::S_IWUSR)?;
        self.share(&file, self.mode_of_files())?;
        Ok(file)
    }

    /// Gives a new file or directory this mode, and the group of the spool if the mode is for it.
    pub fn share(&self, new: &OwnedFd, mode: u32) -> Result<(), Errno> {
        if let Some(group) = self.group.filter(|_| mode & 0o070 != 0) {
            // A user who is not in that group cannot.
            let _ = fchown(new, None, Some(group));
        }
        Ok(fchmod(new, Mode::from_bits_truncate(mode))?)
    }

    /// The status of a file.
    pub fn status_of(&self, part: Part, file: impl AsRef<OsStr>) -> Result<FileStat, Errno> {
        status(self.part(part)?, file.as_ref())
    }

    /// Moves a file.
    pub fn rename(&self, (from, old): (Part, &str), (to, new): (Part, &str)) -> Result<(), Errno> {
        Ok(renameat(self.part(from)?, old, self.part(to)?, new)?)
    }

    /// Moves a file to the quarantine, to the directory of this reason.
    pub fn quarantine(&self, part: Part, file: &OsStr, reason: &str) -> Result<(), Errno> {
        let quarantine = self.part(Part::Quarantine)?;
        let made = match mkdirat(quarantine, reason, Mode::S_IRWXU) {
            Err(Reason::EEXIST) => false,
            made => made.map(|()| true)?,
        };
        let directory = openat(quarantine, reason, INNER, Mode::empty())?;
        if made {
            self.share(&directory, self.mode)?;
        }
        let mut name = file.to_owned();
        for number in 1.. {
            // Another file of that name stays as it is.
            if status(&directory, &name) == Err(Errno(libc::ENOENT)) {
                break;
            }
            name = file.to_owned();
            name.push(format!(".{number}"));
        }
        Ok(renameat(self.part(part)?, file, &directory, name.as_os_str())?)
    }

    /// Gives a file a second name.
    ///
    /// # Errors
    /// EEXIST if the name is in use.
    pub fn link(&self, (from, old): (Part, &str), (to, new): (Part, &str)) -> Result<(), Errno> {
        Ok(linkat(self.part(from)?, old, self.part(to)?, new, AtFlags::empty())?)
    }

    /// Whether the links of a file stay links. Those of a file in a lower layer of overlayfs do not
    /// when the file changes.
    pub fn keeps_links(&self) -> bool {
        /// In linux/magic.h, which not all C libraries have.
        const OVERLAYFS: i128 = 0x794c_7630;
        fstatfs(&self.root).is_ok_and(|system| i128::from(system.filesystem_type().0) != OVERLAYFS)
    }

    /// Removes a file.
    pub fn unlink(&self, part: Part, file: impl AsRef<OsStr>) -> Result<(), Errno> {
        Ok(unlinkat(self.part(part)?, file.as_ref(), UnlinkatFlags::NoRemoveDir)?)
    }

    /// Makes the names in a part durable.
    pub fn sync(&self, part: Part) -> Result<(), Errno> {
        Ok(fsync(self.part(part)?)?)
    }
}

/// The status of a file in a directory. A symbolic link is not followed.
fn status(directory: impl AsFd, file: &OsStr) -> Result<FileStat, Errno> {
    Ok(fstatat(directory, file, AtFlags::AT_SYMLINK_NOFOLLOW)?)
}
