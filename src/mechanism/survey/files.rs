//! Files that no table has: FIFOs that are open, and the operands of the user.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::stat::{FileStat, SFlag, lstat};

use super::object::{By, Kind, Object, Request, State, Thing, Use};
use super::posix::fill_queue;
use super::uses::Uses;
use crate::base::errno::Errno;
use crate::mechanism::lock_file;
use crate::mechanism::lock_file::{Content, Fate};
use crate::mechanism::queue::named::RingName;
use crate::mechanism::queue::ring::Ring;
use crate::mechanism::socket::bound_path;
use crate::mechanism::spool::directory::Spool;
use crate::mechanism::spool::list;
use crate::sys::inode::kind;
use crate::sys::regular_file::{self, Links};
use crate::sys::socket;

/// The FIFOs that processes have open.
pub(super) fn fifos(request: &Request, uses: &Uses) -> Vec<Object> {
    if !request.wants(Kind::Fifo) {
        return Vec::new();
    }
    let of_fifo = |(path, status): &(PathBuf, FileStat)| {
        Object::new(Kind::Fifo, path).with_file(status).with_holders(|thing| uses.of(thing))
    };
    uses.fifos().iter().map(of_fifo).collect()
}

/// The objects at paths that the user gave; of a directory those that are directly in it. Those that are known
/// are left out.
pub(super) fn given(
    request: &Request,
    uses: &Uses,
    known: &[Object],
    refused: &mut Vec<(PathBuf, Errno)>,
) -> Vec<Object> {
    let mut found = Vec::new();
    for path in &request.paths {
        match in_place(path, uses) {
            Ok(objects) => found.extend(objects),
            Err(errno) => refused.push((path.clone(), errno)),
        }
    }
    if found.is_empty() {
        return found;
    }
    let known: BTreeSet<Thing> =
        known.iter().filter_map(|object| object.file.or(object.thing)).collect();
    found.retain(|object| {
        request.wants(object.kind) && !object.thing.is_some_and(|thing| known.contains(&thing))
    });
    found
}

fn in_place(path: &Path, uses: &Uses) -> Result<Vec<Object>, Errno> {
    let status = lstat(path)?;
    let is_directory = kind(&status) == SFlag::S_IFDIR;
    match at(path, &status, uses)? {
        Some(object) => return Ok(vec![object]),
        None if is_directory => {}
        // A file of another kind.
        None => return Err(Errno(libc::EINVAL)),
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        // A file may be removed meanwhile, or be unreadable.
        let Ok(status) = lstat(&path) else { continue };
        found.extend(at(&path, &status, uses).ok().flatten());
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// The object at a path; `None` for a file of another kind.
fn at(path: &Path, status: &FileStat, uses: &Uses) -> Result<Option<Object>, Errno> {
    match kind(status) {
        SFlag::S_IFSOCK => of_socket(path, status),
        SFlag::S_IFIFO => Ok(Some(
            Object::new(Kind::Fifo, path).with_file(status).with_holders(|thing| uses.of(thing)),
        )),
        SFlag::S_IFREG => of_file(path, status, uses),
        SFlag::S_IFDIR => Ok(of_temporary(path, status).or_else(|| of_spool(path, status))),
        _ => Ok(None),
    }
}

/// A path whose socket no process has open. Another path is in the table of sockets, or belongs to
/// another network namespace.
fn of_socket(path: &Path, status: &FileStat) -> Result<Option<Object>, Errno> {
    const NO_SOCKET: &str = "socket path without a listener";
    let mut object = Object::new(Kind::Sock, path).with_file(status);
    let (address, _held) = socket::path_address(path)?;
    object.state = match socket::is_alive(&address) {
        Ok(false) => State::Dead(NO_SOCKET),
        Ok(true) | Err(_) => State::Held,
    };
    object.detail = if object.state == State::Held { "in use" } else { "no socket" }.to_owned();
    Ok(Some(object))
}

/// The directory in which a killed server was about to make its socket.
fn of_temporary(path: &Path, status: &FileStat) -> Option<Object> {
    bound_path::temporary_of(path.file_name()?)?;
    let mut object = Object::new(Kind::Sock, path).with_file(status);
    object.detail = "temporary".to_owned();
    if bound_path::is_left_over(path) == Ok(true) {
        object.state = State::Dead("temporary directory of a server that was killed");
    }
    Some(object)
}

/// A directory that is a spool. The workers of its messages hold locks, and the spool no descriptor.
fn of_spool(path: &Path, status: &FileStat) -> Option<Object> {
    let counts = list::count(&Spool::open(path).ok()?).ok()?;
    let mut object = Object::new(Kind::Spool, path).with_file(status);
    object.count = Some(counts.ready + counts.claimed + counts.delayed + counts.failed);
    object.detail = format!("{} claimed, {} failed", counts.claimed, counts.failed);
    object.state = if counts.claimed > 0 { State::Held } else { State::Idle };
    Some(object)
}

/// The size up to which a file may be a lock file.
const LOCK_FILE_MAX: i64 = 4096;

fn of_file(path: &Path, status: &FileStat, uses: &Uses) -> Result<Option<Object>, Errno> {
    if (1..=LOCK_FILE_MAX).contains(&status.st_size)
        && let Some(object) = of_lock_file(path, status)
    {
        return Ok(Some(object));
    }
    let opened = regular_file::open(path, nix::fcntl::OFlag::O_RDONLY, Links::Refused);
    let is_ring = opened.is_ok_and(|(file, _)| Ring::is_in(&file) == Ok(true));
    if !is_ring {
        return Ok(None);
    }
    let mut object =
        Object::new(Kind::Queue, path).with_file(status).with_holders(|thing| uses.of(thing));
    fill_queue(&mut object, &RingName::File(path.to_owned().into()));
    Ok(Some(object))
}

fn of_lock_file(path: &Path, status: &FileStat) -> Option<Object> {
    let (owner, _) = lock_file::owner(path.as_os_str()).ok()??;
    let fate = owner.fate(Content::Full).ok()?;
    let mut object = Object::new(Kind::LockFile, path).with_file(status);
    let pid = owner.pid;
    (object.state, object.detail) = match fate {
        Fate::Gone => {
            (State::Dead("lock file whose owner has ended"), format!("process {pid} has ended"))
        }
        Fate::Alive => (State::Held, format!("process {pid}")),
        Fate::InAnotherNamespace => {
            (State::Held, format!("process {pid} of another PID namespace"))
        }
        Fate::OnAnotherMachine => (State::Held, format!("process {pid} of another machine")),
        Fate::Unknown => (State::Held, format!("process {pid}, which may have ended")),
    };
    if fate == Fate::Alive {
        object.holders = vec![Use { pid, by: By::Ownership }];
    }
    Some(object)
}
