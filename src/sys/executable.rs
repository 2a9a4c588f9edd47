//! The executable of this program, and links to it: proc_pid_exe(5), symlink(7).

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::sys::stat::{lstat, stat};

use super::inode;
use crate::base::errno::Errno;

/// The path by which this program was called, which may be a link that an upgrade changes; or the
/// path of the executable, if the link now leads to another file.
pub fn path() -> Result<PathBuf, Errno> {
    let file = std::env::current_exe()?;
    let called = std::env::args_os().next().unwrap_or_default();
    let called = match called.as_bytes().contains(&b'/') {
        true => std::path::absolute(&called).ok(),
        false => in_path(&called),
    };
    Ok(called.filter(|path| is_same(path, &file)).unwrap_or(file))
}

/// The file that a shell runs for this word.
pub fn in_path(name: &OsStr) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let candidates = std::env::split_paths(&path).map(|directory| directory.join(name));
    candidates.filter(|path| path.is_absolute()).find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Whether both paths lead to the same file.
pub fn is_same(one: &Path, other: &Path) -> bool {
    let both = stat(one).and_then(|one| Ok((one, stat(other)?)));
    both.is_ok_and(|(one, other)| inode::is_same(&one, &other))
}

/// The type of file that a path has.
#[derive(Debug, Eq, PartialEq)]
pub enum Entry {
    /// Nothing.
    Free,
    /// A symbolic link with this text.
    Link(PathBuf),
    /// A file.
    File,
    /// A directory or another type of file, which no link may replace.
    Other,
}

/// The type of file at a path. A symbolic link is not followed.
pub fn entry(path: &Path) -> Result<Entry, Errno> {
    let kind = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Entry::Free),
        found => found?.file_type(),
    };
    Ok(match (kind.is_symlink(), kind.is_file()) {
        (true, _) => Entry::Link(fs::read_link(path)?),
        (_, true) => Entry::File,
        _ => Entry::Other,
    })
}

/// Whether a file is a program that contains this text, as every version of this program does.
pub fn is_program_with(path: &Path, text: &str) -> bool {
    let contains = || -> io::Result<bool> {
        let mut file = fs::File::open(path)?;
        let mut magic = [0; 4];
        file.read_exact(&mut magic)?;
        if magic != *b"\x7fELF" {
            return Ok(false);
        }
        let mut bytes = Vec::new();
        // Every version of this program is much smaller.
        file.take(64 << 20).read_to_end(&mut bytes)?;
        Ok(bytes.windows(text.len()).any(|window| window == text.as_bytes()))
    };
    is_executable(path) && contains().unwrap_or(false)
}

/// A link that was made and can be undone.
#[derive(Debug)]
pub struct Made {
    path: PathBuf,
    /// The path to which the former file was moved.
    before: Option<PathBuf>,
}

impl Made {
    /// Makes a symbolic link.
    ///
    /// # Errors
    /// EEXIST if the path exists.
    pub fn new(path: &Path, target: &Path) -> Result<Self, Errno> {
        symlink(target, path)?;
        Ok(Self { path: path.to_owned(), before: None })
    }

    /// Replaces a file by a symbolic link. At every moment the path has the old file or the link.
    pub fn replacing(path: &Path, target: &Path) -> Result<Self, Errno> {
        let (new, before) = (beside(path, "new")?, beside(path, "old")?);
        symlink(target, &new)?;
        // If the kernel refuses a second link to the file, the path is free for a moment.
        let kept = fs::hard_link(path, &before).or_else(|_| fs::rename(path, &before));
        let replaced = kept.map(|()| Self { path: path.to_owned(), before: Some(before) });
        let replaced = replaced.and_then(|made| match fs::rename(&new, path) {
            Ok(()) => Ok(made),
            Err(error) => {
                made.undo();
                Err(error)
            }
        });
        Ok(replaced.inspect_err(|_| drop(fs::remove_file(&new)))?)
    }

    /// Restores the former file, as far as that is possible.
    pub fn undo(self) {
        let _ = match self.before {
            // Both are links to one file, and rename(2) would keep both.
            Some(before) if is_same_entry(&before, &self.path) => fs::remove_file(&before),
            Some(before) => fs::rename(&before, &self.path),
            None => fs::remove_file(&self.path),
        };
    }

    /// Removes the former file for good.
    pub fn keep(self) {
        if let Some(before) = self.before {
            let _ = fs::remove_file(before);
        }
    }
}

/// Whether both paths are the same file, or the same symbolic link.
fn is_same_entry(one: &Path, other: &Path) -> bool {
    let both = lstat(one).and_then(|one| Ok((one, lstat(other)?)));
    both.is_ok_and(|(one, other)| inode::is_same(&one, &other))
}

/// Removes a link.
pub fn remove(path: &Path) -> Result<(), Errno> {
    Ok(fs::remove_file(path)?)
}

/// The path of a temporary file in the same directory.
fn beside(path: &Path, what: &str) -> Result<PathBuf, Errno> {
    let name = path.file_name().ok_or(Errno(libc::EINVAL))?;
    let mut temporary = OsString::from(format!(".ipc-{}-{what}-", std::process::id()));
    temporary.push(name);
    Ok(path.with_file_name(temporary))
}
