//! Listening at an address and connecting to one, whatever its kind.

mod listener;
mod presence;

use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::unix::ffi::OsStrExt;

use nix::sys::socket::{AddressFamily, SockaddrStorage, UnixAddr, VsockAddr};
use nix::sys::stat::stat;

pub use listener::{Listener, Terms};
pub use presence::wait;

use crate::activation;
use crate::address::{Address, HostPort, Place, SocketType};
use crate::binding;
use crate::bounded::within;
use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;
use crate::exit::{Exit, Failure};
use crate::sys::descriptor;
use crate::sys::directory::is_socket;
use crate::sys::socket::{self, KeepAlive, Socket};

/// Why an address cannot be listened at or connected to.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// Something that is no socket has the path.
    #[error("not a socket")]
    NotASocket,
    /// Something that is no socket has the path that a socket should get.
    #[error("exists, and is no socket")]
    Occupied,
    /// Another server is about to take the path, and is stopped.
    #[error("another server is starting here, and does not go on")]
    Contended,
    /// The socket there is of another type.
    #[error("the socket there is not of type {}", type_name(*.0))]
    OtherType(SocketType),
    /// No address belongs to the name.
    #[error("no such host")]
    UnknownHost,
    /// A descriptor that was handed over is no socket that listens.
    #[error("not a socket that listens")]
    NotListening,
    /// No descriptor of this name was handed over.
    #[error("no descriptor of this name was handed over")]
    NotHandedOver,
    /// An address of this kind is not for this.
    #[error("{0}")]
    Unsuitable(&'static str),
    /// The address that we connect from will not do.
    #[error(transparent)]
    Source(SourceError),
}

/// Why we cannot connect from an address.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SourceError {
    /// The kernel refused.
    #[error(transparent)]
    Kernel(Errno),
    /// It is of another kind than where we connect to, or of one that has no ports.
    #[error("tcp:HOST:PORT is wanted to connect to TCP, and udp:HOST:PORT for UDP")]
    OtherKind,
    /// It is of another version of the protocol.
    #[error("an address of IPv4 does not reach one of IPv6, nor the other way round")]
    OtherVersion,
    /// No address belongs to the name.
    #[error("no such host")]
    UnknownHost,
}

impl From<binding::Error> for Error {
    fn from(error: binding::Error) -> Self {
        match error {
            binding::Error::Kernel(errno) => Self::Kernel(errno),
            binding::Error::NotASocket => Self::Occupied,
            binding::Error::Contended => Self::Contended,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let reason = error.to_string();
        match error {
            Error::Kernel(errno) | Error::Source(SourceError::Kernel(errno)) => errno.into(),
            Error::NotASocket | Error::NotListening => Self::failed(reason),
            Error::UnknownHost | Error::NotHandedOver | Error::Source(SourceError::UnknownHost) => {
                Self::new(Exit::NotFound, reason)
            }
            Error::Occupied | Error::Contended => Self::new(Exit::InUse, reason),
            Error::OtherType(_) => Self::failed(reason).hint("give its type with --type"),
            Error::Unsuitable(_) | Error::Source(_) => Self::new(Exit::Usage, reason),
        }
    }
}

/// How to connect.
#[derive(Clone, Copy, Debug)]
pub struct Connecting<'a> {
    /// What the socket keeps of what is written to it.
    pub kind: SocketType,
    /// The host and the port to connect from; `None` leaves it to the system.
    pub source: Option<&'a Address>,
    /// When to ask whether a silent TCP peer is still there.
    pub keepalive: KeepAlive,
    /// How long to wait for room in the backlog of who listens, or for an answer.
    pub deadline: Deadline,
    /// How long to try again where nobody listens.
    pub retry: Deadline,
}

impl Connecting<'_> {
    /// In the ordinary way: once, from wherever the system chooses.
    pub fn new(kind: SocketType, deadline: Deadline) -> Self {
        let (source, keepalive) = (None, KeepAlive::System);
        Self { kind, source, keepalive, deadline, retry: Deadline::PASSED }
    }
}

/// Connects.
///
/// # Errors
/// ENOENT and ECONNREFUSED if nobody listens; [`Error::Source`] of where we connect from.
pub fn connect(address: &Address, how: Connecting<'_>) -> Result<Waited<Socket>, Error> {
    loop {
        let refused = match connect_once(address, how) {
            Err(error) if is_nobody(error) && !how.retry.has_passed() => error,
            result => return result,
        };
        if wait(address, how.retry.min(how.deadline))? == Waited::TimedOut {
            return if how.deadline.has_passed() { Ok(Waited::TimedOut) } else { Err(refused) };
        }
    }
}

fn is_nobody(error: Error) -> bool {
    matches!(error, Error::Kernel(Errno(libc::ENOENT | libc::ECONNREFUSED)))
}

fn connect_once(address: &Address, how: Connecting<'_>) -> Result<Waited<Socket>, Error> {
    let source = source_for(address, how.source).map_err(Error::Source)?;
    let (to, _held) = match address.place() {
        Place::Path(path) => socket::path_address(path)?,
        Place::Abstract(name) => (abstract_address(name)?, None),
        Place::Tcp(at) => {
            stream_only(how.kind)?;
            return connect_to_host(at, source, how);
        }
        Place::Udp(at) => {
            datagrams_only(how.kind)?;
            return connect_to_host(at, source, how);
        }
        Place::Vsock { cid, port } => {
            let socket = Socket::new(AddressFamily::Vsock, how.kind)?;
            return match socket.connect(&VsockAddr::new(*cid, *port), how.deadline) {
                Ok(waited) => Ok(connected(waited, socket)),
                // How a machine answers where nobody listens.
                Err(Errno(libc::ECONNRESET)) => Err(Errno(libc::ECONNREFUSED).into()),
                Err(errno) => Err(errno.into()),
            };
        }
        Place::Descriptor(number) => return Ok(Waited::Done(handed_over(*number)?)),
        Place::Handed(name) => return Ok(Waited::Done(handed_over_as(name)?)),
    };
    let socket = Socket::new(AddressFamily::Unix, how.kind)?;
    if how.kind == SocketType::Dgram {
        // A name of the kernel's choice, so that an answer finds us.
        socket.bind(&UnixAddr::new_unnamed())?;
    }
    match socket.connect(&to, how.deadline) {
        Ok(waited) => Ok(connected(waited, socket)),
        Err(Errno(libc::EPROTOTYPE)) => Err(Error::OtherType(how.kind)),
        Err(Errno(libc::ECONNREFUSED)) if is_other_file(address) => Err(Error::NotASocket),
        Err(errno) => Err(errno.into()),
    }
}

/// A socket that our caller opened.
fn handed_over(number: i32) -> Result<Socket, Errno> {
    Ok(Socket::from(descriptor::handed_over(number)?))
}

/// The same by the name that it has in `LISTEN_FDNAMES`.
fn handed_over_as(name: &OsStr) -> Result<Socket, Error> {
    Ok(handed_over(activation::named(name).ok_or(Error::NotHandedOver)?)?)
}

fn connected(waited: Waited, socket: Socket) -> Waited<Socket> {
    match waited {
        Waited::Done(()) => Waited::Done(socket),
        Waited::TimedOut => Waited::TimedOut,
    }
}

/// The host and the port to connect from, if they are of the same kind as those to connect to.
fn source_for<'a>(
    to: &Address,
    source: Option<&'a Address>,
) -> Result<Option<&'a HostPort>, SourceError> {
    match (source.map(Address::place), to.place()) {
        (None, _) => Ok(None),
        (Some(Place::Tcp(from)), Place::Tcp(_)) | (Some(Place::Udp(from)), Place::Udp(_)) => {
            Ok(Some(from))
        }
        _ => Err(SourceError::OtherKind),
    }
}

/// To the first address of the host that answers.
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
            // What became of an address that could be tried says more.
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
    Ok(connected(waited, socket))
}

/// Binds a socket that is to connect.
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

/// The addresses of a host; `own` are those of an empty one.
pub fn resolve(at: &HostPort, own: &[IpAddr]) -> Result<Vec<SocketAddr>, Error> {
    let Waited::Done(found) = resolve_until(at, own, Deadline::NEVER)? else {
        return Err(Error::UnknownHost);
    };
    Ok(found)
}

/// The same, if a server that has to be asked for a name answers in time.
fn resolve_until(
    at: &HostPort,
    own: &[IpAddr],
    deadline: Deadline,
) -> Result<Waited<Vec<SocketAddr>>, Error> {
    let known = |&ip: &IpAddr| SocketAddr::new(ip, at.port);
    if at.host.is_empty() {
        return Ok(Waited::Done(own.iter().map(known).collect()));
    }
    if let Ok(ip) = at.host.parse() {
        return Ok(Waited::Done(vec![known(&ip)]));
    }
    let (host, port) = (at.host.clone(), at.port);
    let asked = within(deadline, move || {
        let found = (host.as_str(), port).to_socket_addrs().map_err(|_| Error::UnknownHost)?;
        Ok(Waited::Done(found.collect()))
    });
    asked.unwrap_or(Ok(Waited::TimedOut))
}

fn family(address: &SocketAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}

fn stream_only(kind: SocketType) -> Result<(), Error> {
    match kind {
        SocketType::Stream => Ok(()),
        _ => Err(Error::Unsuitable(
            "TCP carries bytes and not messages: 'ipc sock connect' and 'ipc sock serve' are for it",
        )),
    }
}

fn datagrams_only(kind: SocketType) -> Result<(), Error> {
    match kind {
        SocketType::Dgram => Ok(()),
        _ => Err(Error::Unsuitable(
            "UDP carries datagrams: 'ipc sock send' and 'ipc sock recv' are for it",
        )),
    }
}

/// Whether there is something at the path that is no socket.
fn is_other_file(address: &Address) -> bool {
    address.path().is_some_and(|path| stat(path).is_ok_and(|status| !is_socket(&status)))
}

fn abstract_address(name: &OsStr) -> Result<UnixAddr, Errno> {
    Ok(UnixAddr::new_abstract(name.as_bytes())?)
}

fn type_name(kind: SocketType) -> &'static str {
    match kind {
        SocketType::Stream => "stream",
        SocketType::Seqpacket => "seqpacket",
        SocketType::Dgram => "dgram",
    }
}
