//! Lock files: the file is the lock, and says whose it is, so that one whose owner has died is
//! found out and broken.
//!
//! A lock file is linked when it is complete, so nobody ever reads half of one. To remove one
//! takes a flock on the very file that was judged, and another look at the path once the flock is
//! there: of two who find the same dead owner, the second finds the path gone, or leading to the
//! lock of somebody who lives. What cannot be judged is never broken: content that is not ours, an
//! owner in another PID namespace, or on another machine.
//!
//! Locks of the kernel and lock files respect each other: [`locked`] takes the former on files that
//! may be the latter.

mod judged;
pub mod locked;
mod owner;

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use nix::unistd::fsync;

pub use self::judged::FLOCK;
pub use self::owner::{Content, Fate, Owner};

use self::judged::{Found, Judged};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::mechanism::new_file::NewFile;
use crate::sys::lock_table;

/// Why a lock file is not taken or dropped.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// It is one's own already, and waiting for it would never end.
    #[error("taken by process {0} already")]
    TakenAlready(i32),
    /// It is the lock of a process that lives, not of the one that it was to be dropped for.
    #[error("the lock of process {0}, not of {1}")]
    SomebodyElses(i32, i32),
    /// It is the lock of a process that cannot be judged from here.
    #[error("the lock of {}, not of {asked}", owner.description())]
    Foreign {
        /// Its owner.
        owner: Stranger,
        /// The process that it was to be dropped for.
        asked: i32,
    },
    /// Its owner has ended, and somebody has locked it meanwhile.
    #[error("locked by another process")]
    Locked,
    /// It is empty, and so perhaps the lock of a program that writes nothing.
    #[error("empty, and so no lock file")]
    Empty,
    /// It does not say whose it is.
    #[error("not a lock file of ours: it does not say whose it is")]
    Unreadable,
}

impl From<nix::errno::Errno> for Error {
    fn from(errno: nix::errno::Errno) -> Self {
        Self::Kernel(errno.into())
    }
}

/// An owner whose number means nothing here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stranger(Fate, i32);

impl Stranger {
    /// What can be said of it.
    pub fn description(self) -> String {
        match self {
            Self(Fate::InAnotherNamespace, _) => "a process of another PID namespace".to_owned(),
            Self(Fate::OnAnotherMachine, _) => "a process of another machine".to_owned(),
            Self(_, pid) => format!("a process that was numbered {pid}"),
        }
    }
}

/// A lock file that is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Taken {
    /// By whom: the number of a process that has it, or what else is known of the owner.
    pub by: Result<i32, Stranger>,
    /// Since when, in seconds since 1970.
    pub since: i64,
}

/// How long an empty file may take to become a lock file, or a locked one: who made it may be about
/// to write to it, or to lock it.
const GRACE: Duration = Duration::from_secs(1);

/// The same where there is no time to wait that long.
const SHORT_GRACE: Duration = Duration::from_millis(100);

/// Takes a lock file for its owner, waiting until `deadline` for the process that has it. Before
/// the first wait, `before_waiting` is called with what is known of the owner.
///
/// # Errors
/// [`Error::Empty`] and [`Error::Unreadable`] for what is no lock file; [`Error::TakenAlready`].
pub fn take(
    path: &OsStr,
    owner: &Owner,
    content: Content,
    deadline: Deadline,
    before_waiting: impl FnOnce(Option<Taken>),
) -> Result<Waited, Error> {
    let new = NewFile::holding(Path::new(path), 0o600, owner.content(content).as_bytes())?;
    fsync(new.file())?;
    let mut before_waiting = Some(before_waiting);
    let mut empty_until = None;
    loop {
        match new.link() {
            Err(Errno(libc::EEXIST)) => {}
            linked => return Ok(linked.map(Waited::Done)?),
        }
        let Some(judged) = Judged::open(path)? else { continue };
        let obstacle = obstacle(&judged, path, owner, content)?;
        match (obstacle, empty_until) {
            (Obstacle::None, _) => continue,
            (Obstacle::NotYet, None) => empty_until = Some(grace(deadline)),
            (Obstacle::NotYet, Some(until)) if until.has_passed() => return Err(Error::Empty),
            (Obstacle::NotYet, _) => {}
            _ if deadline.has_passed() => return Ok(Waited::TimedOut),
            _ => {
                empty_until = None;
                if let Some(tell) = before_waiting.take() {
                    tell(judged.whose(content)?);
                }
            }
        }
        judged.wait(path, obstacle, deadline)?;
    }
}

/// What keeps a lock file from being taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Obstacle {
    /// Nothing any more.
    None,
    /// Its owner, which lives or cannot be judged.
    Owner,
    /// A lock of the kernel, on a file without a living owner.
    Lock,
    /// The file is empty and not locked.
    NotYet,
}

/// Finds out what keeps a lock file from being taken, and breaks one of a dead owner.
fn obstacle(
    judged: &Judged,
    path: &OsStr,
    owner: &Owner,
    content: Content,
) -> Result<Obstacle, Error> {
    let holder = match &judged.found {
        Found::Owner(holder) => holder,
        Found::Nothing if lock_table::is_locked(path).map_err(|error| error.errno())? => {
            return Ok(Obstacle::Lock);
        }
        Found::Nothing => return Ok(Obstacle::NotYet),
        Found::Anything => return Err(Error::Unreadable),
    };
    if holder.is(owner) {
        return Err(Error::TakenAlready(owner.pid));
    }
    match holder.fate(content)? {
        Fate::Gone => Ok(match judged.break_stale(path, content, Deadline::PASSED)? {
            Waited::Done(()) => Obstacle::None,
            Waited::TimedOut => Obstacle::Lock,
        }),
        _ => Ok(Obstacle::Owner),
    }
}

/// Until when an empty file is given time.
fn grace(deadline: Deadline) -> Deadline {
    let left = deadline.remaining().unwrap_or(GRACE);
    Deadline::after(left.clamp(SHORT_GRACE, GRACE))
}

/// Drops a lock file of its owner's, or one whose owner has ended.
///
/// # Errors
/// ENOENT if there is none; [`Error::SomebodyElses`] and [`Error::Foreign`]; [`Error::Locked`].
pub fn release(path: &OsStr, owner: &Owner, content: Content) -> Result<(), Error> {
    let judged = Judged::open(path)?.ok_or(Errno(libc::ENOENT))?;
    let holder = match &judged.found {
        Found::Owner(holder) => holder,
        Found::Nothing => return Err(Error::Empty),
        Found::Anything => return Err(Error::Unreadable),
    };
    if holder.is(owner) {
        return judged.remove(path);
    }
    match holder.fate(content)? {
        // Others who judge the file have it locked for a moment.
        Fate::Gone => match judged.break_stale(path, content, Deadline::after(GRACE))? {
            Waited::Done(()) => Ok(()),
            Waited::TimedOut => Err(Error::Locked),
        },
        Fate::Alive => Err(Error::SomebodyElses(holder.pid, owner.pid)),
        fate => Err(Error::Foreign { owner: Stranger(fate, holder.pid), asked: owner.pid }),
    }
}

/// Drops a lock file, whoever has it.
///
/// # Errors
/// ENOENT if there is none.
pub fn release_any(path: &OsStr) -> Result<(), Error> {
    Judged::open(path)?.ok_or(Errno(libc::ENOENT))?.remove(path)
}

/// Whose a lock file is, or a pidfile; `None` if it does not say.
///
/// # Errors
/// ENOENT if there is none.
pub fn owner(path: &OsStr) -> Result<Option<Owner>, Error> {
    match Judged::open(path)?.ok_or(Errno(libc::ENOENT))?.found {
        Found::Owner(owner) => Ok(Some(owner)),
        Found::Nothing | Found::Anything => Ok(None),
    }
}

/// By whom a lock file is taken; `None` if it is not, or no lock file.
///
/// # Errors
/// EACCES where that cannot be known.
pub fn taken(path: &OsStr, content: Content) -> Result<Option<Taken>, Error> {
    match Judged::open_followed(path)? {
        Some(judged) => Ok(judged.taken(content)?),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> Owner {
        Owner::now(std::process::id() as i32).unwrap()
    }

    /// One that had our number before us.
    fn dead() -> Owner {
        let start = me().start().unwrap();
        let content = me().content(Content::Full);
        let earlier = content.replace(&format!("start {start}"), &format!("start {}", start + 1));
        Owner::parse(earlier.as_bytes()).unwrap()
    }

    #[test]
    fn a_stale_lock_is_broken_and_a_live_one_is_respected() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let path = path.as_os_str();
        let dead = dead();
        let take = |owner: &Owner| take(path, owner, Content::Full, Deadline::PASSED, |_| ());
        let release = |owner: &Owner| release(path, owner, Content::Full);
        assert_eq!(take(&dead), Ok(Waited::Done(())));
        assert_eq!(take(&me()), Ok(Waited::Done(())));
        assert_eq!(take(&me()), Err(Error::TakenAlready(me().pid)));
        assert_eq!(take(&dead), Ok(Waited::TimedOut));
        assert_eq!(release(&dead), Err(Error::SomebodyElses(me().pid, me().pid)));
        assert_eq!(release(&me()), Ok(()));
        assert_eq!(release(&me()), Err(Errno(libc::ENOENT).into()));
    }

    #[test]
    fn dropping_breaks_what_taking_would_break() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let path = path.as_os_str();
        for content in [Content::Full, Content::PidOnly] {
            let owner = if content == Content::Full { dead() } else { nobody() };
            std::fs::write(path, owner.content(content)).unwrap();
            assert_eq!(release(path, &me(), content), Ok(()));
        }
        let nobody = nobody();
        std::fs::write(path, nobody.content(Content::PidOnly)).unwrap();
        let stranger = Stranger(Fate::Unknown, nobody.pid);
        let refused = Error::Foreign { owner: stranger, asked: me().pid };
        assert_eq!(release(path, &me(), Content::Full), Err(refused));
    }

    /// A number that no process has.
    fn nobody() -> Owner {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        Owner::parse(format!("{}\n", child.id()).as_bytes()).unwrap()
    }
}
