//! Connecting to an address.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use nix::sys::socket::{AddressFamily, SockaddrStorage, UnixAddr, VsockAddr};
use nix::sys::stat::stat;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::mechanism::socket::address::{Address, Endpoint, HostPort};
use crate::mechanism::socket::{
    Error, SourceError, abstract_address, datagrams_only, family, handed_over, resolve,
    resolve_until, stream_only, wait,
};
use crate::sys::inode::is_socket;
use crate::sys::socket::SocketType;
use crate::sys::socket::{self, KeepAlive, Socket};

/// How to connect.
#[derive(Clone, Copy, Debug)]
pub struct Connecting<'a> {
    /// Type of the socket.
    pub kind: SocketType,
    /// The host and the port to connect from; `None` leaves the choice to the system.
    pub source: Option<&'a Address>,
    /// When the kernel probes a silent TCP peer.
    pub keepalive: KeepAlive,
    /// The limit for a wait for room in the backlog of the listener, or for an answer.
    pub deadline: Deadline,
    /// The limit for further attempts where no process listens.
    pub retry: Deadline,
}

impl Connecting<'_> {
    /// One attempt, from an address that the system chooses.
    pub fn new(kind: SocketType, deadline: Deadline) -> Self {
        let (source, keepalive) = (None, KeepAlive::System);
        Self { kind, source, keepalive, deadline, retry: Deadline::PASSED }
    }
}

/// Connects.
///
/// # Errors
/// ENOENT and ECONNREFUSED if no process listens; [`Error::Source`] for the address to connect from.
pub fn connect(address: &Address, how: Connecting<'_>) -> Result<Waited<Socket>, Error> {
    loop {
        let refused = match connect_once(address, how) {
            Err(error) if is_without_listener(error) && !how.retry.has_passed() => error,
            result => return result,
        };
        if wait(address, how.retry.min(how.deadline))? == Waited::TimedOut {
            return if how.deadline.has_passed() { Ok(Waited::TimedOut) } else { Err(refused) };
        }
    }
}

fn is_without_listener(error: Error) -> bool {
    matches!(error, Error::Kernel(Errno(libc::ENOENT | libc::ECONNREFUSED)))
}

pub(super) fn connect_once(
    address: &Address,
    how: Connecting<'_>,
) -> Result<Waited<Socket>, Error> {
    let source = source_for(address, how.source).map_err(Error::Source)?;
    let (to, _held) = match address.endpoint() {
        Endpoint::Path(path) => socket::path_address(path)?,
        Endpoint::Abstract(name) => (abstract_address(name)?, None),
        Endpoint::Tcp(at) => {
            stream_only(how.kind)?;
            return connect_to_host(at, source, how);
        }
        Endpoint::Udp(at) => {
            datagrams_only(how.kind)?;
            return connect_to_host(at, source, how);
        }
        Endpoint::Vsock { cid, port } => {
            let socket = Socket::new(AddressFamily::Vsock, how.kind)?;
            return match socket.connect(&VsockAddr::new(*cid, *port), how.deadline) {
                Ok(waited) => Ok(waited.map(|()| socket)),
                // The answer of a machine on which no process listens.
                Err(Errno(libc::ECONNRESET)) => Err(Errno(libc::ECONNREFUSED).into()),
                Err(errno) => Err(errno.into()),
            };
        }
        Endpoint::Descriptor(number) => return Ok(Waited::Done(handed_over(*number)?)),
        Endpoint::Named(_) => return Err(Error::NotHandedOver),
    };
    let socket = Socket::new(AddressFamily::Unix, how.kind)?;
    if how.kind == SocketType::Dgram {
        // The kernel chooses a name, which an answer is sent to.
        socket.bind(&UnixAddr::new_unnamed())?;
    }
    match socket.connect(&to, how.deadline) {
        Ok(waited) => Ok(waited.map(|()| socket)),
        Err(Errno(libc::EPROTOTYPE)) => Err(Error::OtherType(how.kind)),
        Err(Errno(libc::ECONNREFUSED)) if is_other_file(address) => Err(Error::NotASocket),
        Err(errno) => Err(errno.into()),
    }
}

/// The host and the port to connect from, if the protocol is that of the address to connect to.
fn source_for<'a>(
    to: &Address,
    source: Option<&'a Address>,
) -> Result<Option<&'a HostPort>, SourceError> {
    match (source.map(Address::endpoint), to.endpoint()) {
        (None, _) => Ok(None),
        (Some(Endpoint::Tcp(from)), Endpoint::Tcp(_))
        | (Some(Endpoint::Udp(from)), Endpoint::Udp(_)) => Ok(Some(from)),
        _ => Err(SourceError::OtherKind),
    }
}

/// Connects to the first address of the host that answers.
fn connect_to_host(
    at: &HostPort,
    source: Option<&HostPort>,
    how: Connecting<'_>,
) -> Result<Waited<Socket>, Error> {
    let own = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let Waited::Done(found) = resolve_until(at, &own, how.deadline)? else {
        return Ok(Waited::TimedOut);
    };
    let mut refused = None;
    for address in found {
        match connect_to_port(address, source, how) {
            // The error of an address that was tried is more useful.
            Err(Error::Source(SourceError::OtherVersion)) if refused.is_some() => {}
            Err(error) => refused = Some(error),
            waited => return waited,
        }
    }
    Err(refused.unwrap_or(Error::UnknownHost))
}

fn connect_to_port(
    to: SocketAddr,
    source: Option<&HostPort>,
    how: Connecting<'_>,
) -> Result<Waited<Socket>, Error> {
    let socket = Socket::new(family(&to), how.kind)?;
    if let Some(source) = source {
        bind_source(&socket, source, &to, how.kind).map_err(Error::Source)?;
    }
    if how.kind == SocketType::Stream {
        socket.tune_tcp(how.keepalive)?;
    }
    let waited = socket.connect(&SockaddrStorage::from(to), how.deadline)?;
    Ok(waited.map(|()| socket))
}

/// Binds a socket before it connects.
fn bind_source(
    socket: &Socket,
    from: &HostPort,
    to: &SocketAddr,
    kind: SocketType,
) -> Result<(), SourceError> {
    let everywhere = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
    let own = resolve(from, &everywhere).map_err(|_| SourceError::UnknownHost)?;
    let own = own.into_iter().find(|own| own.is_ipv4() == to.is_ipv4());
    let own = own.ok_or(SourceError::OtherVersion)?;
    let bound = match (own.port(), kind) {
        (0, _) => {
            socket.choose_port_late();
            Ok(())
        }
        (_, SocketType::Stream) => socket.reuse_port(),
        _ => Ok(()),
    };
    bound.and_then(|()| socket.bind(&SockaddrStorage::from(own))).map_err(SourceError::Kernel)
}

/// Whether the path leads to a file that is not a socket.
fn is_other_file(address: &Address) -> bool {
    address.path().is_some_and(|path| stat(path).is_ok_and(|status| !is_socket(&status)))
}
