//! Rings by their names: objects of POSIX shared memory, and files.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::sys::stat::FileStat;
use nix::unistd::unlink;

use crate::base::deadline::Deadline;
use crate::base::errno::Errno;
use crate::base::name::{FilePath, NameError, ObjectName};
use crate::mechanism::appearance::until_it_exists;
use crate::mechanism::ownership::NewOwnership;
use crate::sys::origin::Found;
use crate::sys::regular_file::{self, Links};
use crate::sys::{dev_shm, directory};

use super::ring::{Error, Ring};

/// The name of a ring. A name with a slash after its first character is the path of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RingName {
    /// An object of POSIX shared memory.
    Shared(ObjectName),
    /// A file.
    File(FilePath),
}

/// An open file and its status.
#[derive(Debug)]
pub struct OpenFile {
    /// The descriptor.
    pub file: OwnedFd,
    /// The status from fstat(2).
    pub status: FileStat,
}

impl RingName {
    /// Parses `/name`, or `name` for it; or a path with `./` or another slash in it.
    ///
    /// # Errors
    /// The rule of names that the text breaks.
    pub fn new(text: &OsStr) -> Result<Self, NameError> {
        let bytes = text.as_encoded_bytes();
        let is_path = bytes.iter().skip(1).any(|&byte| byte == b'/');
        match is_path && !bytes.starts_with(b"sysv:") {
            true => Ok(Self::File(PathBuf::from(text).into())),
            false => ObjectName::new(text).map(Self::Shared),
        }
    }

    /// The path of its file.
    pub fn path(&self) -> PathBuf {
        match self {
            Self::Shared(name) => dev_shm::path(name.without_slash()),
            Self::File(path) => path.path().to_owned(),
        }
    }

    /// Whether the path may be a symbolic link: the caller chose the path of a file, but any user
    /// can create a name in shared memory.
    fn links(&self) -> Links {
        match self {
            Self::Shared(_) => Links::Refused,
            Self::File(_) => Links::Followed,
        }
    }

    /// Creates the complete ring, with exactly these permissions.
    ///
    /// # Errors
    /// EEXIST if the name exists, ENOSPC if there is no room, EFBIG if the size can never fit.
    pub fn create(&self, mode: u32, bytes: u64) -> Result<Ring, Error> {
        Ring::create(&self.path(), mode, bytes)
    }

    /// Opens its file for all operations on a ring.
    ///
    /// # Errors
    /// [`Error::Foreign`] if it is not a regular file.
    pub fn open(&self) -> Result<OpenFile, Error> {
        self.open_for(OFlag::O_RDWR)
    }

    fn open_for(&self, access: OFlag) -> Result<OpenFile, Error> {
        let opened = regular_file::open(&self.path(), access, self.links());
        let (file, status) = opened.map_err(|error| match error {
            regular_file::Error::Kernel(errno) => Error::Kernel(errno),
            regular_file::Error::NotRegular => Error::Foreign("not a regular file"),
        })?;
        Ok(OpenFile { file, status })
    }

    /// Opens its file, and waits until the file exists.
    ///
    /// # Errors
    /// ENOENT if the file does not exist at the deadline.
    pub fn open_until(&self, until: Deadline) -> Result<OpenFile, Error> {
        // One attempt needs no directory.
        if until == Deadline::PASSED {
            return self.open();
        }
        let path = self.path();
        let is_missing = |error: &Error| matches!(error, Error::Kernel(Errno(libc::ENOENT)));
        until_it_exists(Some(directory::parent(&path)), until, is_missing, || self.open())
    }

    /// The users who could have created the open file.
    ///
    /// # Errors
    /// ENOENT if the name now leads to another file.
    pub fn found(&self, open: &OpenFile) -> Result<Found, Errno> {
        Found::of_open(&self.path(), &open.status)
    }

    /// Removes the name of a ring in any condition.
    ///
    /// # Errors
    /// [`Error::Foreign`] if the file is not a ring.
    pub fn remove(&self) -> Result<(), Error> {
        self.checked(Links::Refused)?;
        Ok(unlink(&self.path()).map_err(Errno::from)?)
    }

    /// Changes the owner and the permissions of a ring in any condition.
    ///
    /// # Errors
    /// [`Error::Foreign`] if the file is not a ring.
    pub fn set_ownership(&self, ownership: &NewOwnership) -> Result<(), Error> {
        Ok(ownership.apply(self.checked(self.links())?)?)
    }

    /// Opens its file, if it is a ring.
    fn checked(&self, links: Links) -> Result<OwnedFd, Error> {
        let opened = regular_file::open(&self.path(), OFlag::O_RDONLY, links);
        let (file, _) = opened.map_err(|error| match error {
            regular_file::Error::Kernel(errno) => Error::Kernel(errno),
            regular_file::Error::NotRegular => Error::Foreign("not a regular file"),
        })?;
        match Ring::is_in(&file)? {
            true => Ok(file),
            false => Err(Error::Foreign("is not a queue")),
        }
    }

    /// The rings in shared memory that this process may read.
    ///
    /// # Errors
    /// EACCES and others if the directory of shared memory cannot be read.
    pub fn all() -> Result<Vec<Self>, Errno> {
        let names = dev_shm::list()?;
        let names = names.iter().filter_map(|name| ObjectName::of_file(name).ok());
        Ok(names.map(Self::Shared).filter(Self::is_ring).collect())
    }

    fn is_ring(&self) -> bool {
        let open = self.open_for(OFlag::O_RDONLY);
        open.is_ok_and(|open| Ring::is_in(&open.file) == Ok(true))
    }

    /// The status of its file from stat(2), without opening the file.
    ///
    /// # Errors
    /// ENOENT if the file does not exist.
    pub fn status(&self) -> Result<FileStat, Error> {
        regular_file::status(&self.path(), self.links()).map_err(|error| match error {
            regular_file::Error::Kernel(errno) => Error::Kernel(errno),
            regular_file::Error::NotRegular => Error::Foreign("not a regular file"),
        })
    }

    /// The directory of its file.
    pub fn directory(&self) -> PathBuf {
        let path = self.path();
        let parent: &Path = directory::parent(&path);
        parent.to_owned()
    }
}

impl AsRef<OsStr> for RingName {
    fn as_ref(&self) -> &OsStr {
        match self {
            Self::Shared(name) => name.as_ref(),
            Self::File(path) => path.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_second_slash_makes_a_name_a_path() {
        let name = |text: &str| RingName::new(OsStr::new(text));
        for text in ["jobs", "/jobs", "/a b"] {
            assert!(matches!(name(text), Ok(RingName::Shared(_))), "{text}");
        }
        for text in ["./jobs", "/tmp/jobs", "a/b", "../jobs", "//jobs", "dir/"] {
            assert!(matches!(name(text), Ok(RingName::File(_))), "{text}");
        }
        assert_eq!(name(""), Err(NameError::Empty));
        assert_eq!(name("/"), Err(NameError::Empty));
        assert_eq!(name("sysv:7"), Err(NameError::SystemV));
        assert_eq!(name("sysv:/tmp:7"), Err(NameError::SystemV));
    }

    #[test]
    fn a_name_is_waited_for_also_in_a_directory_that_is_not_there_yet() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("later/queue");
        let name = RingName::new(path.as_os_str()).unwrap();
        let missing = name.open_until(Deadline::after(Duration::from_millis(20))).map(drop);
        assert_eq!(missing, Err(Error::Kernel(Errno(libc::ENOENT))));
        let waits = std::thread::spawn(move || name.open_until(Deadline::NEVER).map(drop));
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "").unwrap();
        assert_eq!(waits.join().unwrap(), Ok(()));
    }
}
