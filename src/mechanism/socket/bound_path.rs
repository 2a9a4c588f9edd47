//! Taking a path for a Unix socket, without a moment in which it is there and nobody listens, and
//! without a race against another who takes the same.
//!
//! All of that is done under a lock file beside the path. A stream socket is bound in a temporary
//! directory, as `./NAME`, which is what getpeername(2) shows, and listens before it gets the name
//! that clients know. A datagram socket, to which nobody connects, is bound to the path itself, so
//! that those who get its messages can answer them. A path that is there already is replaced only if
//! no process has the socket open. What a killed server left beside the path is removed by the next
//! that holds the lock, as only the holder makes such things.
//!
//! At its end a server removes the path while its socket is still open, so that no other takes it over
//! in that moment, and only if the path is still its own; a signal that ends us is no exception.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use nix::sys::socket::UnixAddr;
use nix::sys::stat::FileStat;

use super::lock_file::LockFile;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::sys::directory::Directory;
use crate::sys::inode::{is_same, is_socket};
use crate::sys::signal::{catch, die_of};
use crate::sys::socket::SocketType;
use crate::sys::socket::{self, Socket};

/// Why a path cannot be taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The kernel refused. EADDRINUSE: a process has the socket at the path open.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// Something else is at the path, which is never removed.
    #[error("exists, and is no socket")]
    NotASocket,
    /// What has the name of something that is needed beside the path cannot be used.
    #[error("not made by an ipc of this user")]
    Beside(Helper),
    /// Somebody else is about to take it, and is stopped.
    #[error("another server is starting here, and does not go on")]
    Contended,
}

/// What is needed beside a path while it is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Helper {
    /// The lock file.
    Lock,
    /// The directory in which the socket is bound at first.
    Directory,
}

impl Helper {
    /// Its path, for a socket of this path.
    pub fn path(self, socket: &Path) -> PathBuf {
        socket.with_file_name(self.name(socket.file_name().unwrap_or_default()))
    }

    /// A hidden name beside `name`. Of a long one it has only the beginning, as it has to be a name
    /// itself; two that share a lock only wait for each other.
    fn name(self, name: &OsStr) -> OsString {
        let end = match self {
            Self::Lock => ".lock",
            Self::Directory => ".new",
        };
        OsString::from_vec([b".", beginning(name).as_bytes(), b".ipc", end.as_bytes()].concat())
    }
}

/// The beginning of a name, which fits into a socket address behind the number of a descriptor.
fn beginning(name: &OsStr) -> &OsStr {
    const KEPT: usize = 40;
    let name = name.as_bytes();
    OsStr::from_bytes(&name[..name.len().min(KEPT)])
}

/// For how long to wait for another who is taking the path, which takes no time.
const PATIENCE: Duration = Duration::from_secs(5);

/// A path that leads to a socket of ours. Dropping it removes the path, if it still does.
#[derive(Debug)]
pub struct BoundPath(Arc<Bound>);

/// A name in a directory, and the socket that got it.
#[derive(Debug)]
struct Bound {
    directory: Directory,
    name: OsString,
    file: FileStat,
}

impl BoundPath {
    /// Gives a socket this path, with exactly these permissions; `listen` prepares it for clients
    /// when it is bound and before anybody sees the path.
    ///
    /// # Errors
    /// EADDRINUSE if a process has the socket at the path open.
    pub fn take(
        path: &Path,
        socket: &Socket,
        mode: u32,
        listen: impl FnOnce() -> Result<(), Errno>,
    ) -> Result<Self, Error> {
        let (directory, name) = Directory::of(path)?;
        let Waited::Done(held) = lock(&directory, &name)? else { return Err(Error::Contended) };
        remove_left_over(&directory, &name);
        let direct = directory.short_address(&name);
        let file = match direct.filter(|_| socket.kind() == Some(SocketType::Dgram)) {
            Some(address) => {
                bind_in_place(&directory, &name, || socket.bind_path(&address, mode))?;
                directory.status(&name)?
            }
            None => {
                let temporary = Temporary::bind(&directory, &name, socket, mode)?;
                listen()?;
                temporary.publish(&name)?
            }
        };
        drop(held);
        Ok(Self(Arc::new(Bound { directory, name, file })))
    }

    /// Removes the path unless somebody to whom the socket was given has it open still. Ours is
    /// closed already.
    pub fn leave(self) {
        let Bound { directory, name, .. } = &*Arc::clone(&self.0);
        // Nobody takes it over meanwhile.
        let _lock = lock(directory, name);
        match is_dead(directory, name) {
            // It is theirs now.
            Ok(false) => std::mem::forget(self),
            Ok(true) | Err(_) => drop(self),
        }
    }
}

impl Drop for BoundPath {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl Bound {
    /// Removes the path, if it still leads to this socket. To do so twice does no harm. It only
    /// makes system calls, so that a signal handler may call it.
    fn release(&self) {
        if self.directory.status(&self.name).is_ok_and(|now| is_same(&now, &self.file)) {
            // A path that cannot be removed is dead when we are, which the next one finds out.
            let _ = self.directory.unlink(&self.name);
        }
    }
}

/// The path that a signal removes. A process takes one.
static BOUND: OnceLock<Arc<Bound>> = OnceLock::new();

/// Has these signals remove the path, if there is one, and then end us, whatever we are doing. They
/// are blocked until that is so.
pub fn end_by(signals: impl Iterator<Item = Signal>, binding: Option<&BoundPath>) {
    if let Some(BoundPath(bound)) = binding {
        BOUND.get_or_init(|| Arc::clone(bound));
    }
    for signal in signals {
        catch(signal, end);
    }
}

/// Removes the path when the signal comes, and then ends as it would have ended us.
extern "C" fn end(number: i32) {
    if let Some(bound) = BOUND.get() {
        bound.release();
    }
    if let Some(signal) = Signal::new(number) {
        die_of(signal);
    }
}

/// Binds a socket that has no clients to its path.
fn bind_in_place(
    directory: &Directory,
    name: &OsStr,
    bind: impl Fn() -> Result<(), Errno>,
) -> Result<(), Error> {
    loop {
        match bind() {
            Err(Errno(libc::EADDRINUSE)) => {}
            result => return Ok(result?),
        }
        match is_dead(directory, name) {
            Ok(true) => directory.unlink(name)?,
            Ok(false) => return Err(Errno(libc::EADDRINUSE).into()),
            // It was removed meanwhile.
            Err(Error::Kernel(Errno(libc::ENOENT))) => {}
            Err(error) => return Err(error),
        }
    }
}

/// A directory beside the path, with the socket in it. Dropping it removes both names.
struct Temporary<'a> {
    parent: &'a Directory,
    own: OsString,
    inside: Directory,
    socket: OsString,
}

impl<'a> Temporary<'a> {
    /// Makes the directory, and binds the socket in it. The lock is held.
    fn bind(
        parent: &'a Directory,
        name: &OsStr,
        socket: &Socket,
        mode: u32,
    ) -> Result<Self, Error> {
        let own = Helper::Directory.name(name);
        let inside = match parent.make(&own) {
            Err(Errno(libc::EEXIST)) => return Err(Error::Beside(Helper::Directory)),
            made => made?,
        };
        let (relative, name) = match UnixAddr::new(&Path::new(".").join(name)) {
            Ok(address) => (address, name),
            Err(_) => (
                UnixAddr::new(&Path::new(".").join(beginning(name))).map_err(Errno::from)?,
                beginning(name),
            ),
        };
        let temporary = Self { parent, own, inside, socket: name.to_owned() };
        match temporary.inside.while_inside(|| socket.bind_path(&relative, mode)) {
            Ok(bound) => bound?,
            // The working directory is one that we may not enter, and so cannot return to.
            Err(_) => socket.bind_path(&temporary.inside.address(name)?, mode)?,
        }
        Ok(temporary)
    }

    /// Makes the socket appear under its real name. The lock is held.
    fn publish(self, name: &OsStr) -> Result<FileStat, Error> {
        let Self { parent, inside, socket, .. } = &self;
        let file = inside.status(socket)?;
        loop {
            match inside.link(socket, parent, name) {
                Err(Errno(libc::EEXIST)) => {}
                result => return Ok(result.map(|()| file)?),
            }
            match is_dead(parent, name) {
                Ok(true) => return Ok(inside.rename(socket, parent, name).map(|()| file)?),
                Ok(false) => return Err(Errno(libc::EADDRINUSE).into()),
                // It was removed meanwhile.
                Err(Error::Kernel(Errno(libc::ENOENT))) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        // Where the path was taken over, the name is gone already.
        let _ = self.inside.unlink(&self.socket);
        let _ = self.parent.remove(&self.own);
    }
}

/// Removes the temporary directory of a server that was killed. The lock is held, so no other server
/// uses it. What cannot be removed is found when the directory is to be made.
fn remove_left_over(directory: &Directory, name: &OsStr) {
    let own = Helper::Directory.name(name);
    if let Ok(inside) = directory.inner(&own)
        && inside.remove_sockets().is_ok()
    {
        let _ = directory.remove(&own);
    }
}

/// Keeps others from taking the name.
fn lock<'a>(directory: &'a Directory, name: &OsStr) -> Result<Waited<LockFile<'a>>, Error> {
    let own = Helper::Lock.name(name);
    match LockFile::acquire(directory, own.clone(), Deadline::after(PATIENCE)) {
        Ok(waited) => Ok(waited),
        // The error is the directory's where there is no such file.
        Err(errno) if directory.status(&own).is_err() => Err(errno.into()),
        Err(_) => Err(Error::Beside(Helper::Lock)),
    }
}

/// Whether a name belongs to a socket that no process has open.
fn is_dead(directory: &Directory, name: &OsStr) -> Result<bool, Error> {
    if !is_socket(&directory.status(name)?) {
        return Err(Error::NotASocket);
    }
    let (address, _held) = socket::path_address(&directory.path(name))?;
    Ok(!socket::is_alive(&address)?)
}
