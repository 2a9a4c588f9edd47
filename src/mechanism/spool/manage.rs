//! Requeuing and removing messages by their names.

use std::collections::BTreeMap;

use super::claim::{self, Attempt, Claim};
use super::directory::Spool;
use super::encoded::Encoded;
use super::entry::Entry;
use super::part::Part;
use super::scan::{self, Found};
use crate::base::errno::Errno;

/// The messages of a spool by their names.
#[derive(Debug)]
pub struct Index(BTreeMap<Encoded, (Part, Entry)>);

impl Index {
    /// The messages in these parts.
    pub fn of(spool: &Spool, parts: &[Part]) -> Result<Self, Errno> {
        let mut index = BTreeMap::new();
        for &part in parts {
            for found in scan::messages(spool, part)? {
                if let Found::Message(entry, _) = found? {
                    index.insert(entry.name.clone(), (part, entry));
                }
            }
        }
        Ok(Self(index))
    }

    /// The message of this name, with its part.
    ///
    /// # Errors
    /// ENOENT if there is none.
    pub fn find(&self, name: &str) -> Result<&(Part, Entry), Errno> {
        self.0.get(name).ok_or(Errno(libc::ENOENT))
    }

    /// All messages.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.0.values().map(|(_, entry)| entry)
    }
}

/// Returns a message that failed to those that wait, without its attempts. It is durable after
/// [`Spool::sync`] of the part `Ready`.
pub fn requeue(spool: &Spool, entry: &Entry) -> Result<(), Errno> {
    let fresh = Entry { attempts: 0, due: 0, ..entry.clone() };
    spool.rename((Part::Failed, &entry.file()), (Part::Ready, &fresh.file()))?;
    forget(spool, Part::Reports, &entry.name)
}

/// Removes a message that waits or has failed, with all that is kept of it.
///
/// # Errors
/// EBUSY if a worker has claimed it; ENOENT if it is gone.
pub fn remove(spool: &Spool, (part, entry): &(Part, Entry)) -> Result<(), Errno> {
    match part {
        Part::Ready => match Claim::attempt(spool, entry)? {
            Attempt::Claimed(claim) => claim.remove(spool)?,
            Attempt::Busy => return Err(Errno(libc::EBUSY)),
            Attempt::Gone => return Err(Errno(libc::ENOENT)),
            Attempt::Unreadable | Attempt::Impossible(_) => claim::remove(spool, *part, entry)?,
        },
        part => claim::remove(spool, *part, entry)?,
    }
    forget(spool, Part::Reports, &entry.name)?;
    forget(spool, Part::Logs, &entry.name)
}

fn forget(spool: &Spool, part: Part, name: &str) -> Result<(), Errno> {
    match spool.unlink(part, name) {
        Ok(()) | Err(Errno(libc::ENOENT)) => Ok(()),
        Err(errno) => Err(errno),
    }
}
