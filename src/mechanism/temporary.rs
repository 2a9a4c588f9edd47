//! Objects that are removed when a COMMAND has ended: only the object that was created, and not another
//! one that has its name by then.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::sys::stat::{FileStat, fstat};

use crate::base::errno::Errno;
use crate::base::name::ObjectName;
use crate::run::keeper;
use crate::sys::directory::Directory;
use crate::sys::inode::{self, Links};
use crate::sys::mqueue::Queue;
use crate::sys::system_v::Kind;

/// An object, and what identifies it.
#[derive(Debug)]
pub enum Temporary {
    /// A file. While it is open, no other file has its inode number.
    File(File),
    /// A POSIX message queue, which is open.
    Queue(ObjectName, OwnedFd),
    /// A System V object. Its identifier contains the number of its creation.
    SystemV(Kind, i32),
}

/// A file that is open, and its name in a directory that is open.
#[derive(Debug)]
pub struct File {
    directory: Directory,
    name: OsString,
    file: OwnedFd,
    status: FileStat,
}

impl Temporary {
    /// The file of a path, which this process has just created.
    pub fn file(path: &Path) -> Result<Self, Errno> {
        let (directory, name) = Directory::of(path)?;
        let (file, status) = inode::locate(path, Links::Refused)?;
        Ok(Self::File(File { directory, name, file, status }))
    }

    /// The queue of this name, which this process has just created.
    pub fn queue(name: &ObjectName) -> Result<Self, Errno> {
        Ok(Self::Queue(name.clone(), Queue::locate(name)?))
    }

    /// The System V object with this identifier.
    ///
    /// # Errors
    /// ENOENT if there is none.
    pub fn system_v(kind: Kind, id: Option<i32>) -> Result<Self, Errno> {
        Ok(Self::SystemV(kind, id.ok_or(Errno(libc::ENOENT))?))
    }
}

impl File {
    fn remove(&self) -> Result<(), Errno> {
        match inode::is_same(&self.directory.status(&self.name)?, &self.status) {
            true => self.directory.unlink(&self.name),
            false => Ok(()),
        }
    }
}

/// A queue that has lost its name cannot have it back, so that one that has a name has its own.
fn remove_queue(name: &ObjectName, queue: &OwnedFd) -> Result<(), Errno> {
    match fstat(queue)?.st_nlink {
        0 => Ok(()),
        _ => Queue::unlink(name),
    }
}

impl keeper::Temporary for Temporary {
    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        match self {
            Self::File(file) => vec![file.directory.as_fd(), file.file.as_fd()],
            Self::Queue(_, queue) => vec![queue.as_fd()],
            Self::SystemV(..) => Vec::new(),
        }
    }

    fn remove(&self) {
        // Another process may have removed it, and no process is left that could report an error.
        let _ = match self {
            Self::File(file) => file.remove(),
            Self::Queue(name, queue) => remove_queue(name, queue),
            Self::SystemV(kind, id) => kind.remove(*id),
        };
    }
}
