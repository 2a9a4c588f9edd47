//! Listening at an address and connecting to one, for every family of sockets.

mod connect;
mod listen;
mod lock_file;
mod probe;

use std::ffi::OsStr;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::unix::ffi::OsStrExt;

use nix::sys::socket::{AddressFamily, UnixAddr};

pub use connect::{Connecting, connect};
pub use listen::{Listener, Terms};
pub use probe::wait;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure};
use crate::mechanism::socket::address::HostPort;
use crate::mechanism::socket::bound_path::Helper;
use crate::run::watchdog::within;
use crate::sys::descriptor;
use crate::sys::socket::Socket;
use crate::sys::socket::SocketType;

/// Why an address cannot be listened at or connected to.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// An error of the kernel.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// The path leads to a file that is not a socket.
    #[error("not a socket")]
    NotASocket,
    /// The path to bind to leads to a file that is not a socket.
    #[error("exists and is not a socket")]
    Occupied,
    /// A file that is needed beside the path exists, and is not one that this user created.
    #[error("not created by ipc for this user")]
    Beside(Helper),
    /// The path cannot get its owner.
    #[error("the owner cannot be changed: {0}")]
    Owner(Errno),
    /// Another server is starting on the path, and is stopped.
    #[error("another server is stuck starting on this path")]
    Contended,
    /// The socket has another type.
    #[error("the socket there is not of type {}", type_name(*.0))]
    OtherType(SocketType),
    /// No address belongs to the name.
    #[error("no such host")]
    UnknownHost,
    /// A descriptor that was handed over is not a listening socket.
    #[error("not a listening socket")]
    NotListening,
    /// No descriptor of this name was handed over.
    #[error("no descriptor of this name was handed over")]
    NotHandedOver,
    /// The operation does not exist for this kind of address.
    #[error("{0}")]
    Unsuitable(&'static str),
    /// An error of the address to connect from.
    #[error(transparent)]
    Source(SourceError),
}

/// Why an address cannot be connected from.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SourceError {
    /// An error of the kernel.
    #[error(transparent)]
    Kernel(Errno),
    /// Its protocol differs from that of the address to connect to, or has no ports.
    #[error("expected tcp:HOST:PORT to connect to TCP, udp:HOST:PORT for UDP")]
    OtherKind,
    /// Its version of the Internet protocol differs.
    #[error("an IPv4 address cannot reach an IPv6 address, nor the reverse")]
    OtherVersion,
    /// No address belongs to the name.
    #[error("no such host")]
    UnknownHost,
}

impl From<bound_path::Error> for Error {
    fn from(error: bound_path::Error) -> Self {
        match error {
            bound_path::Error::Kernel(errno) => Self::Kernel(errno),
            bound_path::Error::NotASocket => Self::Occupied,
            bound_path::Error::Beside(helper) => Self::Beside(helper),
            bound_path::Error::Owner(errno) => Self::Owner(errno),
            bound_path::Error::Contended => Self::Contended,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let reason = error.to_string();
        match error {
            Error::Kernel(errno) | Error::Source(SourceError::Kernel(errno)) => errno.into(),
            Error::Owner(errno) => Self::new(errno.into(), reason).hint(
                "only root gives a file to another user, and only a member of a group to that group",
            ),
            Error::NotASocket | Error::NotListening => Self::failed(reason),
            Error::UnknownHost | Error::NotHandedOver | Error::Source(SourceError::UnknownHost) => {
                Self::new(Exit::NotFound, reason)
            }
            Error::Beside(_) => Self::new(Exit::InUse, reason)
                .hint("a server needs this name while it starts: remove it, or use another path"),
            Error::Occupied | Error::Contended => Self::new(Exit::InUse, reason),
            Error::OtherType(_) => Self::failed(reason).hint("give its type with --type"),
            Error::Unsuitable(_) | Error::Source(_) => Self::new(Exit::Usage, reason),
        }
    }
}

/// The addresses of a host; those of an empty host are `own`.
pub fn resolve(at: &HostPort, own: &[IpAddr]) -> Result<Vec<SocketAddr>, Error> {
    let Waited::Done(found) = resolve_until(at, own, Deadline::NEVER)? else {
        return Err(Error::UnknownHost);
    };
    Ok(found)
}

/// The same, with a limit for the wait for a name server.
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
    let answer = within(deadline, move || {
        let found = (host.as_str(), port).to_socket_addrs().map_err(|_| Error::UnknownHost)?;
        Ok(Waited::Done(found.collect()))
    });
    answer.unwrap_or(Ok(Waited::TimedOut))
}

/// A socket that the caller opened.
fn handed_over(number: i32) -> Result<Socket, Errno> {
    Ok(Socket::from(descriptor::handed_over(number)?))
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
pub mod activation;
pub mod address;
pub mod bound_path;
pub mod duplex;
pub mod expiry;
pub mod relay;
pub mod table;
