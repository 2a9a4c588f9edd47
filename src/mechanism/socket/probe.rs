//! Finding out whether somebody listens, and waiting until somebody does.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use nix::sys::socket::{AddressFamily, UnixAddr};
use nix::sys::stat::{FileStat, stat};

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::mechanism::socket::address::{Address, HostPort, Place};
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

/// Waits until somebody listens, or has bound a datagram socket there.
///
/// A directory tells when a name appears in it. What else has to happen, a foreign server's
/// listen(2) after its bind(2), or anything in the abstract namespace, nobody tells, so we look
/// again, soon at first and then more rarely.
pub fn wait(address: &Address, deadline: Deadline) -> Result<Waited, Error> {
    const FIRST_PAUSE: Duration = Duration::from_millis(1);
    const LAST_PAUSE: Duration = Duration::from_millis(250);
    // One who only asks waits for the answer.
    let answer = if deadline.has_passed() { Deadline::after(ANSWER) } else { deadline };
    let mut pause = FIRST_PAUSE;
    let mut watch = None;
    loop {
        // Watching begins before we look, so that nothing falls between.
        watch = watch.or_else(|| Watch::of_directory(directory::parent(address.path()?)).ok());
        if is_served(address, answer)? {
            return Ok(Waited::Done(()));
        }
        // Either we looked after it, or to look took until then.
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

/// Whether somebody listens at an address, found out without a connection wherever it can be: a
/// server would take one for a client. Where another machine has to be asked, no answer before
/// `deadline` is none.
fn is_served(address: &Address, deadline: Deadline) -> Result<bool, Error> {
    match address.place() {
        Place::Path(path) => is_path_served(path),
        Place::Abstract(name) => match unix_diag::all() {
            Ok(entries) => {
                let named = |entry: &&Entry| entry.abstract_name() == Some(name.as_bytes());
                // The connections of a server have its name as well.
                Ok(entries.iter().filter(named).any(serves))
            }
            Err(_) => answers(&abstract_address(name)?),
        },
        Place::Tcp(at) => match listens_here(at, deadline)? {
            Waited::Done(Some(served)) => Ok(served),
            Waited::Done(None) => accepts(address, deadline),
            Waited::TimedOut => Ok(false),
        },
        Place::Vsock { .. } => accepts(address, deadline),
        Place::Udp(_) => Err(Error::Unsuitable("nobody can tell whether a UDP port has a reader")),
        Place::Descriptor(_) | Place::Handed(_) => {
            Err(Error::Unsuitable("an open descriptor is there already"))
        }
    }
}

/// How long a host may take to answer before we look again.
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

/// Whether a process of this machine listens at a port, by the kernel's list; `None` where that
/// does not tell, as the host is another one.
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
            // One for every address of IPv6 may take IPv4 as well, or not.
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
    // A server of another network namespace is in no list of ours, and some file systems tell
    // stat(2) other numbers than they tell the kernel.
    let (address, _held) = match socket::path_address(path) {
        Err(Errno(libc::ENOENT)) => return Ok(false),
        result => result?,
    };
    match socket::is_alive(&address) {
        Ok(false) | Err(Errno(libc::ENOENT)) => Ok(false),
        // Another server took the path since we looked, or one is about to listen: the list knows it
        // by now. To connect would be to use up the client of one that serves a single one.
        Ok(true) if !stat(path).is_ok_and(|now| is_same(&now, &file)) => is_path_served(path),
        Ok(true) => listed(&file).map_or_else(|| answers(&address), Ok),
        Err(errno) => Err(errno.into()),
    }
}

/// Whether the one who has bound this file listens, if the kernel's list has him.
fn listed(file: &FileStat) -> Option<bool> {
    let known = unix_diag::all().unwrap_or_default();
    let bound = || known.iter().filter(|entry| entry.is_bound_to(file));
    let served = bound().any(serves);
    // Connections of a server have its file as well, and stay when it has ended.
    (served || bound().any(|entry| entry.state == State::Unconnected)).then_some(served)
}

/// Whether somebody listens at an address, found out by a connection.
fn answers(address: &UnixAddr) -> Result<bool, Error> {
    for kind in [SocketType::Stream, SocketType::Seqpacket, SocketType::Dgram] {
        match Socket::new(AddressFamily::Unix, kind)?.connect(address, Deadline::PASSED) {
            // A full backlog is one that somebody has.
            Ok(_) => return Ok(true),
            Err(Errno(libc::EPROTOTYPE)) => {}
            Err(Errno(libc::ECONNREFUSED | libc::ENOENT)) => return Ok(false),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(false)
}
