//! Files as shared memory, which outlives a reboot: mmap(2).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::{FileStat, Mode, fstat, lstat, stat};
use nix::sys::statfs::{HUGETLBFS_MAGIC, fstatfs};
use nix::unistd::unlink;

use super::dev_shm::{Unnamed, is_regular};
use super::file_segment::{self, FileSegment};
use super::process::{self, Holders};
use super::segment::{Access, Entry, Error, Fact, Pages, Place, Segment, Value, WriteError};
use crate::errno::Errno;
use crate::name::FilePath;

impl Place for FilePath {
    fn create(&self, size: u64, mode: u32, pages: Pages) -> Result<(), Error> {
        let file = unnamed(self.path(), mode)?;
        if pages == Pages::Huge && fstatfs(file.file())?.filesystem_type() != HUGETLBFS_MAGIC {
            return Err(Error::NoHugePages("huge pages for files are those of a hugetlbfs"));
        }
        file_segment::fill_new(file.file(), size, Pages::Ordinary)?;
        file.link_as(self.path())?;
        Ok(())
    }

    fn create_from(
        &self,
        source: BorrowedFd<'_>,
        offset: u64,
        mode: u32,
    ) -> Result<(), WriteError> {
        let file = unnamed(self.path(), mode)?;
        file_segment::fill_new_from(file.file(), source, offset)?;
        file.link_as(self.path())?;
        Ok(())
    }

    fn open(&self, access: Access) -> Result<Box<dyn Segment>, Error> {
        Ok(Box::new(FileSegment::new(open_regular(self.path(), access)?, access)))
    }

    fn remove(&self) -> Result<(), Error> {
        check(&lstat(self.path())?)?;
        Ok(unlink(self.path())?)
    }

    fn describe(&self) -> Result<(Vec<Fact>, Holders), Error> {
        let status = stat(self.path())?;
        check(&status)?;
        let name = Fact { key: "name", value: Value::Name(self.as_ref().to_owned()) };
        let facts = std::iter::once(name).chain(file_segment::facts(&status)).collect();
        Ok((facts, Holders::of(&status)))
    }

    /// The files that some process has mapped in order to share them.
    fn list() -> Result<Vec<Entry>, Errno> {
        let mut files = BTreeMap::new();
        for pid in process::all() {
            let maps = std::fs::read(format!("/proc/{pid}/maps")).unwrap_or_default();
            for (path, inode) in maps.split(|&b| b == b'\n').filter_map(shared_file) {
                files.insert(path, inode);
            }
        }
        Ok(files.into_iter().filter_map(|(path, inode)| entry(path, inode)).collect())
    }
}

/// A file in the directory of this path.
fn unnamed(path: &Path, mode: u32) -> Result<Unnamed, Errno> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    Unnamed::within(parent.unwrap_or(Path::new(".")), mode)
}

/// Opens a file without waiting, as a FIFO would have us do. Links are followed.
fn open_regular(path: &Path, access: Access) -> Result<OwnedFd, Error> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let file = open(path, file_segment::flags(access) | flags, Mode::empty())?;
    check(&fstat(&file)?)?;
    Ok(file)
}

fn check(status: &FileStat) -> Result<(), Error> {
    if is_regular(status) { Ok(()) } else { Err(Error::OfAnotherKind("not a regular file")) }
}

/// The path and the inode of a shared mapping, from a line of `/proc/PID/maps`.
fn shared_file(line: &[u8]) -> Option<(PathBuf, u64)> {
    let mut fields = line.splitn(6, |&b| b == b' ');
    let permissions = fields.nth(1)?;
    let inode = std::str::from_utf8(fields.nth(2)?).ok()?.parse().ok()?;
    let path = fields.next()?.trim_ascii_start();
    let is_elsewhere = [b"/dev/".as_slice(), b"/SYSV", b"/memfd:", b"/anon_hugepage"]
        .iter()
        .any(|prefix| path.starts_with(prefix));
    let is_file = permissions.ends_with(b"s") && path.starts_with(b"/") && !is_elsewhere;
    is_file.then(|| (PathBuf::from(OsString::from_vec(unescape(path))), inode))
}

/// The only escape in that table is that of a newline.
fn unescape(path: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&byte, after)) = rest.split_first() {
        let newline = rest.strip_prefix(b"\\012");
        bytes.push(if newline.is_some() { b'\n' } else { byte });
        rest = newline.unwrap_or(after);
    }
    bytes
}

/// The file of this path, if it is still the one that is mapped.
fn entry(path: PathBuf, inode: u64) -> Option<Entry> {
    let status = std::fs::symlink_metadata(&path).ok()?;
    let is_it = status.is_file() && status.ino() == inode;
    is_it.then(|| Entry {
        name: path.into_os_string(),
        size: status.size(),
        mode: status.mode(),
        uid: status.uid(),
        gid: status.gid(),
        changed: status.mtime(),
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn a_shared_mapping_of_a_file_is_told_from_the_others() {
        let path =
            |line: &[u8]| shared_file(line).map(|(path, inode)| (path.into_os_string(), inode));
        let line = b"7f00-7f01 rw-s 00000000 fe:00 4711                       /tmp/a b\\012c";
        assert_eq!(path(line), Some((OsStr::from_bytes(b"/tmp/a b\nc").to_owned(), 4711)));
        for other in [
            b"7f00-7f01 r--p 00000000 fe:00 4711     /usr/lib/libc.so".as_slice(),
            b"7f00-7f01 rw-s 00000000 00:01 12       /SYSV0000002a (deleted)",
            b"7f00-7f01 rw-s 00000000 00:19 12       /dev/shm/x",
            b"7f00-7f01 rw-p 00000000 00:00 0 ",
            b"7f00-7f01 rw-p 00000000 00:00 0        [heap]",
            b"",
        ] {
            assert_eq!(path(other), None);
        }
    }
}
