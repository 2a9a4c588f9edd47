//! Who made an object, and who could have made another of its name: inode(7), path_resolution(7),
//! sysvipc(7).

use std::path::{Path, PathBuf};

use nix::fcntl::readlink;
use nix::sys::stat::{FileStat, SFlag, lstat, stat};
use nix::unistd::geteuid;

use super::{directory, inode};
use crate::base::errno::Errno;

/// An object that was there, where one could have been made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// Its origin, and before it those of the links that lead to it.
    origins: Vec<Origin>,
    /// Its permissions.
    mode: u32,
}

/// Who made something that has a name, and who makes names beside it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Origin {
    /// Its owner; of a System V object the user who created it.
    maker: u32,
    place: Place,
}

/// Where a name is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    /// Every user can make names there; they are removed by their makers and by this user alone, as
    /// in a sticky directory.
    Shared {
        /// The owner of the directory.
        keeper: u32,
    },
    /// Only those can make names there whom its owner lets in.
    Reserved,
}

/// A user who is not in this user namespace is shown as this one: overflowuid of proc_sys_kernel(5).
const UNKNOWN: u32 = 65534;

/// As many links as the kernel follows.
const LINKS_MAX: usize = 40;

impl Found {
    /// What a path leads to, and by which links.
    pub fn at(path: &Path) -> Result<Self, Errno> {
        walk(path).map(|(found, _)| found)
    }

    /// The same, for a file that was opened by this path.
    ///
    /// # Errors
    /// ENOENT if the path leads to another file by now.
    pub fn of_open(path: &Path, file: &FileStat) -> Result<Self, Errno> {
        let (found, there) = walk(path)?;
        if inode::is_same(file, &there) { Ok(found) } else { Err(Errno(libc::ENOENT)) }
    }

    /// An object in one of the kernel's tables, where every user can make names.
    pub fn in_kernel(maker: u32, mode: u32) -> Self {
        const ROOT: u32 = 0;
        let place = Place::Shared { keeper: ROOT };
        Self { origins: vec![Origin { maker, place }], mode }
    }

    /// Its permissions.
    pub fn mode(&self) -> u32 {
        self.mode
    }

    /// The users who could have made it, or a link to it, in order to receive what others write: those
    /// who are neither this process's user nor the directory's owner, where every user can make names.
    /// That is the rule of fs.protected_fifos, proc_sys_fs(5).
    pub fn strangers(&self) -> impl Iterator<Item = u32> {
        self.origins.iter().filter_map(|origin| origin.stranger())
    }
}

impl Origin {
    fn of(path: &Path, status: &FileStat) -> Result<Self, Errno> {
        let directory = stat(directory::parent(path))?;
        Ok(Self { maker: status.st_uid, place: Place::of(&directory) })
    }

    fn stranger(self) -> Option<u32> {
        let is_ours = self.maker == geteuid().as_raw();
        match self.place {
            Place::Reserved => None,
            // Of two unknown users nobody can tell whether they are the same one.
            Place::Shared { keeper } if keeper == self.maker && keeper != UNKNOWN => None,
            Place::Shared { .. } => (!is_ours).then_some(self.maker),
        }
    }
}

impl Place {
    fn of(directory: &FileStat) -> Self {
        let shared = libc::S_ISVTX | libc::S_IWOTH;
        if directory.st_mode & shared == shared {
            Self::Shared { keeper: directory.st_uid }
        } else {
            Self::Reserved
        }
    }
}

fn walk(path: &Path) -> Result<(Found, FileStat), Errno> {
    let (mut path, mut origins) = (path.to_owned(), Vec::with_capacity(1));
    let mut status = lstat(&path)?;
    for _ in 0..=LINKS_MAX {
        origins.push(Origin::of(&path, &status)?);
        if inode::kind(&status) != SFlag::S_IFLNK {
            return Ok((Found { origins, mode: status.st_mode & 0o777 }, status));
        }
        (path, status) = next(&path)?;
    }
    Err(Errno(libc::ELOOP))
}

/// What a link leads to.
fn next(link: &Path) -> Result<(PathBuf, FileStat), Errno> {
    let target = directory::parent(link).join(readlink(link)?);
    match lstat(&target) {
        Ok(status) => Ok((target, status)),
        // Links such as those of /proc/self/fd lead to files that have no path.
        Err(_) => Ok((link.to_owned(), stat(link)?)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn found(maker: u32, keeper: u32) -> Vec<u32> {
        let place = Place::Shared { keeper };
        Found { origins: vec![Origin { maker, place }], mode: 0o600 }.strangers().collect()
    }

    #[test]
    fn a_stranger_is_neither_this_user_nor_the_owner_of_the_directory() {
        let me = geteuid().as_raw();
        assert_eq!(found(me, 4711), [0; 0]);
        assert_eq!(found(4711, 4711), [0; 0]);
        assert_eq!(found(4711, me), [4711]);
        assert_eq!(found(me, UNKNOWN), [0; 0]);
        if me != UNKNOWN {
            assert_eq!(found(UNKNOWN, UNKNOWN), [UNKNOWN]);
        }
    }

    #[test]
    fn a_link_is_followed_to_its_end_and_to_what_has_no_path() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        std::fs::write(&file, "").unwrap();
        symlink("file", &link).unwrap();
        assert_eq!(Found::at(&link).unwrap().origins.len(), 2);
        let status = stat(&file).unwrap();
        assert!(Found::of_open(&link, &status).is_ok());
        std::fs::remove_file(&file).unwrap();
        assert_eq!(Found::of_open(&link, &status), Err(Errno(libc::ENOENT)));
        let (reader, _writer) = nix::unistd::pipe().unwrap();
        assert!(Found::at(&crate::sys::descriptor::path(&reader)).is_ok());
        symlink("loop", directory.path().join("loop")).unwrap();
        assert_eq!(Found::at(&directory.path().join("loop")), Err(Errno(libc::ELOOP)));
    }
}
