//! What can be removed, and its removal: only if the object is unused at that moment, as far as the kernel
//! can tell.

use std::os::fd::AsFd;
use std::path::Path;

use nix::fcntl::OFlag;
use nix::sys::stat::{FileStat, fstat};
use nix::unistd::unlink;

use super::object::{Kind, Object, Thing, time_of_use};
use crate::base::deadline::Waited;
use crate::base::errno::Errno;
use crate::base::name::{ObjectName, SemaphoreName};
use crate::mechanism::lock_file;
use crate::mechanism::queue::named::RingName;
use crate::mechanism::semaphore;
use crate::mechanism::semaphore::posix;
use crate::mechanism::semaphore::robust::RobustSemaphore;
use crate::mechanism::socket::bound_path;
use crate::sys::lease::WriteLease;
use crate::sys::mqueue::{self, Access, Queue};
use crate::sys::regular_file::{self, Links};
use crate::sys::system_v::{self, Kind as SystemV};
use crate::sys::{dev_shm, inode};

/// The outcome of a removal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It was removed.
    Removed,
    /// It is in use by now, or is gone, or has changed.
    Kept,
}

impl From<bool> for Outcome {
    fn from(is_removed: bool) -> Self {
        if is_removed { Self::Removed } else { Self::Kept }
    }
}

/// Why an object was not removed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An error of the kernel.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// An error of a lock file.
    #[error(transparent)]
    LockFile(#[from] lock_file::Error),
    /// An error of the path of a socket.
    #[error(transparent)]
    Socket(#[from] bound_path::Error),
    /// An error of a semaphore.
    #[error(transparent)]
    Semaphore(#[from] semaphore::Error),
}

/// The kinds of objects that can have a dead owner: private segments, semaphores with permits, paths of
/// sockets, and lock files.
pub const MAY_BE_DEAD: [Kind; 4] = [Kind::Shm, Kind::Sem, Kind::Sock, Kind::LockFile];

/// Whether an idle object of this kind is removed at all.
pub fn is_persistent(kind: Kind) -> bool {
    matches!(kind, Kind::Shm | Kind::Sem | Kind::Mq | Kind::Queue)
}

/// The number of permits of a POSIX semaphore whose commands have ended.
pub fn abandoned_permits(object: &Object) -> u32 {
    let name = SemaphoreName::new(&object.name).ok().filter(|_| object.kind == Kind::Sem);
    name.and_then(|name| RobustSemaphore::abandoned(&name).ok()).unwrap_or(0)
}

/// Returns the permits of commands that have ended to their semaphore.
///
/// # Errors
/// ENOENT if it was removed meanwhile.
pub fn reclaim(object: &Object) -> Result<Outcome, Error> {
    let Ok(name) = SemaphoreName::new(&object.name) else { return Ok(Outcome::Kept) };
    RobustSemaphore::open(&name)?;
    Ok(Outcome::Removed)
}

/// Removes an object, if it is still as it was seen, and unused.
///
/// # Errors
/// EPERM and EACCES for an object of another user.
pub fn remove(object: &Object) -> Result<Outcome, Error> {
    let result = match (object.kind, object.thing) {
        (Kind::Sock, _) => return remove_socket(Path::new(&object.name)),
        (Kind::LockFile, _) => {
            let removed = lock_file::remove_stale(&object.name)?;
            Ok((removed == Waited::Done(())).into())
        }
        (_, Some(Thing::Segment { id })) => remove_system_v(object, SystemV::Segment, "shm", id),
        (_, Some(Thing::Set { id })) => remove_system_v(object, SystemV::Set, "sem", id),
        (_, Some(Thing::Messages { id })) => remove_system_v(object, SystemV::Queue, "msg", id),
        (Kind::Mq, _) => remove_queue(object),
        (Kind::Shm | Kind::Sem | Kind::Queue, _) => remove_file(object),
        _ => Ok(Outcome::Kept),
    };
    match result {
        Err(Errno(libc::ENOENT)) => Ok(Outcome::Kept),
        result => Ok(result?),
    }
}

fn remove_socket(path: &Path) -> Result<Outcome, Error> {
    let removed = match path.file_name().and_then(bound_path::temporary_of) {
        Some(_) => bound_path::remove_temporary(path),
        None => bound_path::remove_dead(path),
    };
    match removed {
        Err(bound_path::Error::Kernel(Errno(libc::ENOENT))) => Ok(Outcome::Kept),
        removed => Ok(removed?.into()),
    }
}

/// Removes a System V object that no process has used since it was seen. The kernel has no lease of it: a
/// process may attach it between the look and the removal.
fn remove_system_v(object: &Object, kind: SystemV, table: &str, id: i32) -> Result<Outcome, Errno> {
    let row = system_v::row(table, id)?;
    let times = ["atime", "dtime", "otime", "stime", "rtime", "ctime"];
    let used = times.iter().map(|column| row.number(column)).max();
    if used != object.used || row.number("nattch") != 0 {
        return Ok(Outcome::Kept);
    }
    kind.remove(id).map(|()| Outcome::Removed)
}

/// Removes a POSIX message queue that no process has open.
fn remove_queue(object: &Object) -> Result<Outcome, Errno> {
    let name = ObjectName::new(&object.name).map_err(|_| Errno(libc::ENOENT))?;
    let queue = Queue::open(&name, Access::Look)?;
    let status = queue.status()?;
    if !is_as_seen(object, &status, mqueue::time_of_use(&status)) {
        return Ok(Outcome::Kept);
    }
    let Some(lease) = WriteLease::take(queue.as_fd())? else { return Ok(Outcome::Kept) };
    // A queue that has lost its name cannot have it back, and so the name is that of this queue.
    let is_ours = queue.status()?.st_nlink > 0 && lease.is_whole();
    if is_ours {
        Queue::unlink(&name)?;
    }
    Ok(is_ours.into())
}

/// Removes a file that no process has open or mapped.
fn remove_file(object: &Object) -> Result<Outcome, Errno> {
    let Some(path) = path_of(object) else { return Ok(Outcome::Kept) };
    let opened = regular_file::open(&path, OFlag::O_RDONLY, Links::Refused);
    let (file, status) = match opened {
        Ok(opened) => opened,
        Err(regular_file::Error::Kernel(errno)) => return Err(errno),
        Err(regular_file::Error::NotRegular) => return Ok(Outcome::Kept),
    };
    if !is_as_seen(object, &status, time_of_use(&status)) {
        return Ok(Outcome::Kept);
    }
    let Some(lease) = WriteLease::take(file.as_fd())? else { return Ok(Outcome::Kept) };
    let (now, there) = (fstat(&file)?, inode::status_of_link(&path)?);
    let is_as_seen = is_as_seen(object, &now, time_of_use(&now));
    let is_ours = inode::is_same(&now, &there) && is_as_seen && lease.is_whole();
    if is_ours {
        unlink(&path)?;
    }
    Ok(is_ours.into())
}

/// Whether it is the file that was seen, and nothing has used it since.
fn is_as_seen(object: &Object, status: &FileStat, used: i64) -> bool {
    object.thing == Some(Thing::of(status)) && object.used == Some(used)
}

fn path_of(object: &Object) -> Option<std::path::PathBuf> {
    let name = object.name.as_os_str();
    match object.kind {
        Kind::Sem => SemaphoreName::new(name).ok().map(|name| posix::path(&name)),
        Kind::Queue => RingName::new(name).ok().map(|name| name.path()),
        _ => ObjectName::new(name).ok().map(|name| dev_shm::path(name.without_slash())),
    }
}
