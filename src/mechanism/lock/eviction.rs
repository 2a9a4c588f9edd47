//! Signals to processes that hold a lock for too long.
//!
//! A process is a holder if its descriptors have the lock: the `lock:` lines of `/proc/PID/fdinfo` belong
//! to the open file description. A holder is identified by its process ID and its start time. A signal
//! goes by a pidfd, which is opened before both are compared once more.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::time::Duration;

use super::{Error, Kind, Lock, Mode, holders};
use crate::base::deadline::Deadline;
use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::sys::lock_table::{self, Entry, Evidence, HeldLock};
use crate::sys::pidfd::Process;
use crate::sys::process;

/// The longest pause between two signals, and between two searches for holders.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
const SEARCH_AGAIN: Duration = Duration::from_secs(1);

/// The shortest pause between two searches.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);

/// The number of searches for processes that a holder forks while it gets a signal.
const ATTEMPTS: usize = 16;

/// The signals for holders, and which holder has got which.
#[derive(Clone, Debug)]
pub struct Eviction {
    /// How long a holder may refuse the lock.
    after: Duration,
    /// The signals, in their order.
    signals: Vec<Signal>,
    holders: BTreeMap<Holder, Progress>,
    /// The end of the time for a holder that is not visible.
    unseen: Option<Deadline>,
}

/// The identity of a process: its process ID and its start time.
type Holder = (i32, u64);

/// How far the signals for a holder have got.
#[derive(Clone, Copy, Debug)]
struct Progress {
    /// When the next one is due.
    due: Deadline,
    /// How many it has got.
    sent: usize,
}

impl Eviction {
    /// These signals for each holder that refuses the lock for longer than `after`.
    pub fn new(after: Duration, signals: Vec<Signal>) -> Self {
        Self { after, signals, holders: BTreeMap::new(), unseen: None }
    }

    /// When to search for holders next.
    pub fn next_search(&self) -> Deadline {
        let pending = self.holders.values().filter(|progress| progress.sent < self.signals.len());
        let dues = pending.map(|progress| progress.due).chain(self.unseen);
        let next = dues.fold(Deadline::after(SEARCH_AGAIN), Deadline::min);
        if next.has_passed() { Deadline::after(SHORTEST_PAUSE) } else { next }
    }

    /// Searches for the holders that refuse the lock, and signals those whose time is over; calls `report`
    /// before each signal.
    ///
    /// # Errors
    /// [`Error::Protected`] and [`Error::Unseen`] instead of a signal.
    pub fn search(
        &mut self,
        path: &OsStr,
        lock: Lock,
        mut report: impl FnMut(i32, Signal),
    ) -> Result<(), Error> {
        let mut known = std::mem::take(&mut self.holders);
        let refusing = refusing(path, lock)?;
        for held in refusing.iter().flatten() {
            let found = identities(held);
            let unknown = Progress { due: self.due(), sent: 0 };
            let progress: Vec<Progress> =
                found.iter().map(|holder| known.remove(holder).unwrap_or(unknown)).collect();
            let sent = progress.iter().map(|progress| progress.sent).max().unwrap_or(0);
            let due = progress.iter().fold(Deadline::NEVER, |due, one| due.min(one.due));
            match self.signals.get(sent).filter(|_| due.has_passed()) {
                Some(&signal) => {
                    let pause = self.after.min(LONGEST_PAUSE);
                    let next = Progress { due: Deadline::after(pause), sent: sent + 1 };
                    let signalled = signal_all(path, lock, held, signal, &mut report)?;
                    self.holders.extend(signalled.into_iter().map(|holder| (holder, next)));
                }
                None => self.holders.extend(found.into_iter().zip(progress)),
            }
        }
        let is_unseen = |held: &HeldLock| held.evidence == Evidence::Table;
        match &refusing {
            Some(held) if !held.iter().any(is_unseen) => self.unseen = None,
            Some(held) => self.wait_for_unseen(|| {
                held.iter().filter(|held| is_unseen(held)).try_for_each(protect)?;
                Err(Error::Unseen)
            })?,
            None => self.wait_for_unseen(|| Err(Error::Unseen))?,
        }
        Ok(())
    }

    /// The end of the time for a holder that refuses the lock from now on.
    pub fn due(&self) -> Deadline {
        Deadline::after(self.after)
    }

    /// Calls `refuse` if a holder that is not visible has refused the lock for too long.
    fn wait_for_unseen(&mut self, refuse: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        let due = self.unseen.unwrap_or_else(|| self.due());
        self.unseen = Some(due);
        if due.has_passed() { refuse() } else { Ok(()) }
    }
}

/// The locks that refuse this one; `None` if `/proc` does not show the processes of this PID namespace.
fn refusing(path: &OsStr, lock: Lock) -> Result<Option<Vec<HeldLock>>, Error> {
    if !process::proc_shows_own_namespace() {
        return Ok(None);
    }
    let mut held = match holders::holders(path, lock.range) {
        // The file was removed meanwhile.
        Err(Error::Kernel(Errno(libc::ENOENT))) => Vec::new(),
        held => held?,
    };
    held.retain(|held| is_refused_by(lock, &held.entry));
    Ok(Some(held))
}

fn is_refused_by(lock: Lock, entry: &Entry) -> bool {
    let is_of_kind = match lock.kind {
        Kind::Flock => entry.kind == "FLOCK",
        Kind::Ofd | Kind::Posix => matches!(entry.kind.as_str(), "OFDLCK" | "POSIX"),
    };
    is_of_kind && (lock.mode == Mode::Exclusive || entry.mode == Mode::Exclusive)
}

/// The processes whose descriptors have the lock.
fn identities(held: &HeldLock) -> Vec<Holder> {
    let identity = |&pid: &i32| Some((pid, process::start_time(pid).ok()?));
    match held.evidence {
        Evidence::Descriptors => held.pids.iter().filter_map(identity).collect(),
        Evidence::Table => Vec::new(),
    }
}

/// Refuses to signal the first process, this process and its ancestors.
fn protect(held: &HeldLock) -> Result<(), Error> {
    const FIRST: i32 = 1;
    let own = std::process::id() as i32;
    let ancestors = process::ancestors(own);
    let is_protected = |pid: &&i32| **pid == FIRST || **pid == own || ancestors.contains(pid);
    // The table of locks leaves this process out.
    let found = held.pids.iter().find(is_protected).copied();
    match found.or(lock_table::holds(own, &held.entry).then_some(own)) {
        Some(pid) => Err(Error::Protected(pid)),
        None => Ok(()),
    }
}

/// Signals all processes that have a lock, and those that they fork meanwhile; returns them.
fn signal_all(
    path: &OsStr,
    lock: Lock,
    held: &HeldLock,
    signal: Signal,
    mut report: impl FnMut(i32, Signal),
) -> Result<Vec<Holder>, Error> {
    let mut signalled = Vec::new();
    let mut held = held.clone();
    for _ in 0..ATTEMPTS {
        protect(&held)?;
        let new: Vec<Holder> =
            identities(&held).into_iter().filter(|holder| !signalled.contains(holder)).collect();
        if new.is_empty() {
            break;
        }
        for holder in new {
            send(holder, &held.entry, signal, &mut report)?;
            signalled.push(holder);
        }
        let again = refusing(path, lock)?.unwrap_or_default();
        let Some(again) = again.into_iter().find(|other| other.entry == held.entry) else { break };
        held = again;
    }
    Ok(signalled)
}

/// Signals a process, if it still is that process and has the lock.
fn send(
    (pid, start): Holder,
    entry: &Entry,
    signal: Signal,
    mut report: impl FnMut(i32, Signal),
) -> Result<(), Error> {
    let process = match Process::open(pid) {
        Err(Errno(libc::ESRCH)) => return Ok(()),
        process => process?,
    };
    if process::start_time(pid) != Ok(start) || !lock_table::holds(pid, entry) {
        return Ok(());
    }
    report(pid, signal);
    let go_on = Some(Signal::CONT).filter(|_| !matches!(signal, Signal::KILL | Signal::STOP));
    // A stopped process acts on other signals only after it continues.
    for signal in [signal].into_iter().chain(go_on) {
        match process.send(Some(signal)) {
            Ok(()) | Err(Errno(libc::ESRCH)) => {}
            Err(Errno(libc::EPERM)) => return Err(Error::NotPermitted(pid)),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}
