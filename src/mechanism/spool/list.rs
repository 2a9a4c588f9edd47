//! What is in a spool: messages in their order, a limited number at a time, and counts.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::batch::{FIRST, Scan};
use super::claim::{Attempt, Claim};
use super::directory::Spool;
use super::entry::Entry;
use super::part::Part;
use super::scan::{self, Found};
use crate::base::errno::Errno;
use crate::sys::{lock_table, process, time};

/// The state of a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    /// It waits.
    Ready,
    /// It waits for its time.
    Delayed,
    /// A worker has claimed it; these processes hold the claim, as far as they are visible.
    Claimed(Vec<i32>),
    /// Its last attempt failed.
    Failed,
}

/// The claimed messages, found without a lock: a lock would keep workers away.
#[derive(Debug)]
struct Claims {
    /// The inodes of the files that have a flock.
    locked: BTreeSet<u64>,
    /// Whether the table may leave out locks.
    is_partial: bool,
    /// The processes that hold a flock, by the inode of its file, once a message is claimed: they take a
    /// look at the descriptors of all processes.
    holders: OnceCell<BTreeMap<u64, Vec<i32>>>,
}

impl Claims {
    /// The locks on the machine.
    fn read() -> Self {
        let locked = lock_table::files_with_flock().unwrap_or_default();
        let is_partial = !process::is_first_namespace();
        Self { locked, is_partial, holders: OnceCell::new() }
    }

    /// Whether a message with this inode may be claimed. A claim that the table leaves out has an attempt,
    /// but for the moment before COMMAND starts: many messages that wait are not looked at one by one.
    fn may_have(&self, entry: &Entry, inode: u64) -> bool {
        self.is_partial && entry.attempts > 0 || self.locked.contains(&inode)
    }

    /// Whether a message is claimed. Another file system may have a locked file of the same inode.
    fn have(&self, spool: &Spool, entry: &Entry, inode: u64) -> bool {
        self.may_have(entry, inode) && is_claimed(spool, entry)
    }

    /// The processes that hold the claim of a message.
    fn holders(&self, inode: u64) -> Vec<i32> {
        let holders = self.holders.get_or_init(|| {
            let locks = lock_table::all().unwrap_or_default();
            let flocks = locks.into_iter().filter(|held| held.entry.kind_word() == "flock");
            flocks.map(|held| (held.entry.file.inode(), held.pids)).collect()
        });
        holders.get(&inode).cloned().unwrap_or_default()
    }

    /// The state of a message in the part `Ready`.
    fn state(&self, spool: &Spool, entry: &Entry, inode: u64, now: u64) -> State {
        match entry.is_due(now) {
            _ if self.have(spool, entry, inode) => State::Claimed(self.holders(inode)),
            true => State::Ready,
            false => State::Delayed,
        }
    }
}

/// Whether a claim fails, which it does for a moment if this user may read the message.
fn is_claimed(spool: &Spool, entry: &Entry) -> bool {
    matches!(Claim::attempt(spool, entry), Ok(Attempt::Busy))
}

/// The number of messages that are listed at a time, after the first ones: each time takes a scan.
const AT_ONCE: usize = 64 << 10;

/// Calls `show` with the messages of a part in the order in which they are taken, and their states.
/// Many messages take several scans, and not more memory.
///
/// # Errors
/// Those of `show`, and of the scans.
pub fn each<E: From<Errno>>(
    spool: &Spool,
    part: Part,
    mut show: impl FnMut(Vec<(Entry, State)>) -> Result<(), E>,
) -> Result<(), E> {
    let claims = Claims::read();
    let (mut last, mut limit): (Option<Entry>, _) = (None, FIRST);
    loop {
        // A listing has delayed messages in the order of the others.
        let (mut messages, mut inodes) = (Scan::of(limit, u64::MAX), BTreeMap::new());
        for found in scan::messages(spool, part)? {
            let Found::Message(entry, inode) = found? else { continue };
            if last.as_ref().is_none_or(|last| entry > *last) {
                if claims.may_have(&entry, inode) {
                    inodes.insert(entry.name.clone(), inode);
                }
                messages.offer(entry);
            }
        }
        let now = time::now();
        let state = |entry: &Entry| match part {
            Part::Failed => State::Failed,
            _ => claims.state(spool, entry, inodes.get(&entry.name).copied().unwrap_or(0), now),
        };
        let mut batch = messages.finish();
        let entries = std::iter::from_fn(|| batch.next());
        let listed: Vec<_> = entries.map(|entry| (state(&entry), entry)).collect();
        let Some((_, end)) = listed.last() else { return Ok(()) };
        (last, limit) = (Some(end.clone()), AT_ONCE);
        let is_all = !batch.is_partial();
        show(listed.into_iter().map(|(state, entry)| (entry, state)).collect())?;
        if is_all {
            return Ok(());
        }
    }
}

/// The number of messages in each state, and the age of the oldest.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Those that can be taken.
    pub ready: u64,
    /// Those that wait for their time.
    pub delayed: u64,
    /// Those that workers have claimed.
    pub claimed: u64,
    /// Those whose last attempt failed.
    pub failed: u64,
    /// The files that cannot be messages.
    pub quarantined: u64,
    /// The put of the oldest message that waits or is claimed, in nanoseconds since 1970.
    pub oldest: Option<u64>,
}

/// Counts the messages of a spool, in one scan of each part.
pub fn count(spool: &Spool) -> Result<Counts, Errno> {
    let (claims, now) = (Claims::read(), time::now());
    let mut counts = Counts::default();
    for found in scan::messages(spool, Part::Ready)? {
        let Found::Message(entry, inode) = found? else { continue };
        match entry.is_due(now) {
            _ if claims.have(spool, &entry, inode) => counts.claimed += 1,
            true => counts.ready += 1,
            false => counts.delayed += 1,
        }
        counts.oldest = Some(counts.oldest.map_or(entry.put, |oldest| oldest.min(entry.put)));
    }
    for found in scan::messages(spool, Part::Failed)? {
        counts.failed += u64::from(matches!(found?, Found::Message(..)));
    }
    for reason in scan::files(spool, Part::Quarantine)? {
        counts.quarantined += scan::count_in(spool, Part::Quarantine, &reason?)?;
    }
    Ok(counts)
}
