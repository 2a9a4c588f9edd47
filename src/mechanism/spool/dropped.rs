//! Files that people and programs drop into any directory.
//!
//! A file is ready when no process writes it: the kernel refuses a read lease on a file that is open
//! for writing. A user who may have no lease on the file waits until it has not changed for a while.
//! A claim is a lock on the inode, as in a spool.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::errno::Errno as Reason;
use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::sys::stat::{FileStat, Mode, fstat, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::files::WHOLE;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::eventfd::Bell;
use crate::sys::inode;
use crate::sys::lease::{self, Lease};
use crate::sys::names as directory;
use crate::sys::poll;
use crate::sys::regular_file::HARMLESS;
use crate::sys::watch::{self, Change, Changes, Names};

/// The files of a directory that a worker takes.
#[derive(Debug)]
pub struct Dropped {
    root: OwnedFd,
    path: PathBuf,
    policy: Policy,
    watch: Option<Names>,
    /// Rings while there is more than one thread can take.
    more: Bell,
    state: Mutex<State>,
}

/// The conditions of a worker.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How long a file must be unchanged, if its writers cannot be seen.
    pub settle: Duration,
    /// What becomes of a file that is done.
    pub after: After,
}

/// What becomes of a file whose COMMAND has succeeded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum After {
    /// It is removed, unless it has changed meanwhile.
    Remove,
    /// It stays, and is taken again when it has changed.
    Stay,
}

/// What a file is like: if it changes, there is work again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Version {
    device: u64,
    inode: u64,
    size: i64,
    written: (i64, i64),
}

#[derive(Debug, Default)]
struct State {
    /// The files that may be ready, in their order.
    queue: VecDeque<OsString>,
    /// Those that were not, each with the time of the next look.
    later: BTreeMap<OsString, Deadline>,
    /// The versions that are done, or have failed.
    handled: BTreeMap<OsString, Version>,
    /// The versions that were seen while they might be written, and the end of the wait for each.
    settling: BTreeMap<OsString, (Version, Deadline)>,
    next_scan: Option<Deadline>,
    rings: bool,
    unreadable: BTreeMap<OsString, bool>,
}

/// A claimed file.
#[derive(Debug)]
pub struct Claim {
    /// Its name.
    pub name: OsString,
    /// The number of COMMANDs that were started for it.
    pub attempts: u32,
    lock: OwnedFd,
    version: Version,
}

/// The interval between scans if changes are reported, and if they are not.
const RESCAN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_secs(1);

/// The interval between looks at a file that is being written, or has a claim.
const LOOK: Duration = Duration::from_millis(500);

impl Dropped {
    /// The files of a directory.
    ///
    /// # Errors
    /// ENOENT and ENOTDIR if there is no such directory.
    pub fn new(path: &Path, policy: Policy) -> Result<Self, Errno> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let root = open(path, flags, Mode::empty())?;
        let watch = match watch::is_remote(path) {
            true => None,
            false => watched(path).ok(),
        };
        let (path, more, state) = (path.to_owned(), Bell::new()?, Mutex::default());
        Ok(Self { root, path, policy, watch, more, state })
    }

    /// The path of a file.
    pub fn path_of(&self, name: &OsStr) -> PathBuf {
        self.path.join(name)
    }

    /// Claims the next file, without waiting.
    pub fn claim(&self) -> Result<Option<Claim>, Errno> {
        let mut state = self.state();
        self.take_changes(&mut state);
        if state.next_scan.is_none_or(Deadline::has_passed) {
            self.scan(&mut state)?;
        }
        state.take_later();
        let mut claimed = None;
        while let (None, Some(name)) = (&claimed, state.queue.pop_front()) {
            claimed = self.attempt(&mut state, name)?;
        }
        let has_more = !state.queue.is_empty();
        if std::mem::replace(&mut state.rings, has_more) != has_more {
            if has_more { self.more.ring() } else { self.more.reset() }
        }
        Ok(claimed)
    }

    /// The files that this user may not read and that were not returned before.
    pub fn unreadable(&self) -> Vec<OsString> {
        let mut state = self.state();
        let new = state.unreadable.iter_mut().filter(|(_, reported)| !**reported);
        new.map(|(name, reported)| {
            *reported = true;
            name.clone()
        })
        .collect()
    }

    /// Waits until there may be a file; it may return earlier.
    pub fn wait(&self, stop: &Bell, deadline: Deadline) -> Result<Waited, Errno> {
        let until = self.state().next_look().min(deadline);
        let mut fds = vec![stop.as_fd(), self.more.as_fd()];
        fds.extend(self.watch.as_ref().map(AsFd::as_fd));
        poll::any_readable(&fds, until)
    }

    /// The file, from its beginning.
    pub fn input(&self, claim: &Claim) -> Result<OwnedFd, Errno> {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | HARMLESS;
        Ok(openat(&self.root, claim.name.as_os_str(), flags, Mode::empty())?)
    }

    /// COMMAND has succeeded.
    pub fn acknowledge(&self, claim: &Claim) -> Result<(), Errno> {
        if self.policy.after == After::Remove && self.is_unchanged(claim) {
            match unlinkat(&self.root, claim.name.as_os_str(), UnlinkatFlags::NoRemoveDir) {
                Err(Reason::ENOENT) => {}
                removed => removed?,
            }
            return claim.release();
        }
        self.leave(claim)
    }

    /// The file stays, and is not taken again before it has changed.
    pub fn leave(&self, claim: &Claim) -> Result<(), Errno> {
        let mut state = self.state();
        state.handled.insert(claim.name.clone(), claim.version);
        claim.release()?;
        // The change of a file that has changed meanwhile was an event of a claimed file.
        state.queue.push_back(claim.name.clone());
        Ok(())
    }

    fn is_unchanged(&self, claim: &Claim) -> bool {
        self.status(&claim.name).is_ok_and(|status| Version::of(&status) == claim.version)
    }

    fn status(&self, name: &OsStr) -> Result<FileStat, Errno> {
        Ok(fstatat(&self.root, name, AtFlags::AT_SYMLINK_NOFOLLOW)?)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the files of which there are events. A scan for each event would make many files slow.
    fn take_changes(&self, state: &mut State) {
        for change in self.watch.iter().flat_map(Names::take) {
            match change {
                Change::Of(name) if !is_hidden(&name) => state.queue.push_back(name),
                Change::Of(_) => {}
                Change::Unknown => state.next_scan = None,
            }
        }
    }

    fn scan(&self, state: &mut State) -> Result<(), Errno> {
        let interval = if self.watch.is_some() { RESCAN } else { POLL };
        state.next_scan = Some(Deadline::after(interval));
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut found = Vec::new();
        let directory = openat(&self.root, ".", flags, Mode::empty())?;
        let mut names = directory::Names::of(directory);
        while let Some(name) = names.read()? {
            let name = OsStr::from_bytes(name.bytes);
            if is_hidden(name) {
                continue;
            }
            let Ok(status) = self.status(name) else { continue };
            if inode::is_regular(&status) {
                found.push((Version::of(&status), name.to_owned()));
            }
        }
        let there: BTreeSet<&OsString> = found.iter().map(|(_, name)| name).collect();
        state.handled.retain(|name, _| there.contains(name));
        state.settling.retain(|name, _| there.contains(name));
        state.unreadable.retain(|name, _| there.contains(name));
        state.later.clear();
        found.retain(|(version, name)| state.handled.get(name) != Some(version));
        found.sort_by(|(a, name), (b, other)| (a.written, name).cmp(&(b.written, other)));
        state.queue = found.into_iter().map(|(_, name)| name).collect();
        Ok(())
    }

    fn attempt(&self, state: &mut State, name: OsString) -> Result<Option<Claim>, Errno> {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | HARMLESS;
        let lock = match openat(&self.root, name.as_os_str(), flags, Mode::empty()) {
            Ok(lock) => lock,
            Err(Reason::ENOENT | Reason::ELOOP | Reason::ENXIO) => return Ok(None),
            Err(Reason::EACCES | Reason::EPERM) => {
                state.unreadable.entry(name).or_insert(false);
                return Ok(None);
            }
            Err(errno) => return Err(errno.into()),
        };
        let status = fstat(&lock)?;
        let version = Version::of(&status);
        if !inode::is_regular(&status) || state.handled.get(&name) == Some(&version) {
            return Ok(None);
        }
        if WHOLE.wait(&lock, Deadline::PASSED)? == Waited::TimedOut {
            state.look_again(&name, LOOK);
            return Ok(None);
        }
        let is_there = self.status(&name).is_ok_and(|other| Version::of(&other) == version);
        if !is_there {
            state.look_again(&name, LOOK);
            return Ok(None);
        }
        if let Some(look) = self.wait_until_complete(state, &name, &lock, version) {
            state.look_again(&name, look);
            return Ok(None);
        }
        state.settling.remove(&name);
        Ok(Some(Claim { name, attempts: 0, lock, version }))
    }

    /// When to look again at a file that a process may be writing; `None` if none is.
    fn wait_until_complete(
        &self,
        state: &mut State,
        name: &OsStr,
        file: &OwnedFd,
        version: Version,
    ) -> Option<Duration> {
        match lease::read(file) {
            Ok(Lease::Granted) => return None,
            Ok(Lease::Refused) => return Some(LOOK),
            // This user may have no lease here.
            Err(_) => {}
        }
        match state.settling.get(name) {
            Some((before, until)) if *before == version => {
                (!until.has_passed()).then(|| until.remaining().unwrap_or(RESCAN))
            }
            _ => {
                let until = Deadline::after(self.policy.settle);
                state.settling.insert(name.to_owned(), (version, until));
                Some(self.policy.settle)
            }
        }
    }
}

/// Editors and copying programs give such names to files that are not complete.
fn is_hidden(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b".")
}

impl State {
    fn look_again(&mut self, name: &OsStr, after: Duration) {
        self.later.insert(name.to_owned(), Deadline::after(after));
    }

    /// Adds the files that are to be looked at again now.
    fn take_later(&mut self) {
        let queue = &mut self.queue;
        self.later.retain(|name, look| {
            let waits = !look.has_passed();
            if !waits {
                queue.push_back(name.clone());
            }
            waits
        });
    }

    fn next_look(&self) -> Deadline {
        let scan = self.next_scan.unwrap_or(Deadline::PASSED);
        self.later.values().fold(scan, |first, look| first.min(*look))
    }
}

impl Version {
    fn of(status: &FileStat) -> Self {
        Self {
            device: status.st_dev,
            inode: status.st_ino,
            size: status.st_size,
            written: (status.st_mtime, status.st_mtime_nsec),
        }
    }
}

impl Claim {
    /// The lock alone.
    pub fn lock(&self) -> BorrowedFd<'_> {
        self.lock.as_fd()
    }

    /// A number that the file and its version have.
    pub fn identity(&self) -> u64 {
        self.version.inode ^ self.version.written.1 as u64
    }

    /// Ends the claim, also if children of COMMAND have inherited it.
    pub fn release(&self) -> Result<(), Errno> {
        WHOLE.release(&self.lock)
    }
}

fn watched(path: &Path) -> Result<Names, Errno> {
    let names = Names::new()?;
    names.add(path, Changes::AppearsOrIsWritten)?;
    Ok(names)
}
