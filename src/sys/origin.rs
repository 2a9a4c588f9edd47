//! The owner of an object, and the users that could have created another one with its name: inode(7),
//! path_resolution(7), sysvipc(7).

use std::path::{Path, PathBuf};

use nix::fcntl::readlink;
use nix::sys::stat::{FileStat, SFlag, lstat, stat};
use nix::unistd::geteuid;

use super::{directory, inode};
use crate::base::errno::Errno;

/// An object that was found where one could have been created.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// The links that lead to it, and at the end the object itself.
    entries: Vec<Entry>,
    /// Its permissions.
    mode: u32,
}

/// A link or an object in a directory or a table of the kernel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Entry {
    /// Its owner; of a System V object its creator.
    owner: u32,
    directory: Directory,
}

/// The users that can create entries in a directory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Directory {
    /// Every user; only the owner of an entry and this user remove it, as in a sticky directory.
    Shared {
        /// The owner of the directory.
        owner: u32,
    },
    /// Its owner, and users that the owner has given permission.
    Restricted,
}

/// The user ID that stands for users that are not in this user namespace: overflowuid of
/// proc_sys_kernel(5).
const UNKNOWN: u32 = 65534;

/// The maximum number of links that the kernel follows.
const LINKS_MAX: usize = 40;

impl Found {
    /// The object at a path, and the links that lead to it.
    pub fn at(path: &Path) -> Result<Self, Errno> {
        walk(path).map(|(found, _)| found)
    }

    /// The same, for a file that was opened by this path.
    ///
    /// # Errors
    /// ENOENT if the path now leads to another file.
    pub fn of_open(path: &Path, file: &FileStat) -> Result<Self, Errno> {
        let (found, there) = walk(path)?;
        if inode::is_same(file, &there) { Ok(found) } else { Err(Errno(libc::ENOENT)) }
    }

    /// An object in a table of the kernel, where every user can create objects.
    pub fn in_kernel(owner: u32, mode: u32) -> Self {
        const ROOT: u32 = 0;
        let directory = Directory::Shared { owner: ROOT };
        Self { entries: vec![Entry { owner, directory }], mode }
    }

    /// Its permissions.
    pub fn mode(&self) -> u32 {
        self.mode
    }

    /// The users that could have created it, or a link to it, in order to receive the data of others:
    /// the owners of entries in shared directories, except the user of this process and the owner of
    /// the directory. This is the rule of fs.protected_fifos, proc_sys_fs(5).
    pub fn strangers(&self) -> impl Iterator<Item = u32> {
        self.entries.iter().filter_map(|entry| entry.stranger())
    }
}

impl Entry {
    fn of(path: &Path, status: &FileStat) -> Result<Self, Errno> {
        let directory = stat(directory::parent(path))?;
        Ok(Self { owner: status.st_uid, directory: Directory::of(&directory) })
    }

    fn stranger(self) -> Option<u32> {
        let is_own = self.owner == geteuid().as_raw();
        match self.directory {
            Directory::Restricted => None,
            // Two unknown users may be different ones.
            Directory::Shared { owner } if owner == self.owner && owner != UNKNOWN => None,
            Directory::Shared { .. } => (!is_own).then_some(self.owner),
        }
    }
}

impl Directory {
    fn of(directory: &FileStat) -> Self {
        let shared = libc::S_ISVTX | libc::S_IWOTH;
        if directory.st_mode & shared == shared {
            Self::Shared { owner: directory.st_uid }
        } else {
            Self::Restricted
        }
    }
}

fn walk(path: &Path) -> Result<(Found, FileStat), Errno> {
    let (mut path, mut entries) = (path.to_owned(), Vec::with_capacity(1));
    let mut status = lstat(&path)?;
    for _ in 0..=LINKS_MAX {
        entries.push(Entry::of(&path, &status)?);
        if inode::kind(&status) != SFlag::S_IFLNK {
            return Ok((Found { entries, mode: status.st_mode & 0o777 }, status));
        }
        (path, status) = next(&path)?;
    }
    Err(Errno(libc::ELOOP))
}

/// The target of a link.
fn next(link: &Path) -> Result<(PathBuf, FileStat), Errno> {
    let target = directory::parent(link).join(readlink(link)?);
    match lstat(&target) {
        Ok(status) => Ok((target, status)),
        // A link in /proc/self/fd may lead to a file without a path.
        Err(_) => Ok((link.to_owned(), stat(link)?)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn found(owner: u32, owner_of_directory: u32) -> Vec<u32> {
        let directory = Directory::Shared { owner: owner_of_directory };
        Found { entries: vec![Entry { owner, directory }], mode: 0o600 }.strangers().collect()
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
    fn links_are_followed_also_to_a_file_without_a_path() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        std::fs::write(&file, "").unwrap();
        symlink("file", &link).unwrap();
        assert_eq!(Found::at(&link).unwrap().entries.len(), 2);
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
