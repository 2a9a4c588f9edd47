//! The file of our own program, and links to it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use nix::sys::stat::stat;

use super::inode;
use crate::errno::Errno;

/// How a link refers to our program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Link {
    /// It is the same file.
    Hard,
    /// It names the path of the file, which is on another file system or somebody else's.
    Symbolic,
    /// It was there already.
    Existing,
}

/// Makes `path` a link to our own program, unless it is one.
///
/// # Errors
/// EEXIST if there is anything else of that name.
pub fn link_at(path: &Path) -> Result<Link, Errno> {
    let program = std::env::current_exe()?;
    match link(&program, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_same(&program, path) => {
            Ok(Link::Existing)
        }
        result => Ok(result?),
    }
}

/// The same, in place of whatever file has that name. At every moment there is the old one or the
/// new one.
pub fn replace_at(path: &Path) -> Result<Link, Errno> {
    let program = std::env::current_exe()?;
    if is_same(&program, path) {
        return Ok(Link::Existing);
    }
    let mut name = OsString::from(format!(".ipc-{}-", std::process::id()));
    name.push(path.file_name().ok_or(Errno(libc::EINVAL))?);
    let temporary = path.with_file_name(name);
    let link = link(&program, &temporary)?;
    let renamed = fs::rename(&temporary, path);
    if renamed.is_err() {
        // The name is ours; if it cannot be removed there is nothing else to be done.
        let _ = fs::remove_file(&temporary);
    }
    Ok(renamed.map(|()| link)?)
}

fn link(program: &Path, path: &Path) -> io::Result<Link> {
    match fs::hard_link(program, path) {
        Ok(()) => Ok(Link::Hard),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // Another file system, or a file that we may not link to.
        Err(_) => symlink(program, path).map(|()| Link::Symbolic),
    }
}

fn is_same(program: &Path, path: &Path) -> bool {
    let both = stat(program).and_then(|ours| Ok((ours, stat(path)?)));
    both.is_ok_and(|(ours, other)| inode::is_same(&ours, &other))
}
