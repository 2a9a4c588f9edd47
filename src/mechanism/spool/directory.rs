//! The directory of a spool, held open, so that a spool that is renamed meanwhile stays the same.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use nix::dir::Dir;
use nix::errno::Errno as Reason;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, open, openat};
use nix::sys::stat::{FileStat, Mode, fchmod, fstat, fstatat, mkdirat};
use nix::unistd::{Gid, UnlinkatFlags, fsync, getegid, linkat, mkdir, unlinkat};

use super::part::Part;
use crate::base::errno::Errno;
use crate::sys::regular_file::HARMLESS;
use crate::sys::{directory, stream};

/// The file that makes a directory a spool, and its contents.
const MARK: (&str, &[u8]) = ("spool", b"ipc spool 1\n");

/// The file that is there while a spool is paused.
const PAUSED: &str = "paused";

/// The reason why a spool cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// An error of the kernel.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// The directory is not a spool.
    #[error("is not a spool")]
    NotASpool,
    /// The spool has another format.
    #[error("is a spool of a version that this program does not know")]
    OtherVersion,
}

impl From<Reason> for Error {
    fn from(errno: Reason) -> Self {
        Self::Kernel(errno.into())
    }
}

/// A spool.
#[derive(Debug)]
pub struct Spool {
    pub(super) root: OwnedFd,
    /// The parts that were opened. A message that is not complete shares one.
    pub(super) parts: [OnceLock<Arc<OwnedFd>>; Part::ALL.len()],
    path: PathBuf,
    pub(super) mode: u32,
    /// Its group, if that of new files is another one.
    pub(super) group: Option<Gid>,
}

/// How directories are opened to read their names.
const DIRECTORY: OFlag = OFlag::O_RDONLY.union(OFlag::O_DIRECTORY).union(OFlag::O_CLOEXEC);

/// The same for a directory in a spool: its users could have put a symbolic link in its place.
pub const INNER: OFlag = DIRECTORY.union(OFlag::O_NOFOLLOW);

impl Spool {
    /// Opens a spool.
    ///
    /// # Errors
    /// ENOENT if there is no such directory; EACCES if this user may not use it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let root = match open(path, OFlag::O_PATH | DIRECTORY, Mode::empty()) {
            Err(Reason::ENOTDIR) => return Err(Error::NotASpool),
            root => root?,
        };
        check(&root)?;
        Self::of(root, path)
    }

    /// Makes a spool whose directories have exactly this mode. An empty directory becomes one, and
    /// so does one whose creator was killed.
    ///
    /// # Errors
    /// EEXIST if there is another file of that name, or a spool.
    pub fn create(path: &Path, mode: u32) -> Result<Self, Error> {
        let made = match mkdir(path, Mode::S_IRWXU) {
            Err(Reason::EEXIST) => false,
            made => made.map(|()| true)?,
        };
        let root = match open(path, DIRECTORY, Mode::empty()) {
            Err(Reason::ENOTDIR) => return Err(Errno(libc::EEXIST).into()),
            root => root?,
        };
        if !made && !is_unfinished(&root)? {
            return Err(Errno(libc::EEXIST).into());
        }
        Part::ALL.into_iter().try_for_each(|part| make_part(&root, part, mode))?;
        fchmod(&root, Mode::from_bits_truncate(mode))?;
        mark(&root)?;
        fsync(&root)?;
        sync_parent(path)?;
        Self::of(root, path)
    }

    fn of(root: OwnedFd, path: &Path) -> Result<Self, Error> {
        let status = fstat(&root)?;
        let (mode, group) = (status.st_mode & 0o777, Gid::from_raw(status.st_gid));
        let group = (group != getegid()).then_some(group);
        let parts = [const { OnceLock::new() }; _];
        Ok(Self { root, parts, path: path.to_owned(), mode, group })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in a part of it.
    pub fn path_of(&self, part: Part, file: impl AsRef<OsStr>) -> PathBuf {
        self.path.join(part.name()).join(file.as_ref())
    }

    /// The status of its directory.
    pub fn status(&self) -> Result<FileStat, Errno> {
        Ok(fstat(&self.root)?)
    }

    /// The mode of a message: the owner writes it, and the users who read the directory read it.
    pub fn mode_of_files(&self) -> u32 {
        0o600 | self.mode & 0o444
    }

    /// Whether it is paused.
    pub fn is_paused(&self) -> bool {
        fstatat(&self.root, PAUSED, AtFlags::AT_SYMLINK_NOFOLLOW).is_ok()
    }

    /// Pauses it: workers claim no message.
    pub fn pause(&self) -> Result<(), Errno> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_NOFOLLOW | HARMLESS;
        let fd = openat(&self.root, PAUSED, flags, Mode::S_IRUSR | Mode::S_IWUSR)?;
        fsync(&fd)?;
        Ok(fsync(open(&self.path, DIRECTORY, Mode::empty())?)?)
    }

    /// Ends a pause.
    pub fn resume(&self) -> Result<(), Errno> {
        match unlinkat(&self.root, PAUSED, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Reason::ENOENT) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Removes it. The mark goes first: no process opens a spool that is being removed.
    ///
    /// # Errors
    /// ENOTEMPTY if it has messages that are to stay; it is a spool then as before.
    pub fn remove(self, removal: Removal) -> Result<(), Errno> {
        unlinkat(&self.root, MARK.0, UnlinkatFlags::NoRemoveDir)?;
        for part in [Part::Ready, Part::Failed].into_iter().chain(Part::ALL) {
            let removed = self.remove_part(part, removal);
            if removed == Err(Errno(libc::ENOTEMPTY)) {
                self.make_part(Part::Ready)?;
                mark(&self.root)?;
            }
            removed?;
        }
        self.resume()?;
        Ok(unlinkat(AT_FDCWD, &self.path, UnlinkatFlags::RemoveDir)?)
    }

    fn remove_part(&self, part: Part, removal: Removal) -> Result<(), Errno> {
        let holds_messages = matches!(part, Part::Ready | Part::Failed);
        let removed = match self.part(part) {
            Ok(directory) if !holds_messages || removal == Removal::WithMessages => {
                empty(directory)
            }
            opened => opened.map(|_| ()),
        };
        let removed =
            removed.and_then(|()| Ok(unlinkat(&self.root, part.name(), UnlinkatFlags::RemoveDir)?));
        if removed == Err(Errno(libc::ENOENT)) { Ok(()) } else { removed }
    }

    fn make_part(&self, part: Part) -> Result<(), Errno> {
        make_part(&self.root, part, self.mode)
    }
}

/// What is removed with a spool.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Removal {
    /// A spool with messages is not removed.
    IfEmpty,
    /// The messages are removed as well.
    WithMessages,
}

impl AsRef<OsStr> for Spool {
    fn as_ref(&self) -> &OsStr {
        self.path.as_os_str()
    }
}

/// Makes a part with exactly this mode, unless it is there.
fn make_part(root: &OwnedFd, part: Part, mode: u32) -> Result<(), Errno> {
    match mkdirat(root, part.name(), Mode::S_IRWXU) {
        Ok(()) | Err(Reason::EEXIST) => {}
        Err(errno) => return Err(errno.into()),
    }
    let made = openat(root, part.name(), INNER, Mode::empty())?;
    Ok(fchmod(made, Mode::from_bits_truncate(mode))?)
}

/// Makes the name of a spool durable, if this user may read its directory.
fn sync_parent(path: &Path) -> Result<(), Errno> {
    match open(directory::parent(path), DIRECTORY, Mode::empty()) {
        Ok(parent) => Ok(fsync(parent)?),
        Err(Reason::EACCES) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Checks that a directory is a spool.
fn check(root: &OwnedFd) -> Result<(), Error> {
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | HARMLESS;
    let mark = match openat(root, MARK.0, flags, Mode::empty()) {
        Err(Reason::ENOENT | Reason::ELOOP | Reason::ENXIO) => return Err(Error::NotASpool),
        mark => mark?,
    };
    let mut text = [0; 64];
    let count = stream::read(&mark, &mut text).map_err(|_| Error::NotASpool)?;
    match &text[..count] {
        text if text == MARK.1 => Ok(()),
        text if text.starts_with(b"ipc spool ") => Err(Error::OtherVersion),
        _ => Err(Error::NotASpool),
    }
}

/// Whether a directory has nothing but parts of a spool, and no mark.
fn is_unfinished(root: &OwnedFd) -> Result<bool, Errno> {
    let mut listing = Dir::openat(root, ".", DIRECTORY, Mode::empty())?;
    for entry in listing.iter() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        let is_ours = Part::ALL.iter().any(|part| part.name().as_bytes() == name);
        if !matches!(name, b"." | b"..") && !is_ours {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes a directory a spool: the mark is complete when it has its name.
fn mark(root: &OwnedFd) -> Result<(), Errno> {
    let parts = openat(root, Part::Temporary.name(), INNER, Mode::empty())?;
    let temporary = format!("mark-{}", std::process::id());
    let temporary = temporary.as_str();
    // One of a process that was killed.
    let _ = unlinkat(&parts, temporary, UnlinkatFlags::NoRemoveDir);
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
    let file = openat(&parts, temporary, flags, Mode::S_IRUSR | Mode::S_IWUSR)?;
    fchmod(&file, Mode::from_bits_truncate(0o444))?;
    stream::write(&file, MARK.1)?;
    fsync(&file)?;
    let linked = linkat(&parts, temporary, root, MARK.0, AtFlags::empty());
    unlinkat(&parts, temporary, UnlinkatFlags::NoRemoveDir)?;
    Ok(linked?)
}

/// Removes all files in a directory, and in the directories in it.
fn empty(directory: &OwnedFd) -> Result<(), Errno> {
    let mut listing = Dir::openat(directory, ".", DIRECTORY, Mode::empty())?;
    let mut names = Vec::new();
    for entry in listing.iter() {
        names.push(OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned());
    }
    for name in names.iter().filter(|name| *name != "." && *name != "..") {
        match unlinkat(directory, name.as_os_str(), UnlinkatFlags::NoRemoveDir) {
            Err(Reason::EISDIR | Reason::EPERM) => {
                empty(&openat(directory, name.as_os_str(), INNER, Mode::empty())?)?;
                unlinkat(directory, name.as_os_str(), UnlinkatFlags::RemoveDir)?;
            }
            removed => removed?,
        }
    }
    Ok(())
}

/// Makes the contents of a file durable.
pub fn sync_file(file: impl AsFd) -> Result<(), Errno> {
    Ok(fsync(file)?)
}
