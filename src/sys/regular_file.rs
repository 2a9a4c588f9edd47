//! Regular files. Another kind of file of that name, such as a FIFO or a symbolic link that an attacker
//! planted, is refused without waiting: open(2).

use std::os::fd::OwnedFd;
use std::path::Path;

use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat};
use nix::sys::stat::{FileStat, Mode, fstat, fstatat};

pub use super::inode::Links;
use super::inode::is_regular;
use crate::base::errno::Errno;

/// Why a file was not opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Error {
    /// An error of the kernel.
    Kernel(Errno),
    /// It is a symbolic link, a FIFO, a socket, a device or a directory.
    NotRegular,
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        Self::Kernel(errno)
    }
}

/// Flags with which open(2) does not wait for the other end of a FIFO, makes no terminal the
/// controlling one, and leaves no descriptor open in a COMMAND.
pub const HARMLESS: OFlag = OFlag::O_NONBLOCK.union(OFlag::O_NOCTTY).union(OFlag::O_CLOEXEC);

/// Opens a file; returns it and its status.
pub fn open(path: &Path, access: OFlag, links: Links) -> Result<(OwnedFd, FileStat), Error> {
    let no_links = match links {
        Links::Followed => OFlag::empty(),
        Links::Refused => OFlag::O_NOFOLLOW,
    };
    // open(3) of musl sets FD_CLOEXEC with a second system call, for kernels before 2.6.23.
    let opened = openat(AT_FDCWD, path, access | HARMLESS | no_links, Mode::empty());
    let file = opened.map_err(|errno| match (errno, links) {
        // open(2) itself refuses to write to a socket, a directory, and a FIFO without a reader.
        (nix::errno::Errno::ENXIO | nix::errno::Errno::EISDIR, _)
        | (nix::errno::Errno::ELOOP, Links::Refused) => Error::NotRegular,
        (errno, _) => Error::Kernel(errno.into()),
    })?;
    let status = fstat(&file).map_err(Errno::from)?;
    checked(status).map(|status| (file, status))
}

/// The status of a file that is not opened.
pub fn status(path: &Path, links: Links) -> Result<FileStat, Error> {
    let flags = match links {
        Links::Followed => AtFlags::empty(),
        Links::Refused => AtFlags::AT_SYMLINK_NOFOLLOW,
    };
    checked(fstatat(AT_FDCWD, path, flags).map_err(Errno::from)?)
}

fn checked(status: FileStat) -> Result<FileStat, Error> {
    if is_regular(&status) { Ok(status) } else { Err(Error::NotRegular) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn another_kind_of_file_is_distinguished_from_an_error_of_the_kernel() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        std::fs::write(&file, "x").unwrap();
        symlink(&file, &link).unwrap();
        let refused = |path: &Path, access, links| open(path, access, links).map(drop).unwrap_err();
        assert!(open(&link, OFlag::O_RDWR, Links::Followed).is_ok());
        assert_eq!(refused(&link, OFlag::O_RDWR, Links::Refused), Error::NotRegular);
        assert_eq!(status(&link, Links::Refused).map(drop), Err(Error::NotRegular));
        assert_eq!(refused(directory.path(), OFlag::O_RDWR, Links::Followed), Error::NotRegular);
        assert_eq!(refused(directory.path(), OFlag::O_RDONLY, Links::Followed), Error::NotRegular);
        let missing = directory.path().join("missing");
        let errno = Error::Kernel(Errno(libc::ENOENT));
        assert_eq!(refused(&missing, OFlag::O_RDONLY, Links::Refused), errno);
        symlink(&missing, directory.path().join("loop")).unwrap();
        symlink(directory.path().join("loop"), &missing).unwrap();
        let errno = Error::Kernel(Errno(libc::ELOOP));
        assert_eq!(refused(&missing, OFlag::O_RDONLY, Links::Followed), errno);
    }
}
