//! Whether a process listens at an address, and waiting until one does.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use nix::sys::socket::{AddressFamily, UnixAddr};
use nix::sys::stat::{FileStat, stat};

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::mechanism::socket::address::{Address, Endpoint, HostPort};
use crate::mechanism::socket::connect::connect_once;
use crate::mechanism::socket::{Connecting, Error, abstract_address, resolve_until};
use crate::sys::directory;
use crate::sys::inet_table;
use crate::sys::inode::{is_same, is_socket};
use crate::sys::poll;
use crate::sys::socket::SocketType;
use crate::sys::socket::{self, Socket};
use crate::sys::unix_diag::{self, Entry, State};
use crate::sys::watch::Watch;

/// Waits until a process listens, or has bound a datagram socket there.
///
/// inotify(7) reports a new name in a directory. Nothing reports the listen(2) of another server after
/// its bind(2), or a new name in the abstract namespace, so this looks again, with pauses that grow.
pub fn wait(address: &Address, deadline: Deadline) -> Result<Waited, Error> {
    const FIRST_PAUSE: Duration = Duration::from_millis(1);
    const LAST_PAUSE: Duration = Duration::from_millis(250);
    // A deadline that has passed asks for the state, and the answer of another host is waited for.
    let answer = if deadline.has_passed() { Deadline::after(ANSWER) } else { deadline };
    let mut pause = FIRST_PAUSE;
    let mut watch = None;
    loop {
        // The watch begins before the look, so that no name is missed between the two.
        watch = watch.or_else(|| Watch::of_directory(directory::parent(address.path()?)).ok());
        if is_served(address, answer)? {
            return Ok(Waited::Done(()));
        }
        // The look was after the deadline, or lasted until then.
        if deadline.has_passed() {
            return Ok(Waited::TimedOut);
        }
        let until = deadline.min(Deadline::after(pause));
        let waited = match &watch {
            Some(watch) => watch.wait(until)?,
            None => poll::any(&mut [], until)?,
        };
        pause = match waited {
            Waited::Done(()) => FIRST_PAUSE,
            Waited::TimedOut => LAST_PAUSE.min(pause * 2),
        };
    }
}

/// Whether a process listens at an address, without a connection where that is possible: a server
/// would take it for a client. No answer of another machine before `deadline` is a no.
fn is_served(address: &Address, deadline: Deadline) -> Result<bool, Error> {
    match address.endpoint() {
        Endpoint::Path(path) => is_path_served(path),
        Endpoint::Abstract(name) => match unix_diag::all() {
            Ok(entries) => {
                let named = |entry: &&Entry| entry.abstract_name() == Some(name.as_bytes());
                // The connections of a server have its name as well.
                Ok(entries.iter().filter(named).any(serves))
            }
            Err(_) => answers(&abstract_address(name)?),
        },
        Endpoint::Tcp(at) => match listens_here(at, deadline)? {
            Waited::Done(Some(served)) => Ok(served),
            Waited::Done(None) => accepts(address, deadline),
            Waited::TimedOut => Ok(false),
        },
        Endpoint::Vsock { .. } => accepts(address, deadline),
        Endpoint::Udp(_) => Err(Error::Unsuitable("UDP does not show whether a port has a reader")),
        Endpoint::Descriptor(_) | Endpoint::Named(_) => {
            Err(Error::Unsuitable("a descriptor is already open"))
        }
    }
}

/// The limit for the answer of a host, before the next attempt.
const ANSWER: Duration = Duration::from_secs(3);

/// Whether a connection is accepted.
fn accepts(address: &Address, deadline: Deadline) -> Result<bool, Error> {
    let deadline = deadline.min(Deadline::after(ANSWER));
    match connect_once(address, Connecting::new(SocketType::Stream, deadline)) {
        Ok(Waited::Done(_)) => Ok(true),
        Ok(Waited::TimedOut) | Err(Error::Kernel(Errno(libc::ECONNREFUSED))) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a process of this machine listens at a port, by the kernel's list; `None` where the list
/// cannot answer, as the host is another one.
fn listens_here(at: &HostPort, deadline: Deadline) -> Result<Waited<Option<bool>>, Error> {
    let own = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let Waited::Done(hosts) = resolve_until(at, &own, deadline)? else {
        return Ok(Waited::TimedOut);
    };
    let Ok(entries) = inet_table::tcp() else { return Ok(Waited::Done(None)) };
    let listening = entries.iter().filter(|entry| entry.state == inet_table::LISTENING);
    let (mut known, mut served) = (hosts.iter().all(|host| host.ip().is_loopback()), false);
    for local in listening.map(|entry| entry.local).filter(|local| local.port() == at.port) {
        for host in &hosts {
            let same_version = local.is_ipv4() == host.is_ipv4();
            let everywhere = local.ip().is_unspecified() && host.ip().is_loopback();
            served |= local.ip() == host.ip() || everywhere && same_version;
            // A socket for every IPv6 address may take IPv4 as well, or not.
            known &= same_version || !everywhere;
        }
    }
    Ok(Waited::Done((served || known).then_some(served)))
}

fn serves(entry: &Entry) -> bool {
    entry.state == State::Listening || i32::from(entry.kind) == libc::SOCK_DGRAM
}

fn is_path_served(path: &Path) -> Result<bool, Error> {
    let file: FileStat = match stat(path) {
        Ok(file) => file,
        Err(nix::errno::Errno::ENOENT) => return Ok(false),
        Err(errno) => return Err(Error::Kernel(errno.into())),
    };
    if !is_socket(&file) {
        return Err(Error::NotASocket);
    }
    if let Some(served) = listed(&file) {
        return Ok(served);
    }
    // The list lacks servers of other network namespaces, and some file systems report other numbers
    // to stat(2) than the kernel uses.
    let (address, _held) = match socket::path_address(path) {
        Err(Errno(libc::ENOENT)) => return Ok(false),
        result => result?,
    };
    match socket::is_alive(&address) {
        Ok(false) | Err(Errno(libc::ENOENT)) => Ok(false),
        // Another server has got the path meanwhile, or one is about to listen: the list has it by
        // now. A connection could be the only one that the server accepts.
        Ok(true) if !stat(path).is_ok_and(|now| is_same(&now, &file)) => is_path_served(path),
        Ok(true) => listed(&file).map_or_else(|| answers(&address), Ok),
        Err(errno) => Err(errno.into()),
    }
}

/// Whether the process that has bound this file listens, if the kernel's list has its socket.
fn listed(file: &FileStat) -> Option<bool> {
    let known = unix_diag::all().unwrap_or_default();
    let bound = || known.iter().filter(|entry| entry.is_bound_to(file));
    let served = bound().any(serves);
    // The connections of a server have its file as well, and outlive the listening socket.
    (served || bound().any(|entry| entry.state == State::Unconnected)).then_some(served)
}

/// Whether a process listens at an address, by a connection.
fn answers(address: &UnixAddr) -> Result<bool, Error> {
    for kind in [SocketType::Stream, SocketType::Seqpacket, SocketType::Dgram] {
        match Socket::new(AddressFamily::Unix, kind)?.connect(address, Deadline::PASSED) {
            // A full backlog has a listener.
            Ok(_) => return Ok(true),
            Err(Errno(libc::EPROTOTYPE)) => {}
            Err(Errno(libc::ECONNREFUSED | libc::ENOENT)) => return Ok(false),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(false)
}
