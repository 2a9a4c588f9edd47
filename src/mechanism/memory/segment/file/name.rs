//! Names that lead to files.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, open};
use nix::sys::stat::{FileStat, Mode, SFlag, fstatat};
use nix::unistd::{fsync, unlink};

use super::{FileSegment, new};
use crate::base::errno::Errno;
use crate::mechanism::memory::segment::{
    Access, Created, Description, Engine, Error, Fact, Input, Listing, New, Segment, Value,
    WriteError,
};
use crate::mechanism::new_file::NewFile;
use crate::mechanism::ownership::NewOwnership;
use crate::sys::directory;
use crate::sys::inode;
use crate::sys::offset;
use crate::sys::origin::Found;
use crate::sys::process::Object;
use crate::sys::regular_file::{self, Links};
use crate::sys::system_v::NewObject;

/// A name that leads to a file.
pub trait FileName: AsRef<OsStr> + Sized {
    /// Whether a symbolic link may lead to the file.
    const LINKS: Links;
    /// The reason to refuse something of that name that is no regular file.
    const NOT_REGULAR: &'static str;
    /// The directory that lists the segments of this kind, for errors.
    const REGISTER: &'static str;

    /// The path of the file.
    ///
    /// # Errors
    /// No segment can have such a name.
    fn path(&self) -> Result<impl AsRef<Path>, Error>;

    /// The names of all segments of this kind.
    fn all() -> Result<Vec<Self>, Errno>;
}

impl<N: FileName> Engine for N {
    fn create(&self, new: New) -> Result<Option<NewObject>, Error> {
        // Before memory is allocated in vain.
        if kind(self.path()?.as_ref()).is_some() {
            return Err(Error::Exists);
        }
        let file = NewFile::new(self.path()?.as_ref(), new.mode)?;
        new::fill_with_zeros(file.file(), new.size, new.page_size)?;
        file.link()?;
        Ok(None)
    }

    fn create_from(&self, input: Input<'_>) -> Result<Created, WriteError> {
        let Input { offset, mode, .. } = input;
        let new = NewFile::new(self.path()?.as_ref(), mode)?;
        new::fill_from(new.file(), input)?;
        match new.link() {
            Err(Errno(libc::EEXIST)) => {
                Ok(Created::TooLate(Some(rewound(new.into_file(), offset)?)))
            }
            linked => {
                linked?;
                let segment = FileSegment::new(new.into_file(), Access::Write);
                Ok(Created::Complete(Box::new(segment)))
            }
        }
    }

    fn open(&self, access: Access) -> Result<Box<dyn Segment>, Error> {
        let (file, _) = open_file::<N>(self.path()?.as_ref(), access)?;
        Ok(Box::new(FileSegment::new(file, access)))
    }

    fn open_found(&self, access: Access) -> Result<(Box<dyn Segment>, Found), Error> {
        let path = self.path()?;
        let (file, status) = open_file::<N>(path.as_ref(), access)?;
        let found = Found::of_open(path.as_ref(), &status)?;
        Ok((Box::new(FileSegment::new(file, access)), found))
    }

    fn can_grow(&self) -> bool {
        true
    }

    fn set_ownership(&self, ownership: &NewOwnership) -> Result<(), Error> {
        let (file, status) = inode::locate(self.path()?.as_ref(), N::LINKS)?;
        match inode::is_regular(&status) {
            true => Ok(ownership.apply(file)?),
            false => Err(Error::OfAnotherKind(N::NOT_REGULAR)),
        }
    }

    /// Refuses a symbolic link, even one that leads to a segment.
    fn remove(&self) -> Result<(), Error> {
        let path = self.path()?;
        regular_file::status(path.as_ref(), Links::Refused).map_err(refused::<N>)?;
        Ok(unlink(path.as_ref())?)
    }

    fn sync_name(&self) -> Result<(), Error> {
        let path = self.path()?;
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let directory = open(directory::parent(path.as_ref()), flags, Mode::empty())?;
        Ok(fsync(directory)?)
    }

    fn describe(&self) -> Result<Description, Error> {
        let status = regular_file::status(self.path()?.as_ref(), N::LINKS).map_err(refused::<N>)?;
        Ok(described(self.as_ref(), &status))
    }

    fn list() -> Listing {
        let all = N::all();
        Listing {
            // A name may have been removed since, or be that of a directory.
            found: all.iter().flatten().filter_map(|name| name.describe().ok()).collect(),
            unlisted: all.err().map(|errno| (N::REGISTER, errno)).into_iter().collect(),
        }
    }
}

fn open_file<N: FileName>(path: &Path, access: Access) -> Result<(OwnedFd, FileStat), Error> {
    let flags = match access {
        Access::Read => OFlag::O_RDONLY,
        Access::Write => OFlag::O_RDWR,
    };
    match regular_file::open(path, flags, N::LINKS) {
        // The file cannot be created either, as the link has the name.
        Err(regular_file::Error::Kernel(Errno(libc::ENOENT)))
            if kind(path) == Some(SFlag::S_IFLNK) =>
        {
            Err(Error::OfAnotherKind("a symbolic link that leads nowhere"))
        }
        opened => opened.map_err(refused::<N>),
    }
}

/// The type of the file of this name, or of the link.
fn kind(path: &Path) -> Option<SFlag> {
    let status = fstatat(AT_FDCWD, path, AtFlags::AT_SYMLINK_NOFOLLOW);
    status.ok().map(|status| inode::kind(&status))
}

fn rewound(file: OwnedFd, offset: u64) -> Result<OwnedFd, Errno> {
    offset::seek(&file, offset)?;
    Ok(file)
}

fn described(name: &OsStr, status: &FileStat) -> Description {
    let facts = [
        ("name", Value::Name(name.to_owned())),
        ("size", Value::Number(status.st_size as u64)),
        ("allocated", Value::Number(status.st_blocks as u64 * 512)),
        ("mode", Value::Mode(status.st_mode)),
        ("uid", Value::Number(status.st_uid.into())),
        ("gid", Value::Number(status.st_gid.into())),
        ("accessed", Value::Time(status.st_atime)),
        ("modified", Value::Time(status.st_mtime)),
        ("changed", Value::Time(status.st_ctime)),
    ];
    Description {
        facts: facts.map(|(key, value)| Fact { key, value }).into(),
        object: Object::from(status),
    }
}

fn refused<N: FileName>(error: regular_file::Error) -> Error {
    match error {
        regular_file::Error::Kernel(errno) => errno.into(),
        regular_file::Error::NotRegular => Error::OfAnotherKind(N::NOT_REGULAR),
    }
}
