//! Reading a part of a spool, without holding all of it in memory.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use nix::dir::{Dir, OwningIter};

use super::directory::{Part, Spool};
use super::entry::Entry;
use crate::base::errno::Errno;

/// A file in a part of a spool.
#[derive(Debug)]
pub enum Found {
    /// A message, and the number of its inode.
    Message(Entry, u64),
    /// A file with another name.
    Foreign(OsString),
}

/// The names in a part.
pub fn files(
    spool: &Spool,
    part: Part,
) -> Result<impl Iterator<Item = Result<OsString, Errno>> + use<>, Errno> {
    let name = |entry: &nix::dir::Entry| entry.file_name().to_bytes().to_vec();
    let entries = entries(spool, part)?;
    Ok(entries.filter_map(move |entry| match entry {
        Ok(entry) => match name(&entry) {
            name if matches!(name.as_slice(), b"." | b"..") => None,
            name => Some(Ok(OsStr::from_bytes(&name).to_owned())),
        },
        Err(errno) => Some(Err(errno.into())),
    }))
}

/// The messages in a part, in no order.
pub fn messages(
    spool: &Spool,
    part: Part,
) -> Result<impl Iterator<Item = Result<Found, Errno>> + use<>, Errno> {
    let entries = entries(spool, part)?;
    Ok(entries.filter_map(|entry| match entry {
        Ok(entry) => found(&entry).map(Ok),
        Err(errno) => Some(Err(errno.into())),
    }))
}

fn found(entry: &nix::dir::Entry) -> Option<Found> {
    let name = entry.file_name().to_bytes();
    match Entry::parse(name) {
        Some(message) => Some(Found::Message(message, entry.ino())),
        // The directory itself, its parent, and what NFS makes of a file that is removed while it is
        // open.
        None if matches!(name, b"." | b"..") || name.starts_with(b".nfs") => None,
        None => Some(Found::Foreign(OsStr::from_bytes(name).to_owned())),
    }
}

fn entries(spool: &Spool, part: Part) -> Result<OwningIter, Errno> {
    Ok(Dir::from_fd(spool.part(part)?)?.into_iter())
}

/// The number of files in a directory of a part.
pub fn count_in(spool: &Spool, part: Part, directory: &OsStr) -> Result<u64, Errno> {
    const ITSELF_AND_PARENT: u64 = 2;
    let count = Dir::from_fd(spool.directory_in(part, directory)?)?.into_iter().count() as u64;
    Ok(count.saturating_sub(ITSELF_AND_PARENT))
}
