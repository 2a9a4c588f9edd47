//! Files that people and programs drop into any directory.
//!
//! A file is ready when no process writes it: the kernel refuses a read lease on a file that is open
//! for writing. A user who may have no lease on the file waits until it has not changed for a while.
//! A claim is a lock on the inode, as in a spool.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::dir::Dir;
use nix::errno::Errno as Reason;
use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::sys::stat::{FileStat, Mode, fstat, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::put::WHOLE;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::eventfd::Bell;
use crate::sys::inode;
use crate::sys::lease::{self, Lease};
use crate::sys::poll;
use crate::sys::regular_file::HARMLESS;
use crate::sys::watch::{self, Changes, Names};

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
    /// The files that may be ready, the next one last.
    queue: Vec<OsString>,
    /// The versions that are done, or have failed.
    handled: HashMap<OsString, Version>,
    /// The versions that were seen while they might be written, and the end of the wait for each.
    settling: HashMap<OsString, (Version, Deadline)>,
    next_scan: Option<Deadline>,
    rings: bool,
    unreadable: HashMap<OsString, bool>,
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
        if self.watch.as_ref().is_some_and(|watch| !watch.take().is_empty())
            || state.next_scan.is_none_or(Deadline::has_passed)
        {
            self.scan(&mut state)?;
        }
        let mut claimed = None;
        while let (None, Some(name)) = (&claimed, state.queue.pop()) {
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
        let until = self.state().next_scan.unwrap_or(Deadline::PASSED).min(deadline);
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
        // The change of a file that has changed meanwhile was an event of a claimed file.
        state.next_scan = Some(Deadline::PASSED);
        claim.release()
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

    fn scan(&self, state: &mut State) -> Result<(), Errno> {
        let interval = if self.watch.is_some() { RESCAN } else { POLL };
        state.next_scan = Some(Deadline::after(interval));
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let mut found = Vec::new();
        for entry in Dir::openat(&self.root, ".", flags, Mode::empty())?.iter() {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            // Editors and copying programs give such names to files that are not complete.
            if name.as_bytes().starts_with(b".") {
                continue;
            }
            let Ok(status) = self.status(name) else { continue };
            if inode::is_regular(&status) {
                found.push((Version::of(&status), name.to_owned()));
            }
        }
        let there: HashSet<&OsString> = found.iter().map(|(_, name)| name).collect();
        state.handled.retain(|name, _| there.contains(name));
        state.settling.retain(|name, _| there.contains(name));
        found.retain(|(version, name)| state.handled.get(name) != Some(version));
        found.sort_by(|(a, name), (b, other)| (b.written, other).cmp(&(a.written, name)));
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
            state.look_again(LOOK);
            return Ok(None);
        }
        let is_there = self.status(&name).is_ok_and(|other| Version::of(&other) == version);
        if !is_there || !self.is_complete(state, &name, &lock, version) {
            state.look_again(LOOK);
            return Ok(None);
        }
        state.settling.remove(&name);
        Ok(Some(Claim { name, attempts: 0, lock, version }))
    }

    /// Whether no process writes a file.
    fn is_complete(
        &self,
        state: &mut State,
        name: &OsStr,
        file: &OwnedFd,
        version: Version,
    ) -> bool {
        match lease::read(file) {
            Ok(Lease::Granted) => return true,
            Ok(Lease::Refused) => return false,
            // This user may have no lease here.
            Err(_) => {}
        }
        match state.settling.get(name) {
            Some((before, until)) if *before == version => {
                let until = *until;
                state.look_again(until.remaining().unwrap_or(LOOK));
                until.has_passed()
            }
            _ => {
                let until = Deadline::after(self.policy.settle);
                state.settling.insert(name.to_owned(), (version, until));
                state.look_again(self.policy.settle);
                false
            }
        }
    }
}

impl State {
    fn look_again(&mut self, after: Duration) {
        let look = Deadline::after(after);
        self.next_scan = Some(self.next_scan.unwrap_or(Deadline::NEVER).min(look));
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
