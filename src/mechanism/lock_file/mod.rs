//! Lock files: the existence of the file is the lock, and the contents name the owner, so that a lock file
//! whose owner has ended can be broken.
//!
//! A lock file is linked when it is complete, so no process reads an incomplete one. A process that breaks
//! a lock file has a flock on the very file whose contents it has read, and checks the path once it has the
//! flock: if two processes find the same owner ended, the second one finds the path gone, or leading to the
//! lock of another owner. A lock file is never broken if its owner is uncertain: other contents, an owner
//! in another PID namespace, or on another machine.
//!
//! Locks of the kernel and lock files respect each other: [`locked`] acquires the former on files that may
//! be the latter.

pub mod locked;
mod opened;
mod owner;

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use nix::unistd::fsync;

pub use self::opened::FLOCK;
pub use self::owner::{Content, Fate, Owner};

use self::opened::{Contents, OpenedLockFile};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::mechanism::lock;
use crate::mechanism::new_file::NewFile;

/// Why a lock file was not acquired or released.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// Any error of the kernel without a variant of its own.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// The owner has it already, so the wait would not end.
    #[error("owned by process {0} already")]
    AlreadyOwned(i32),
    /// Another process that runs owns it.
    #[error("owned by process {0}, not by {1}")]
    OtherOwner(i32, i32),
    /// An owner whose state is uncertain has it.
    #[error("owned by {}, not by {requested}", owner.description())]
    Foreign {
        /// The owner.
        owner: ForeignOwner,
        /// The process that should own it.
        requested: i32,
    },
    /// Its owner has ended, and another process has locked it.
    #[error("locked by another process")]
    Locked,
    /// It is empty, as the lock of a program that writes nothing may be.
    #[error("empty, so not a lock file")]
    Empty,
    /// Its contents name no owner.
    #[error("not a lock file: it names no owner")]
    Unreadable,
}

impl From<nix::errno::Errno> for Error {
    fn from(errno: nix::errno::Errno) -> Self {
        Self::Kernel(errno.into())
    }
}

/// An owner whose state is uncertain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ForeignOwner(Fate, i32);

impl ForeignOwner {
    /// A description for users.
    pub fn description(self) -> String {
        match self {
            Self(Fate::InAnotherNamespace, _) => "a process of another PID namespace".to_owned(),
            Self(Fate::OnAnotherMachine, _) => "a process of another machine".to_owned(),
            Self(_, pid) => format!("a process that had process ID {pid}"),
        }
    }
}

/// The owner of a lock file that may run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CurrentOwner {
    /// The process ID of the owner, or an owner whose state is uncertain.
    pub process: Result<i32, ForeignOwner>,
    /// The time when it acquired the lock file, in seconds since 1970.
    pub since: i64,
}

/// How long an empty file may stay empty: its creator may be about to write to it or to lock it.
const GRACE: Duration = Duration::from_secs(1);

/// The same for a deadline that is sooner.
const SHORT_GRACE: Duration = Duration::from_millis(100);

/// Acquires a lock file for `owner`, waiting until `deadline` for the current owner. Calls
/// `before_waiting` before the first wait, with the current owner.
///
/// # Errors
/// [`Error::Empty`] and [`Error::Unreadable`] for other files; [`Error::AlreadyOwned`].
pub fn acquire(
    path: &OsStr,
    owner: &Owner,
    content: Content,
    deadline: Deadline,
    before_waiting: impl FnOnce(Option<CurrentOwner>),
) -> Result<Waited, Error> {
    let new = NewFile::holding(Path::new(path), 0o600, owner.content(content).as_bytes())?;
    if content == Content::PidOnly {
        opened::record(new.file(), owner);
    }
    fsync(new.file())?;
    let mut before_waiting = Some(before_waiting);
    let mut empty_until = None;
    loop {
        match new.link() {
            Err(Errno(libc::EEXIST)) => {}
            linked => return Ok(linked.map(Waited::Done)?),
        }
        let Some(file) = OpenedLockFile::open(path)? else { continue };
        let obstacle = obstacle(&file, path, owner, content)?;
        match (obstacle, empty_until) {
            (Obstacle::None, _) => continue,
            (Obstacle::Empty, None) => empty_until = Some(grace(deadline)),
            (Obstacle::Empty, Some(until)) if until.has_passed() => return Err(Error::Empty),
            (Obstacle::Empty, _) => {}
            _ if deadline.has_passed() => return Ok(Waited::TimedOut),
            _ => {
                empty_until = None;
                if let Some(tell) = before_waiting.take() {
                    tell(file.current_owner_of(content)?);
                }
            }
        }
        file.wait(path, obstacle, deadline)?;
    }
}

/// The reason why a lock file cannot be acquired now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Obstacle {
    /// There is none any more.
    None,
    /// Its owner, which runs or whose state is uncertain.
    Owner,
    /// A lock of the kernel, on a file whose owner does not run.
    Lock,
    /// The file is empty and not locked.
    Empty,
}

/// Determines the obstacle; breaks a lock file whose owner has ended.
fn obstacle(
    file: &OpenedLockFile,
    path: &OsStr,
    owner: &Owner,
    content: Content,
) -> Result<Obstacle, Error> {
    let holder = match &file.contents {
        Contents::Owner(holder) => holder,
        Contents::Empty if lock::is_locked(path).map_err(|error| error.errno())? => {
            return Ok(Obstacle::Lock);
        }
        Contents::Empty => return Ok(Obstacle::Empty),
        Contents::Other => return Err(Error::Unreadable),
    };
    let fate = |holder: &Owner| holder.fate_for(owner, content);
    match fate(holder)? {
        Fate::Alive | Fate::Unknown if holder.is(owner) => Err(Error::AlreadyOwned(owner.pid)),
        Fate::Gone => Ok(match file.break_stale(path, fate, Deadline::PASSED)? {
            Waited::Done(()) => Obstacle::None,
            Waited::TimedOut => Obstacle::Lock,
        }),
        _ => Ok(Obstacle::Owner),
    }
}

/// The moment until which a file may be empty.
fn grace(deadline: Deadline) -> Deadline {
    let left = deadline.remaining().unwrap_or(GRACE);
    Deadline::after(left.clamp(SHORT_GRACE, GRACE))
}

/// Releases a lock file of `owner`, or one whose owner has ended.
///
/// # Errors
/// ENOENT if there is none; [`Error::OtherOwner`] and [`Error::Foreign`]; [`Error::Locked`].
pub fn release(path: &OsStr, owner: &Owner, content: Content) -> Result<(), Error> {
    let file = OpenedLockFile::open(path)?.ok_or(Errno(libc::ENOENT))?;
    let holder = match &file.contents {
        Contents::Owner(holder) => holder,
        Contents::Empty => return Err(Error::Empty),
        Contents::Other => return Err(Error::Unreadable),
    };
    if holder.is(owner) {
        return file.remove(path);
    }
    match holder.fate(content)? {
        // Another process that checks the owner has it locked for a moment.
        Fate::Gone => {
            match file.break_stale(path, |holder| holder.fate(content), Deadline::after(GRACE))? {
                Waited::Done(()) => Ok(()),
                Waited::TimedOut => Err(Error::Locked),
            }
        }
        Fate::Alive => Err(Error::OtherOwner(holder.pid, owner.pid)),
        fate => Err(Error::Foreign { owner: ForeignOwner(fate, holder.pid), requested: owner.pid }),
    }
}

/// Removes a lock file of any owner.
///
/// # Errors
/// ENOENT if there is none.
pub fn force_release(path: &OsStr) -> Result<(), Error> {
    OpenedLockFile::open(path)?.ok_or(Errno(libc::ENOENT))?.remove(path)
}

/// The owner of a lock file or pidfile, and the time of the last change in seconds since 1970; `None` if
/// it names none.
///
/// # Errors
/// ENOENT if there is none.
pub fn owner(path: &OsStr) -> Result<Option<(Owner, i64)>, Error> {
    let file = OpenedLockFile::open(path)?.ok_or(Errno(libc::ENOENT))?;
    let changed = file.changed()?;
    match file.contents {
        Contents::Owner(owner) => Ok(Some((owner, changed))),
        Contents::Empty | Contents::Other => Ok(None),
    }
}

/// The owner of a lock file that may run; `None` for other files.
///
/// # Errors
/// EACCES if the file may be a lock file and cannot be read.
pub fn current_owner(path: &OsStr, content: Content) -> Result<Option<CurrentOwner>, Error> {
    match OpenedLockFile::open_followed(path)? {
        Some(file) => Ok(file.current_owner(content)?),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> Owner {
        Owner::now(std::process::id() as i32).unwrap()
    }

    /// An earlier process with the same process ID.
    fn dead() -> Owner {
        let start = me().start().unwrap();
        let content = me().content(Content::Full);
        let earlier = content.replace(&format!("start {start}"), &format!("start {}", start + 1));
        Owner::parse(earlier.as_bytes()).unwrap()
    }

    #[test]
    fn a_stale_lock_file_is_broken_and_another_is_respected() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let path = path.as_os_str();
        let dead = dead();
        let acquire = |owner: &Owner| acquire(path, owner, Content::Full, Deadline::PASSED, |_| ());
        let release = |owner: &Owner| release(path, owner, Content::Full);
        assert_eq!(acquire(&dead), Ok(Waited::Done(())));
        assert_eq!(acquire(&me()), Ok(Waited::Done(())));
        assert_eq!(acquire(&me()), Err(Error::AlreadyOwned(me().pid)));
        assert_eq!(acquire(&dead), Ok(Waited::TimedOut));
        assert_eq!(release(&dead), Err(Error::OtherOwner(me().pid, me().pid)));
        assert_eq!(release(&me()), Ok(()));
        assert_eq!(release(&me()), Err(Errno(libc::ENOENT).into()));
    }

    #[test]
    fn releasing_breaks_a_lock_file_that_acquiring_would_break() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let path = path.as_os_str();
        for content in [Content::Full, Content::PidOnly] {
            let owner = if content == Content::Full { dead() } else { ended() };
            std::fs::write(path, owner.content(content)).unwrap();
            assert_eq!(release(path, &me(), content), Ok(()));
        }
        let ended = ended();
        std::fs::write(path, ended.content(Content::PidOnly)).unwrap();
        let stranger = ForeignOwner(Fate::Unknown, ended.pid);
        let refused = Error::Foreign { owner: stranger, requested: me().pid };
        assert_eq!(release(path, &me(), Content::Full), Err(refused));
    }

    /// A process that has ended.
    fn ended() -> Owner {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        Owner::parse(format!("{}\n", child.id()).as_bytes()).unwrap()
    }
}
