//! Mapped files: shared memory that outlives a reboot: mmap(2).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::FileName;
use crate::base::errno::Errno;
use crate::base::name::FilePath;
use crate::mechanism::memory::segment::Error;
use crate::sys::process;
use crate::sys::regular_file::Links;

impl FileName for FilePath {
    const LINKS: Links = Links::Followed;
    const NOT_REGULAR: &'static str = "not a regular file";
    const REGISTER: &'static str = "/proc";

    fn path(&self) -> Result<impl AsRef<Path>, Error> {
        Ok(self.path())
    }

    /// The files that a process has a shared mapping of, and that still have the path of the mapping.
    fn all() -> Result<Vec<Self>, Errno> {
        process::can_be_seen()?;
        let mut files = BTreeMap::new();
        for pid in process::all() {
            let maps = std::fs::read(format!("/proc/{pid}/maps")).unwrap_or_default();
            files.extend(maps.split(|&b| b == b'\n').filter_map(shared_file));
        }
        // On some file systems the device numbers in that table differ from those of stat(2), so that
        // only the inode numbers can be compared.
        let is_there = |(path, inode): &(PathBuf, u64)| {
            std::fs::symlink_metadata(path)
                .is_ok_and(|status| status.is_file() && status.ino() == *inode)
        };
        Ok(files.into_iter().filter(is_there).map(|(path, _)| Self::from(path)).collect())
    }
}

/// The path and the inode of a shared mapping of a file, from a line of `/proc/PID/maps`.
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

/// Decodes newlines, the only characters that the table escapes.
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

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn a_shared_mapping_of_a_file_is_distinguished_from_other_mappings() {
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
