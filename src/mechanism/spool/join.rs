//! Waiting until messages are done.

use std::collections::BTreeSet;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use super::directory::Spool;
use super::encoded::Encoded;
use super::entry::Entry;
use super::history;
use super::part::Part;
use super::scan::{self, Found};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::poll;
use crate::sys::watch::{self, Change, Changes, Names};

/// The end of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// COMMAND ended with this status in the last attempt; a success is 0.
    Status(u8),
    /// It is not there, and it is not known how it ended.
    Unknown,
}

/// The interval between scans if changes are reported, and if they are not.
const RESCAN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_secs(1);

/// The names of all messages that wait or are claimed.
pub fn pending(spool: &Spool) -> Result<Vec<Encoded>, Errno> {
    let mut names = Vec::new();
    for found in scan::messages(spool, Part::Ready)? {
        if let Found::Message(entry, _) = found? {
            names.push(entry.name);
        }
    }
    Ok(names)
}

/// Waits until none of these messages waits or is claimed; returns how each ended.
///
/// The spool is scanned when the last of them may be done, and not for each.
pub fn wait(
    spool: &Spool,
    names: &[&str],
    deadline: Deadline,
) -> Result<Waited<Vec<Ending>>, Errno> {
    let events = match watch::is_remote(spool.path()) {
        true => None,
        false => removals(spool).ok(),
    };
    let interval = if events.is_some() { RESCAN } else { POLL };
    let wanted: BTreeSet<&str> = names.iter().copied().collect();
    loop {
        let mut left = waiting(spool, &wanted)?;
        if left.is_empty() {
            return Ok(Waited::Done(endings(spool, names)?));
        }
        let rescan = Deadline::after(interval);
        while !left.is_empty() && !rescan.has_passed() {
            let fds: Vec<_> = events.iter().map(AsFd::as_fd).collect();
            let _: Waited = poll::any_readable(&fds, deadline.min(rescan))?;
            if deadline.has_passed() {
                return Ok(Waited::TimedOut);
            }
            for change in events.iter().flat_map(Names::take) {
                match change {
                    Change::Of(file) => {
                        let gone = Entry::parse(file.as_bytes());
                        if let Some(gone) = gone {
                            left.remove(&gone.name);
                        }
                    }
                    Change::Unknown => left.clear(),
                }
            }
        }
    }
}

fn removals(spool: &Spool) -> Result<Names, Errno> {
    let names = Names::new()?;
    names.add(&spool.path().join(Part::Ready.name()), Changes::Disappears)?;
    Ok(names)
}

fn waiting(spool: &Spool, wanted: &BTreeSet<&str>) -> Result<BTreeSet<Encoded>, Errno> {
    let mut left = BTreeSet::new();
    for found in scan::messages(spool, Part::Ready)? {
        match found? {
            Found::Message(entry, _) if wanted.contains(&*entry.name) => {
                left.insert(entry.name);
            }
            _ => {}
        }
    }
    Ok(left)
}

fn endings(spool: &Spool, names: &[&str]) -> Result<Vec<Ending>, Errno> {
    let known = history::statuses(spool, names)?;
    let mut failed = BTreeSet::new();
    for found in scan::messages(spool, Part::Failed)? {
        if let Found::Message(entry, _) = found? {
            failed.insert(entry.name);
        }
    }
    let ending = |(name, status): (&&str, Option<u8>)| match status {
        // The record may be of an earlier message of that name, or have been removed.
        _ if failed.contains(*name) => Ending::Status(status.filter(|&s| s != 0).unwrap_or(1)),
        Some(status) => Ending::Status(status),
        None => Ending::Unknown,
    };
    Ok(names.iter().zip(known).map(ending).collect())
}
