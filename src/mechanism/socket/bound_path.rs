//! Binding a Unix socket to a path: the path never exists without a listener, and of two servers that
//! start at the same time one gets it.
//!
//! All steps happen under a lock file beside the path. A stream socket is bound in a temporary
//! directory, as `./NAME`, which is what getpeername(2) shows, and listens before it gets the name
//! that clients know. A datagram socket, which needs no listen(2), is bound to the path itself, so
//! that the receivers of its messages can answer them. An existing path is replaced only if no
//! process has the socket open. The holder of the lock removes the temporary directory of a server
//! that was killed, as only a holder creates one.
//!
//! At its end a server removes the path while its socket is still open, so that no other server takes
//! the path over in that moment, and only if the path still leads to its socket. A fatal signal
//! removes it as well.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::socket::UnixAddr;
use nix::sys::stat::FileStat;

use super::lock_file::LockFile;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::units::OwnerIds;
use crate::sys::cleanup::{self, Registered, Undo};
use crate::sys::directory::Directory;
use crate::sys::inode::{is_same, is_socket};
use crate::sys::signal::Blocked;
use crate::sys::socket::SocketType;
use crate::sys::socket::{self, Socket};

/// Why a socket cannot be bound to a path.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// An error of the kernel; EADDRINUSE if a process has the socket at the path open.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// The path leads to another kind of file, which is never removed.
    #[error("exists and is not a socket")]
    NotASocket,
    /// A file that is needed beside the path exists, and is not one that this user created.
    #[error("not created by ipc for this user")]
    Beside(Helper),
    /// The path cannot get its owner.
    #[error("the owner cannot be changed: {0}")]
    Owner(Errno),
    /// Another server holds the lock file, and is stopped.
    #[error("another server is stuck starting on this path")]
    Contended,
}

/// The permissions and the owner with which a path appears.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Attributes {
    /// The permissions.
    pub mode: u32,
    /// The owner, if it is another than this process.
    pub owner: Option<OwnerIds>,
}

/// A file beside the path that exists while a socket is bound to it.
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

    /// A hidden name beside `name`, with only the beginning of a long one, as the result has to be a
    /// valid name. Two servers that share a lock only wait for each other.
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

/// The limit for a wait for another server that starts, which takes a moment.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// A path that leads to a socket of this process. Dropping it removes the path, if it still does, and
/// so does a fatal signal.
#[derive(Debug)]
pub struct BoundPath(Registered<Bound>);

/// A name in a directory, and the socket that got it.
#[derive(Debug)]
struct Bound {
    directory: Directory,
    name: OsString,
    file: FileStat,
    /// Whether the path is removed with this value: not if another process has the socket.
    is_owned: AtomicBool,
}

impl BoundPath {
    /// Binds a socket to this path, with exactly these permissions and this owner; `listen` prepares the
    /// bound socket for clients before the path appears.
    ///
    /// # Errors
    /// EADDRINUSE if a process has the socket at the path open; [`Error::Owner`].
    pub fn bind(
        path: &Path,
        socket: &Socket,
        attributes: Attributes,
        listen: impl FnOnce() -> Result<(), Errno>,
    ) -> Result<Self, Error> {
        // A fatal signal finds the path either not bound yet, or registered.
        let _blocked = Blocked::new(cleanup::signals());
        let (directory, name) = Directory::of(path)?;
        let Waited::Done(held) = lock(&directory, &name)? else { return Err(Error::Contended) };
        remove_left_over(&directory, &name);
        let direct = directory.short_address(&name).filter(|_| attributes.owner.is_none());
        let file = match direct.filter(|_| socket.kind() == Some(SocketType::Dgram)) {
            Some(address) => {
                bind_in_place(&directory, &name, || socket.bind_path(&address, attributes.mode))?;
                directory.status(&name)?
            }
            None => {
                let temporary = Temporary::bind(&directory, &name, socket, attributes.mode)?;
                if let Some(owner) = attributes.owner {
                    temporary.inside.set_owner(&temporary.socket, owner).map_err(Error::Owner)?;
                }
                listen()?;
                temporary.publish(&name)?
            }
        };
        drop(held);
        let bound = Bound { directory, name, file, is_owned: AtomicBool::new(true) };
        Ok(Self(Registered::new(bound)?))
    }

    /// Removes the path, unless another process still has the socket open, which was handed to it.
    /// This process has closed it.
    pub fn remove_unless_open(self) {
        // No other server takes the path over meanwhile.
        let _lock = lock(&self.0.directory, &self.0.name);
        if is_dead(&self.0.directory, &self.0.name) == Ok(false) {
            self.0.is_owned.store(false, Ordering::Relaxed);
        }
    }
}

impl Drop for BoundPath {
    fn drop(&mut self) {
        self.0.undo();
    }
}

impl Undo for Bound {
    /// Removes the path, if it still leads to this socket. A signal may interrupt the drop at any point,
    /// so the handler does it once more.
    fn undo(&self) {
        let is_owned = self.is_owned.load(Ordering::Relaxed);
        let now = || self.directory.status(&self.name);
        if is_owned && now().is_ok_and(|now| is_same(&now, &self.file)) {
            // A path that cannot be removed is one without a listener, which the next server replaces.
            let _ = self.directory.unlink(&self.name);
        }
    }
}

/// Binds a datagram socket to its path.
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
    /// Creates the directory, and binds the socket in it. The caller holds the lock.
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
            // The process may not enter its working directory, and so could not return to it.
            Err(_) => socket.bind_path(&temporary.inside.address(name)?, mode)?,
        }
        Ok(temporary)
    }

    /// Gives the socket its real name. The caller holds the lock.
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
        // A rename has removed the name already.
        let _ = self.inside.unlink(&self.socket);
        let _ = self.parent.remove(&self.own);
    }
}

/// Removes the temporary directory of a server that was killed. The caller holds the lock, so no other
/// server uses it. If it cannot be removed, creating the directory fails.
fn remove_left_over(directory: &Directory, name: &OsStr) {
    let own = Helper::Directory.name(name);
    if let Ok(inside) = directory.inner(&own)
        && inside.remove_sockets().is_ok()
    {
        let _ = directory.remove(&own);
    }
}

/// Keeps other servers from binding to the name.
fn lock<'a>(directory: &'a Directory, name: &OsStr) -> Result<Waited<LockFile<'a>>, Error> {
    let own = Helper::Lock.name(name);
    match LockFile::acquire(directory, own.clone(), Deadline::after(LOCK_TIMEOUT)) {
        Ok(waited) => Ok(waited),
        // Without the file, the error is one of the directory.
        Err(errno) if directory.status(&own).is_err() => Err(errno.into()),
        Err(_) => Err(Error::Beside(Helper::Lock)),
    }
}

/// Whether a name leads to a socket that no process has open.
fn is_dead(directory: &Directory, name: &OsStr) -> Result<bool, Error> {
    if !is_socket(&directory.status(name)?) {
        return Err(Error::NotASocket);
    }
    let (address, _held) = socket::path_address(&directory.path(name))?;
    Ok(!socket::is_alive(&address)?)
}
