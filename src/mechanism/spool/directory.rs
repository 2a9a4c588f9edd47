//! The directory of a spool, held open, so that a spool that is renamed meanwhile stays the same.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::dir::Dir;
use nix::errno::Errno as Reason;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, open, openat, renameat};
use nix::sys::stat::{FchmodatFlags, FileStat, Mode, fchmod, fchmodat, fstat, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, fsync, linkat, mkdir, unlinkat};

use crate::base::errno::Errno;
use crate::sys::regular_file::HARMLESS;
use crate::sys::stream;

/// A part of a spool: a directory in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// Messages that are not complete.
    Temporary,
    /// Messages that wait or are claimed.
    Ready,
    /// Messages whose last attempt failed.
    Failed,
    /// Links of the messages whose names were given.
    Names,
    /// The names and statuses of messages that are done.
    Done,
    /// The statuses and the stderr of failed COMMANDs.
    Reports,
    /// The output of COMMANDs.
    Logs,
    /// Files that cannot be messages, in a directory for each reason.
    Quarantine,
}

impl Part {
    const ALL: [Self; 8] = [
        Self::Temporary,
        Self::Ready,
        Self::Failed,
        Self::Names,
        Self::Done,
        Self::Reports,
        Self::Logs,
        Self::Quarantine,
    ];

    /// The name of the directory.
    pub fn name(self) -> &'static str {
        match self {
            Self::Temporary => "tmp",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Names => "names",
            Self::Done => "done",
            Self::Reports => "reports",
            Self::Logs => "logs",
            Self::Quarantine => "quarantine",
        }
    }

    /// The path of a file in this part.
    pub fn join(self, file: impl AsRef<OsStr>) -> PathBuf {
        Path::new(self.name()).join(file.as_ref())
    }
}

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
    root: OwnedFd,
    path: PathBuf,
    mode: u32,
}

const DIRECTORY: OFlag = OFlag::O_RDONLY.union(OFlag::O_DIRECTORY).union(OFlag::O_CLOEXEC);

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
        let mode = fstat(&root)?.st_mode & 0o777;
        Ok(Self { root, path: path.to_owned(), mode })
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
        Ok(Self { root, path: path.to_owned(), mode: mode & 0o777 })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in a part of it.
    pub fn path_of(&self, part: Part, file: impl AsRef<OsStr>) -> PathBuf {
        self.path.join(part.join(file))
    }

    /// The status of its directory.
    pub fn status(&self) -> Result<FileStat, Errno> {
        Ok(fstat(&self.root)?)
    }

    /// The mode of a message: the owner writes it, and the users who read the directory read it.
    pub fn mode_of_files(&self) -> u32 {
        0o600 | self.mode & 0o444
    }

    /// Opens a part of it.
    pub fn part(&self, part: Part) -> Result<OwnedFd, Errno> {
        Ok(openat(&self.root, part.name(), DIRECTORY, Mode::empty())?)
    }

    /// Opens a directory in a part.
    pub fn directory_in(&self, part: Part, name: &OsStr) -> Result<OwnedFd, Errno> {
        let flags = DIRECTORY | OFlag::O_NOFOLLOW;
        Ok(openat(&self.root, &part.join(name), flags, Mode::empty())?)
    }

    /// Opens a file for reading, without waiting. A symbolic link is not followed.
    pub fn read(&self, part: Part, file: &str) -> Result<OwnedFd, Errno> {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | HARMLESS;
        Ok(openat(&self.root, &part.join(file), flags, Mode::empty())?)
    }

    /// Creates a file, or opens it at its end, with the mode of a message.
    pub fn append(&self, part: Part, file: &str) -> Result<OwnedFd, Errno> {
        self.create_file(part, file, OFlag::O_APPEND)
    }

    /// Creates an empty file, or makes it empty, with the mode of a message.
    pub fn overwrite(&self, part: Part, file: &str) -> Result<OwnedFd, Errno> {
        self.create_file(part, file, OFlag::O_TRUNC)
    }

    fn create_file(&self, part: Part, file: &str, how: OFlag) -> Result<OwnedFd, Errno> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_NOFOLLOW | HARMLESS | how;
        let fd = openat(&self.root, &part.join(file), flags, Mode::S_IRUSR | Mode::S_IWUSR)?;
        fchmod(&fd, Mode::from_bits_truncate(self.mode_of_files()))?;
        Ok(fd)
    }

    /// The status of a file. A symbolic link is not followed.
    pub fn status_of(&self, part: Part, file: impl AsRef<OsStr>) -> Result<FileStat, Errno> {
        Ok(fstatat(&self.root, &part.join(file), AtFlags::AT_SYMLINK_NOFOLLOW)?)
    }

    /// Moves a file.
    pub fn rename(&self, (from, old): (Part, &str), (to, new): (Part, &str)) -> Result<(), Errno> {
        Ok(renameat(&self.root, &from.join(old), &self.root, &to.join(new))?)
    }

    /// Moves a file to the quarantine, to the directory of this reason.
    pub fn quarantine(&self, part: Part, file: &OsStr, reason: &str) -> Result<(), Errno> {
        let directory = Part::Quarantine.join(reason);
        match mkdirat(&self.root, &directory, Mode::S_IRWXU) {
            Ok(()) => {
                let mode = Mode::from_bits_truncate(self.mode);
                fchmodat(&self.root, &directory, mode, FchmodatFlags::FollowSymlink)?;
            }
            Err(Reason::EEXIST) => {}
            Err(errno) => return Err(errno.into()),
        }
        let mut to = directory.join(file);
        for number in 1.. {
            // Another file of that name stays as it is.
            if fstatat(&self.root, &to, AtFlags::AT_SYMLINK_NOFOLLOW) == Err(Reason::ENOENT) {
                break;
            }
            let mut name = file.to_owned();
            name.push(format!(".{number}"));
            to = directory.join(name);
        }
        Ok(renameat(&self.root, &part.join(file), &self.root, &to)?)
    }

    /// Gives a file a second name.
    ///
    /// # Errors
    /// EEXIST if the name is in use.
    pub fn link(&self, (from, old): (Part, &str), (to, new): (Part, &str)) -> Result<(), Errno> {
        let (old, new) = (from.join(old), to.join(new));
        Ok(linkat(&self.root, &old, &self.root, &new, AtFlags::empty())?)
    }

    /// Removes a file.
    pub fn unlink(&self, part: Part, file: impl AsRef<OsStr>) -> Result<(), Errno> {
        Ok(unlinkat(&self.root, &part.join(file), UnlinkatFlags::NoRemoveDir)?)
    }

    /// Makes the names in a part durable.
    pub fn sync(&self, part: Part) -> Result<(), Errno> {
        Ok(fsync(self.part(part)?)?)
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
                empty(&directory)
            }
            opened => opened.map(drop),
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
    let mode = Mode::from_bits_truncate(mode);
    Ok(fchmodat(root, part.name(), mode, FchmodatFlags::FollowSymlink)?)
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
    let temporary = Part::Temporary.join(format!("mark-{}", std::process::id()));
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC | OFlag::O_CLOEXEC;
    let file = openat(root, &temporary, flags, Mode::S_IRUSR | Mode::S_IWUSR)?;
    fchmod(&file, Mode::from_bits_truncate(0o444))?;
    stream::write(&file, MARK.1)?;
    fsync(&file)?;
    let linked = linkat(root, &temporary, root, MARK.0, AtFlags::empty());
    unlinkat(root, &temporary, UnlinkatFlags::NoRemoveDir)?;
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
                empty(&openat(directory, name.as_os_str(), DIRECTORY, Mode::empty())?)?;
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
