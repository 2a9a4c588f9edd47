//! The messages of a spool for the threads of a worker: batches, changes, pauses and rescans.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::batch::{Batch, FIRST, LIMIT, Scan};
use super::claim::{Attempt, Claim, FOREIGN_NAME};
use super::clean;
use super::directory::Spool;
use super::encoded::Encoded;
use super::entry::Entry;
use super::failure::Report;
use super::files::WHOLE;
use super::history::Keep;
use super::name::MessageName;
use super::part::Part;
use super::scan::{self, Found};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::eventfd::Bell;
use crate::sys::watch::{self, Change, Changes, Names};
use crate::sys::{poll, time};

/// The messages that workers take from a spool.
#[derive(Debug)]
pub struct Feed {
    /// The spool.
    pub spool: Spool,
    policy: Policy,
    /// `None` where inotify(7) does not work.
    watch: Option<Names>,
    /// Rings while the batch has messages that another thread of the worker can take.
    more: Bell,
    state: Mutex<State>,
}

/// The conditions of a worker.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How long the names of messages that are done are kept.
    pub keep: Keep,
    /// The number of starts after which a message is not started again.
    pub attempts: Option<u32>,
}

#[derive(Debug)]
struct State {
    batch: Batch,
    /// The number of messages of the next scan.
    limit: usize,
    /// The files that this process has renamed, whose events it has not read.
    own: BTreeSet<OsString>,
    next_scan: Deadline,
    next_cleaning: Deadline,
    /// The messages that were reported as unreadable.
    unreadable: BTreeSet<Encoded>,
    /// Whether it was reported that ends cannot be recorded.
    is_unrecorded: bool,
    notices: Vec<Notice>,
    rings: bool,
}

/// An event that the user of a worker should know of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Notice {
    /// This user may not read a message, which stays.
    Unreadable(MessageName),
    /// A file went to the quarantine, for this reason.
    Quarantined(OsString, &'static str),
    /// COMMAND was started as often as allowed for a message, and its end is not known.
    Exhausted(MessageName),
    /// It cannot be recorded how messages end, for this reason.
    Unrecorded(Errno),
}

/// The interval between scans if changes are reported.
const RESCAN: Duration = Duration::from_secs(30);

/// The interval between scans if they are not, and between looks at the clock.
const POLL: Duration = Duration::from_secs(1);

/// The interval between removals of what is old.
const CLEANING: Duration = Duration::from_secs(3600);

/// The maximum number of messages that are remembered as unreadable.
const UNREADABLE: usize = 4096;

impl State {
    /// Reports once that ends cannot be recorded, if there is an error.
    fn note_unrecorded(&mut self, error: Option<Errno>) {
        if let Some(errno) = error
            && !std::mem::replace(&mut self.is_unrecorded, true)
        {
            self.notices.push(Notice::Unrecorded(errno));
        }
    }
}

impl Feed {
    /// The messages of a spool.
    ///
    /// # Errors
    /// EMFILE if no descriptor is left.
    pub fn new(spool: Spool, policy: Policy) -> Result<Self, Errno> {
        let watch = match watch::is_remote(spool.path()) {
            true => None,
            false => watched(spool.path()).ok(),
        };
        let state = State {
            batch: Batch::default(),
            limit: FIRST,
            own: BTreeSet::new(),
            next_scan: Deadline::PASSED,
            next_cleaning: Deadline::PASSED,
            unreadable: BTreeSet::new(),
            is_unrecorded: false,
            notices: Vec::new(),
            rings: false,
        };
        Ok(Self { spool, policy, watch, more: Bell::new()?, state: Mutex::new(state) })
    }

    /// Claims the next message, without waiting; `None` if there is none, or the spool is paused.
    pub fn claim(&self) -> Result<Option<Claim>, Errno> {
        let mut state = self.state();
        let claimed = self.claim_from(&mut state);
        let has_more = state.batch.has_ready();
        if std::mem::replace(&mut state.rings, has_more) != has_more {
            if has_more { self.more.ring() } else { self.more.reset() }
        }
        claimed
    }

    /// The events since the last call.
    pub fn notices(&self) -> Vec<Notice> {
        std::mem::take(&mut self.state().notices)
    }

    /// Counts one more attempt for a claimed message, durably.
    pub fn begin(&self, claim: &mut Claim) -> Result<u32, Errno> {
        if self.watch.is_some() {
            self.state().own.insert(claim.entry.begun().file().into());
        }
        claim.begin(&self.spool)
    }

    /// Removes a message that is done.
    pub fn acknowledge(&self, claim: Claim) -> Result<(), Errno> {
        let unrecorded = claim.acknowledge(&self.spool, self.policy.keep)?;
        self.state().note_unrecorded(unrecorded);
        Ok(())
    }

    /// Moves a message to the failed ones.
    pub fn fail(&self, claim: Claim, report: &Report) -> Result<(), Errno> {
        let unrecorded = claim.fail(&self.spool, report, self.policy.keep)?;
        self.state().note_unrecorded(unrecorded);
        Ok(())
    }

    /// An empty log for the output of the COMMAND of a message. It is locked: it stays for as long as
    /// it is written.
    pub fn log(&self, claim: &Claim) -> Result<OwnedFd, Errno> {
        let log = self.spool.replace(Part::Logs, &claim.entry.name)?;
        let _: Waited = WHOLE.wait(&log, Deadline::PASSED)?;
        Ok(log)
    }

    /// Waits until there may be a message, until `stop` rings or `deadline` has passed; it may
    /// return earlier.
    pub fn wait(&self, stop: &Bell, deadline: Deadline) -> Result<Waited, Errno> {
        let until = {
            let state = self.state();
            let due = state.batch.first_due().map_or(Deadline::NEVER, |due| {
                // The time of day may be set meanwhile.
                Deadline::after(Duration::from_nanos(due.saturating_sub(time::now())).min(POLL))
            });
            deadline.min(state.next_scan).min(state.batch.next_look()).min(due)
        };
        let mut fds = vec![stop.as_fd(), self.more.as_fd()];
        fds.extend(self.watch.as_ref().map(AsFd::as_fd));
        poll::any_readable(&fds, until)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn claim_from(&self, state: &mut State) -> Result<Option<Claim>, Errno> {
        self.take_changes(state);
        if state.next_cleaning.has_passed() {
            state.next_cleaning = Deadline::after(CLEANING);
            clean::clean(&self.spool)?;
            self.policy.keep.prune(&self.spool)?;
        }
        if self.spool.is_paused() {
            // The end of the pause is an event, where events are reported.
            state.next_scan = Deadline::after(self.interval());
            state.batch = Batch::default();
            return Ok(None);
        }
        loop {
            state.batch.advance(time::now());
            if state.batch.is_partial() || state.next_scan.has_passed() && !state.batch.has_ready()
            {
                self.scan(state)?;
            }
            let Some(entry) = state.batch.next() else { return Ok(None) };
            if let Some(claim) = self.attempt(state, entry)? {
                return Ok(Some(claim));
            }
        }
    }

    fn attempt(&self, state: &mut State, entry: Entry) -> Result<Option<Claim>, Errno> {
        match Claim::attempt(&self.spool, &entry)? {
            Attempt::Claimed(claim) => return self.unless_exhausted(state, claim),
            Attempt::Busy => state.batch.put_aside(entry),
            Attempt::Gone => {}
            Attempt::Unreadable => {
                if state.unreadable.len() < UNREADABLE
                    && state.unreadable.insert(entry.name.clone())
                {
                    state.notices.push(Notice::Unreadable(entry.message_name()));
                }
            }
            Attempt::Impossible(reason) => {
                self.quarantine(state, OsStr::new(&entry.file()), reason)?;
            }
        }
        Ok(None)
    }

    fn unless_exhausted(&self, state: &mut State, claim: Claim) -> Result<Option<Claim>, Errno> {
        let attempts = claim.entry.attempts;
        if self.policy.attempts.is_none_or(|most| attempts < most) {
            return Ok(Some(claim));
        }
        let reason = format!("COMMAND was started {attempts} times, the last end is not known");
        let name = claim.entry.message_name();
        let report = Report { status: EXHAUSTED, reason, stderr: Vec::new() };
        state.note_unrecorded(claim.fail(&self.spool, &report, self.policy.keep)?);
        state.notices.push(Notice::Exhausted(name));
        Ok(None)
    }

    fn interval(&self) -> Duration {
        if self.watch.is_some() { RESCAN } else { POLL }
    }

    fn scan(&self, state: &mut State) -> Result<(), Errno> {
        state.next_scan = Deadline::after(self.interval());
        let limit = std::mem::replace(&mut state.limit, LIMIT);
        let mut messages = Scan::of(limit, time::now());
        let mut foreign = Vec::new();
        for found in scan::messages(&self.spool, Part::Ready)? {
            match found? {
                Found::Message(entry, _) => messages.offer(entry),
                Found::Foreign(name) => foreign.push(name),
            }
        }
        state.batch = messages.finish();
        foreign.iter().try_for_each(|name| self.quarantine(state, name, FOREIGN_NAME))
    }

    fn quarantine(
        &self,
        state: &mut State,
        file: &OsStr,
        reason: &'static str,
    ) -> Result<(), Errno> {
        match self.spool.quarantine(Part::Ready, file, reason) {
            Ok(()) => state.notices.push(Notice::Quarantined(file.to_owned(), reason)),
            // Another worker has moved it; or this user may not, and it stays.
            Err(Errno(libc::ENOENT | libc::EACCES | libc::EPERM)) => {}
            Err(errno) => return Err(errno),
        }
        Ok(())
    }

    /// Adds the messages that have appeared.
    fn take_changes(&self, state: &mut State) {
        let Some(watch) = &self.watch else { return };
        let now = time::now();
        for change in watch.take() {
            let Change::Of(name) = change else {
                state.next_scan = Deadline::PASSED;
                state.batch = Batch::default();
                state.own.clear();
                continue;
            };
            match Entry::parse(name.as_bytes()) {
                _ if state.own.remove(&name) => {}
                Some(entry) => state.batch.offer(entry, now),
                None => state.next_scan = Deadline::PASSED,
            }
        }
    }
}

/// The status of a message whose COMMAND was started too often: that of a COMMAND that was killed.
const EXHAUSTED: u8 = 137;

fn watched(path: &Path) -> Result<Names, Errno> {
    let names = Names::new()?;
    names.add(&path.join(Part::Ready.name()), Changes::Appears)?;
    names.add(path, Changes::Disappears)?;
    Ok(names)
}
