//! Places that are paths: of POSIX shared memory objects, which are files of `/dev/shm`, and of
//! files anywhere. A kind of them says where its files are and which there are; what can be done
//! with them is the same.

use std::ffi::OsStr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, open};
use nix::sys::stat::{FileStat, Mode, SFlag, fstatat};
use nix::unistd::{fsync, unlink};

use crate::base::errno::Errno;
use crate::base::name::SystemVName;
use crate::mechanism::memory::segment::file;
use crate::mechanism::memory::segment::file::FileSegment;
use crate::mechanism::memory::segment::{
    Access, Description, Error, Fact, Listed, Made, PageSize, Place, Segment, Value, WriteError,
};
use crate::mechanism::new_file::NewFile;
use crate::sys::directory;
use crate::sys::inode;
use crate::sys::offset;
use crate::sys::origin::Found;
use crate::sys::process::Object;
use crate::sys::regular_file::{self, Links};

/// A name that leads to a file.
pub trait FilePlace: AsRef<OsStr> + Sized {
    /// Whether a link may stand for the file.
    const LINKS: Links;
    /// What is said of something of that name that is no regular file.
    const NOT_REGULAR: &'static str;
    /// Where they are listed, for errors.
    const REGISTER: &'static str;

    /// Where the file is.
    ///
    /// # Errors
    /// That no segment can have such a name.
    fn path(&self) -> Result<impl AsRef<Path>, Error>;

    /// The names of all there are.
    fn all() -> Result<Vec<Self>, Errno>;
}

impl<P: FilePlace> Place for P {
    fn create(
        &self,
        size: u64,
        mode: u32,
        page_size: PageSize,
    ) -> Result<Option<SystemVName>, Error> {
        // Before the memory is had for nothing.
        if kind(self.path()?.as_ref()).is_some() {
            return Err(Errno(libc::EEXIST).into());
        }
        let new = NewFile::new(self.path()?.as_ref(), mode)?;
        file::fill_new(new.file(), size, page_size)?;
        new.link()?;
        Ok(None)
    }

    fn create_from(
        &self,
        source: BorrowedFd<'_>,
        offset: u64,
        mode: u32,
    ) -> Result<Made, WriteError> {
        let new = NewFile::new(self.path()?.as_ref(), mode)?;
        file::fill_new_from(new.file(), source, offset)?;
        match new.link() {
            Err(Errno(libc::EEXIST)) => Ok(Made::TooLate(Some(rewound(new.into_file(), offset)?))),
            linked => {
                linked?;
                let segment = FileSegment::new(new.into_file(), Access::Write);
                Ok(Made::Complete(Box::new(segment)))
            }
        }
    }

    fn open(&self, access: Access) -> Result<Box<dyn Segment>, Error> {
        let (file, _) = open_file::<P>(self.path()?.as_ref(), access)?;
        Ok(Box::new(FileSegment::new(file, access)))
    }

    fn open_found(&self, access: Access) -> Result<(Box<dyn Segment>, Found), Error> {
        let path = self.path()?;
        let (file, status) = open_file::<P>(path.as_ref(), access)?;
        let found = Found::of_open(path.as_ref(), &status)?;
        Ok((Box::new(FileSegment::new(file, access)), found))
    }

    fn can_grow(&self) -> bool {
        true
    }

    /// A link is never removed for the file that it leads to.
    fn remove(&self) -> Result<(), Error> {
        let path = self.path()?;
        regular_file::status(path.as_ref(), Links::Refused).map_err(refused::<P>)?;
        Ok(unlink(path.as_ref())?)
    }

    fn sync_name(&self) -> Result<(), Error> {
        let path = self.path()?;
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let directory = open(directory::parent(path.as_ref()), flags, Mode::empty())?;
        Ok(fsync(directory)?)
    }

    fn describe(&self) -> Result<Description, Error> {
        let status = regular_file::status(self.path()?.as_ref(), P::LINKS).map_err(refused::<P>)?;
        Ok(described(self.as_ref(), &status))
    }

    fn list() -> Listed {
        let all = P::all();
        Listed {
            // One may have gone since, or be a directory.
            found: all.iter().flatten().filter_map(|place| place.describe().ok()).collect(),
            unlisted: all.err().map(|errno| (P::REGISTER, errno)).into_iter().collect(),
        }
    }
}

fn open_file<P: FilePlace>(path: &Path, access: Access) -> Result<(OwnedFd, FileStat), Error> {
    match regular_file::open(path, file::flags(access), P::LINKS) {
        // There is no making the file that is missing: the name is taken.
        Err(regular_file::Error::Kernel(Errno(libc::ENOENT)))
            if kind(path) == Some(SFlag::S_IFLNK) =>
        {
            Err(Error::OfAnotherKind("a symbolic link that leads nowhere"))
        }
        opened => opened.map_err(refused::<P>),
    }
}

/// What there is of this name, if anything. A link need not lead anywhere.
fn kind(path: &Path) -> Option<SFlag> {
    let status = fstatat(AT_FDCWD, path, AtFlags::AT_SYMLINK_NOFOLLOW);
    status.ok().map(|status| inode::kind(&status))
}

fn rewound(file: OwnedFd, offset: u64) -> Result<OwnedFd, Errno> {
    offset::seek(&file, offset)?;
    Ok(file)
}

fn described(name: &OsStr, status: &FileStat) -> Description {
    let name = Fact { key: "name", value: Value::Name(name.to_owned()) };
    let facts = std::iter::once(name).chain(file::facts(status)).collect();
    Description { facts, object: Object::from(status) }
}

fn refused<P: FilePlace>(error: regular_file::Error) -> Error {
    match error {
        regular_file::Error::Kernel(errno) => errno.into(),
        regular_file::Error::NotRegular => Error::OfAnotherKind(P::NOT_REGULAR),
    }
}
