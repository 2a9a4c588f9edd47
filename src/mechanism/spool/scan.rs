//! Reading a part of a spool, without holding all of it in memory.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::directory::Spool;
use super::entry::Entry;
use super::part::Part;
use crate::base::errno::Errno;
use crate::sys::names::{Name, Names};

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
    let mut names = Names::of(spool.open_part(part)?);
    Ok(std::iter::from_fn(move || {
        let name = |name: Name<'_>| OsStr::from_bytes(name.bytes).to_owned();
        names.read().map(|next| next.map(name)).transpose()
    }))
}

/// The messages in a part, in no order.
pub fn messages(
    spool: &Spool,
    part: Part,
) -> Result<impl Iterator<Item = Result<Found, Errno>> + use<>, Errno> {
    let mut names = Names::of(spool.open_part(part)?);
    Ok(std::iter::from_fn(move || {
        loop {
            match names.read() {
                Ok(None) => return None,
                Ok(Some(name)) => {
                    if let Some(found) = found(name) {
                        return Some(Ok(found));
                    }
                }
                Err(errno) => return Some(Err(errno)),
            }
        }
    }))
}

fn found(name: Name<'_>) -> Option<Found> {
    match Entry::parse(name.bytes) {
        Some(message) => Some(Found::Message(message, name.inode)),
        // What NFS makes of a file that is removed while it is open.
        None if name.bytes.starts_with(b".nfs") => None,
        None => Some(Found::Foreign(OsStr::from_bytes(name.bytes).to_owned())),
    }
}

/// The number of files in a directory of a part; what is no directory has none.
pub fn count_in(spool: &Spool, part: Part, directory: &OsStr) -> Result<u64, Errno> {
    let mut names = match spool.open_in(part, directory) {
        Err(Errno(libc::ENOTDIR)) => return Ok(0),
        opened => Names::of(opened?),
    };
    let mut count = 0;
    while names.read()?.is_some() {
        count += 1;
    }
    Ok(count)
}
