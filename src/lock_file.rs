//! Lock files: the file is the lock, and says whose it is, so that one whose owner has died is
//! found out and broken.
//!
//! A lock file is linked when it is complete, so nobody ever reads half of one. To remove one
//! takes a flock on the very file that was judged, and another look at the path once the flock is
//! there: of two who find the same dead owner, the second finds the path gone, or leading to the
//! lock of somebody who lives. What cannot be judged is never broken: content that is not ours, an
//! owner in another PID namespace, or on another machine.

use std::ffi::OsStr;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use nix::unistd::fsync;

use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;
use crate::sys::lock::{self, Kind, Lock, Mode, Range};
use crate::sys::new_file::NewFile;
use crate::sys::pidfd::Process;
use crate::sys::poll;
use crate::sys::process;
use crate::sys::watch::Watch;

/// Who has a lock file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Owner {
    /// The number of the process.
    pub pid: i32,
    /// Which process of that number; `None` in a file that has only the number.
    identity: Option<Identity>,
}

/// What tells a process from every other that has, had or will have its number.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Identity {
    start: u64,
    boot: String,
    namespace: u64,
    machine: String,
}

/// What is written into a lock file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Content {
    /// The number of the process, and what makes it unmistakable.
    Full,
    /// The number alone, for programs that expect no more. Everybody who uses the file has to be
    /// in one PID namespace, and it counts as owned for as long as there is a process so numbered.
    PidOnly,
}

/// What has become of the owner.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    Alive,
    Gone,
    /// Who knows; the lock is respected.
    Unknown,
}

/// Why a lock file is not taken or dropped.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// It is one's own already, and waiting for it would never end.
    #[error("taken by process {0} already")]
    TakenAlready(i32),
    /// It is not the lock of whom it was to be dropped for.
    #[error("the lock of process {0}, not of {1}")]
    SomebodyElses(i32, i32),
    /// It does not say whose it is.
    #[error("not a lock file of ours: it does not say whose it is")]
    Unreadable,
}

impl From<nix::errno::Errno> for Error {
    fn from(errno: nix::errno::Errno) -> Self {
        Self::Kernel(errno.into())
    }
}

impl Owner {
    /// The process that has this number now.
    ///
    /// # Errors
    /// ESRCH if there is none.
    pub fn now(pid: i32) -> Result<Self, Errno> {
        let identity = Identity {
            start: process::start_time(pid)?,
            boot: process::boot_id()?,
            namespace: process::pid_namespace()?,
            machine: process::machine(),
        };
        Ok(Self { pid, identity: Some(identity) })
    }

    /// When the process was started, where the file says so.
    pub fn start(&self) -> Option<u64> {
        Some(self.identity.as_ref()?.start)
    }

    /// Whether it is known to have ended.
    pub fn is_certainly_gone(&self) -> bool {
        self.fate(Content::Full) == Ok(Fate::Gone)
    }

    fn content(&self, content: Content) -> String {
        let pid = self.pid;
        match &self.identity {
            Some(Identity { start, boot, namespace, machine }) if content == Content::Full => {
                format!("{pid}\nstart {start}\nboot {boot}\npidns {namespace}\nmachine {machine}\n")
            }
            _ => format!("{pid}\n"),
        }
    }

    /// Reads what [`Owner::content`] writes; further lines are somebody's later addition.
    fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok().filter(|text| text.ends_with('\n'))?;
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok().filter(|&pid| pid > 0)?;
        let mut value = |key: &str| lines.next()?.strip_prefix(key)?.strip_prefix(' ');
        let identity = match value("start") {
            None if text.lines().count() == 1 => None,
            start => Some(Identity {
                start: start?.parse().ok()?,
                boot: value("boot")?.to_owned(),
                namespace: value("pidns")?.parse().ok()?,
                machine: value("machine")?.to_owned(),
            }),
        };
        Some(Self { pid, identity })
    }

    /// What has become of it, as far as that can be known for certain.
    fn fate(&self, content: Content) -> Result<Fate, Errno> {
        let Some(identity) = &self.identity else {
            return match content {
                Content::PidOnly => Ok(if exists(self.pid)? { Fate::Alive } else { Fate::Gone }),
                Content::Full => Ok(Fate::Unknown),
            };
        };
        if identity.boot != process::boot_id()? {
            let same = identity.machine == process::machine();
            return Ok(if same { Fate::Gone } else { Fate::Unknown });
        }
        if identity.namespace != process::pid_namespace()? {
            return Ok(Fate::Unknown);
        }
        match process::start_time(self.pid) {
            Ok(start) => Ok(if start == identity.start { Fate::Alive } else { Fate::Gone }),
            Err(Errno(libc::ESRCH)) => {
                Ok(if exists(self.pid)? { Fate::Unknown } else { Fate::Gone })
            }
            Err(_) => Ok(Fate::Unknown),
        }
    }

    fn is(&self, other: &Self) -> bool {
        self.pid == other.pid && (self.identity == other.identity || self.identity.is_none())
    }
}

/// Whether a process of this number runs, even one that `/proc` hides from us.
fn exists(pid: i32) -> Result<bool, Errno> {
    match Process::open(pid) {
        Ok(process) => Ok(process.wait_until_ended(Deadline::PASSED)? == Waited::TimedOut),
        Err(Errno(libc::ESRCH)) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// A lock file that was opened to be judged.
#[derive(Debug)]
struct Judged {
    file: OwnedFd,
    owner: Option<Owner>,
}

impl Judged {
    /// The lock file at a path; `None` if there is none.
    fn open(path: &OsStr) -> Result<Option<Self>, Error> {
        let file = match lock::open_regular(path) {
            Err(lock::Error::Kernel(Errno(libc::ENOENT))) => return Ok(None),
            Err(lock::Error::Kernel(errno)) => return Err(errno.into()),
            Err(_) => return Err(Error::Unreadable),
            Ok(file) => file,
        };
        let owner = read(&file)?;
        Ok(Some(Self { file, owner }))
    }

    /// Removes the file from its path, if the path leads to it still and `agrees` with its owner.
    ///
    /// The flock keeps others from doing the same meanwhile; so nobody else's file can have come
    /// to the path between the look and the removal.
    fn remove(
        &self,
        path: &OsStr,
        deadline: Deadline,
        agrees: impl Fn(Option<&Owner>) -> Result<bool, Errno>,
    ) -> Result<Waited, Error> {
        let whole = Lock { kind: Kind::Flock, mode: Mode::Exclusive, range: Range::default() };
        if whole.wait(&self.file, deadline)? == Waited::TimedOut {
            return Ok(Waited::TimedOut);
        }
        if lock::is_at(path, &self.file)? && agrees(read(&self.file)?.as_ref())? {
            lock::unlink(path)?;
        }
        whole.release(&self.file)?;
        Ok(Waited::Done(()))
    }

    /// Waits until the file is gone or its owner is, or a second has passed: not every file system
    /// tells when a name goes.
    ///
    /// Of an owner whose fate is unknown the number may be that of another process here.
    fn wait(&self, path: &OsStr, fate: Fate, deadline: Deadline) -> Result<(), Errno> {
        const LOOK_AGAIN: Duration = Duration::from_secs(1);
        // There are few watches for each user; without one, the second has to do.
        let watch = Watch::of_names(&self.file).ok();
        if !lock::is_at(path, &self.file)? {
            return Ok(());
        }
        let owner = self.owner.as_ref().filter(|_| fate == Fate::Alive);
        let owner = owner.and_then(|owner| Process::open(owner.pid).ok());
        let fds = watch.iter().map(AsFd::as_fd).chain(owner.iter().map(AsFd::as_fd));
        let fds: Vec<_> = fds.collect();
        let _: Waited = poll::any_readable(&fds, deadline.min(Deadline::after(LOOK_AGAIN)))?;
        Ok(())
    }
}

/// Whose a lock file is; nobody's that we know of, where it is none of ours.
fn read(file: &OwnedFd) -> Result<Option<Owner>, Errno> {
    /// Longer than any of ours.
    const LIMIT: u64 = 4096;
    let mut text = Vec::new();
    let mut file = std::fs::File::from(file.try_clone()?);
    std::io::Seek::rewind(&mut file)?;
    file.take(LIMIT).read_to_end(&mut text)?;
    Ok(Owner::parse(&text))
}

/// Takes a lock file for its owner, waiting until `deadline` for whoever has it.
pub fn take(
    path: &OsStr,
    owner: &Owner,
    content: Content,
    deadline: Deadline,
) -> Result<Waited, Error> {
    let new = NewFile::holding(Path::new(path), 0o600, owner.content(content).as_bytes())?;
    fsync(new.file())?;
    loop {
        match new.link() {
            Err(Errno(libc::EEXIST)) => {}
            linked => return Ok(linked.map(Waited::Done)?),
        }
        let Some(judged) = Judged::open(path)? else { continue };
        let fate = match &judged.owner {
            Some(holder) if holder.is(owner) => return Err(Error::TakenAlready(owner.pid)),
            Some(holder) => holder.fate(content)?,
            None => Fate::Unknown,
        };
        if fate == Fate::Gone {
            let is_gone = |owner: Option<&Owner>| match owner {
                Some(owner) => Ok(owner.fate(content)? == Fate::Gone),
                None => Ok(false),
            };
            if judged.remove(path, deadline, is_gone)? == Waited::Done(()) {
                continue;
            }
        }
        if deadline.has_passed() {
            return Ok(Waited::TimedOut);
        }
        judged.wait(path, fate, deadline)?;
    }
}

/// Drops a lock file of its owner's.
///
/// # Errors
/// ENOENT if there is none; [`Error::SomebodyElses`].
pub fn release(path: &OsStr, owner: &Owner) -> Result<(), Error> {
    let judged = Judged::open(path)?.ok_or(Errno(libc::ENOENT))?;
    match &judged.owner {
        Some(holder) if holder.is(owner) => {}
        Some(holder) => return Err(Error::SomebodyElses(holder.pid, owner.pid)),
        None => return Err(Error::Unreadable),
    }
    remove(path, &judged)
}

/// Drops a lock file, whoever has it.
///
/// # Errors
/// ENOENT if there is none.
pub fn release_any(path: &OsStr) -> Result<(), Error> {
    let judged = Judged::open(path)?.ok_or(Errno(libc::ENOENT))?;
    remove(path, &judged)
}

fn remove(path: &OsStr, judged: &Judged) -> Result<(), Error> {
    // Without a deadline it does not time out.
    judged.remove(path, Deadline::NEVER, |_| Ok(true)).map(|_: Waited| ())
}

/// Whose a lock file is, or a pidfile; `None` if it does not say.
///
/// # Errors
/// ENOENT if there is none.
pub fn owner(path: &OsStr) -> Result<Option<Owner>, Error> {
    Ok(Judged::open(path)?.ok_or(Errno(libc::ENOENT))?.owner)
}

/// Who has a lock file, and since when, in seconds since 1970; `None` if nobody has it.
pub fn holder(path: &OsStr) -> Result<Option<(i32, i64)>, Error> {
    let Some(judged) = Judged::open(path)? else { return Ok(None) };
    let since = lock::status(path)?.st_mtime;
    Ok(judged.owner.map(|owner| (owner.pid, since)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> Owner {
        Owner::now(std::process::id() as i32).unwrap()
    }

    fn changed(change: impl Fn(&mut Identity)) -> Owner {
        let mut owner = me();
        change(owner.identity.as_mut().unwrap());
        owner
    }

    #[test]
    fn an_owner_is_read_back_from_what_is_written() {
        let owner = me();
        assert_eq!(Owner::parse(owner.content(Content::Full).as_bytes()), Some(owner.clone()));
        let short = Owner::parse(owner.content(Content::PidOnly).as_bytes()).unwrap();
        assert_eq!(short, Owner { pid: owner.pid, identity: None });
        assert!(short.is(&owner));
    }

    #[test]
    fn what_nobody_of_us_wrote_has_no_owner() {
        for text in [
            "",
            "\n",
            "0\n",
            "-1\n",
            "x\n",
            "4711",
            "4711\nstart x\n",
            "4711\nstart 5\nboot",
            "4711\nstart 5\nboot x\npidns 1\n",
            "4711\nsomething\n",
        ] {
            assert_eq!(Owner::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Owner::parse(b"\xff\n"), None);
    }

    #[test]
    fn the_fate_of_an_owner_is_only_told_where_it_is_known() {
        let fate = |owner: Owner| owner.fate(Content::Full).unwrap();
        assert_eq!(fate(me()), Fate::Alive);
        assert_eq!(fate(changed(|me| me.start += 1)), Fate::Gone);
        assert_eq!(fate(changed(|me| me.namespace += 1)), Fate::Unknown);
        assert_eq!(fate(changed(|me| me.boot.push('x'))), Fate::Gone);
        let elsewhere = changed(|me| {
            me.boot.push('x');
            me.machine.push('x');
        });
        assert_eq!(fate(elsewhere), Fate::Unknown);
    }

    #[test]
    fn a_bare_number_is_only_judged_where_all_agreed_on_that() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let gone = Owner { pid: child.id() as i32, identity: None };
        assert_eq!(gone.fate(Content::Full), Ok(Fate::Unknown));
        assert_eq!(gone.fate(Content::PidOnly), Ok(Fate::Gone));
        let alive = Owner { identity: None, ..me() };
        assert_eq!(alive.fate(Content::PidOnly), Ok(Fate::Alive));
    }

    #[test]
    fn a_stale_lock_is_broken_and_a_live_one_is_respected() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let path = path.as_os_str();
        let dead = changed(|me| me.start += 1);
        let take = |owner: &Owner| take(path, owner, Content::Full, Deadline::PASSED);
        assert_eq!(take(&dead), Ok(Waited::Done(())));
        assert_eq!(take(&me()), Ok(Waited::Done(())));
        assert_eq!(take(&me()), Err(Error::TakenAlready(me().pid)));
        assert_eq!(take(&dead), Ok(Waited::TimedOut));
        assert_eq!(release(path, &dead), Err(Error::SomebodyElses(me().pid, me().pid)));
        assert_eq!(release(path, &me()), Ok(()));
        assert_eq!(release(path, &me()), Err(Errno(libc::ENOENT).into()));
    }
}
