//! Taking a path for a Unix socket, without a moment in which it is there and nobody listens, and
//! without a race against another who takes the same.
//!
//! The socket is bound to a name of its own beside the path and listens before it gets the name
//! that clients know. A path that is there already is judged under a lock file beside it, so that
//! two who find the same dead socket do not both replace it: only a socket that no process has
//! open is dead. Whoever ends removes the path while its socket is still open, so that nobody
//! takes it over in that moment, and only if the path is still its own; a signal that ends us is no
//! exception.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use nix::sys::stat::FileStat;

use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;
use crate::signals::Signal;
use crate::sys::directory::{Directory, LockFile};
use crate::sys::inode::{is_same, is_socket};
use crate::sys::signal::{catch, die_of};
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
    /// Somebody else is about to take it, and is stopped.
    #[error("another server is starting here, and does not go on")]
    Contended,
}

/// For how long to wait for another who is taking the path, which takes no time.
const PATIENCE: Duration = Duration::from_secs(5);

/// A path that leads to a socket of ours. Dropping it removes the path, if it still does.
#[derive(Debug)]
pub struct Binding(Arc<Bound>);

/// A name in a directory, and the socket that got it.
#[derive(Debug)]
struct Bound {
    directory: Directory,
    name: OsString,
    file: FileStat,
}

impl Binding {
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
        let temporary = Temporary::bind(&directory, &name, socket, mode)?;
        let file = directory.status(&temporary.name)?;
        listen()?;
        publish(&directory, &temporary.name, &name)?;
        drop(temporary);
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

impl Drop for Binding {
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

/// The path that clients know of a socket which is bound to `bound`, if that is a name of ours
/// beside a path. Whether there is such a path, and it leads to the socket, is for others to see.
pub fn path_of(bound: &Path) -> Option<PathBuf> {
    let name = bound.file_name()?.as_bytes().strip_prefix(b".")?;
    let mark = b".ipc.";
    let end = name.windows(mark.len()).rposition(|window| window == mark)?;
    Some(bound.with_file_name(OsStr::from_bytes(&name[..end])))
}

/// The path that a signal removes. A process takes one.
static BOUND: OnceLock<Arc<Bound>> = OnceLock::new();

/// Has these signals remove the path, if there is one, and then end us, whatever we are doing. They
/// are blocked until that is so.
pub fn end_by(signals: impl Iterator<Item = Signal>, binding: Option<&Binding>) {
    if let Some(Binding(bound)) = binding {
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

/// The name that a socket is bound to at first. Dropping it removes the name.
struct Temporary<'a> {
    directory: &'a Directory,
    name: OsString,
}

impl<'a> Temporary<'a> {
    fn bind(
        directory: &'a Directory,
        name: &OsStr,
        socket: &Socket,
        mode: u32,
    ) -> Result<Self, Errno> {
        // The name stays visible in listings of sockets, so it should remind of the real one.
        let pid = std::process::id();
        for attempt in 0_u32.. {
            let name = beside(name, &format!(".{pid}-{attempt}"));
            match socket.bind_path(&directory.address(&name)?, mode) {
                Ok(()) => return Ok(Self { directory, name }),
                // Left by somebody who had our process ID and was killed at the wrong moment.
                Err(Errno(libc::EADDRINUSE)) if attempt < 1000 => {}
                Err(errno) => return Err(errno),
            }
        }
        Err(Errno(libc::EADDRINUSE))
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        // Where the path was taken over, the name is gone already.
        let _ = self.directory.unlink(&self.name);
    }
}

/// Makes the bound socket appear under its real name.
fn publish(directory: &Directory, temporary: &OsStr, name: &OsStr) -> Result<(), Error> {
    let Waited::Done(_lock) = lock(directory, name)? else { return Err(Error::Contended) };
    loop {
        match directory.link(temporary, name) {
            Err(Errno(libc::EEXIST)) => {}
            result => return Ok(result?),
        }
        match is_dead(directory, name) {
            Ok(true) => return Ok(directory.rename(temporary, name)?),
            Ok(false) => return Err(Errno(libc::EADDRINUSE).into()),
            // It was removed meanwhile.
            Err(Error::Kernel(Errno(libc::ENOENT))) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Keeps others from taking the name.
fn lock<'a>(directory: &'a Directory, name: &OsStr) -> Result<Waited<LockFile<'a>>, Errno> {
    directory.lock(beside(name, ".lock"), Deadline::after(PATIENCE))
}

/// Whether a name belongs to a socket that no process has open.
fn is_dead(directory: &Directory, name: &OsStr) -> Result<bool, Error> {
    if !is_socket(&directory.status(name)?) {
        return Err(Error::NotASocket);
    }
    let (address, _held) = socket::path_address(&directory.path(name))?;
    Ok(!socket::is_alive(&address)?)
}

/// A hidden name beside `name`. Of a long one it has only the beginning, as it has to fit into a
/// socket address behind the number of a descriptor; two that share a lock only wait for each
/// other.
fn beside(name: &OsStr, end: &str) -> OsString {
    const KEPT: usize = 40;
    let name = name.as_bytes();
    let kept = &name[..name.len().min(KEPT)];
    OsString::from_vec([b".", kept, b".ipc", end.as_bytes()].concat())
}
