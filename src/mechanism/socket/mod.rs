//! Listening at an address and connecting to one, whatever its kind.

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
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// Something that is no socket has the path.
    #[error("not a socket")]
    NotASocket,
    /// Something that is no socket has the path that a socket should get.
    #[error("exists, and is no socket")]
    Occupied,
    /// What has the name of a file that is needed beside the path cannot be used.
    #[error("not made by an ipc of this user")]
    Beside(Helper),
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

impl From<bound_path::Error> for Error {
    fn from(error: bound_path::Error) -> Self {
        match error {
            bound_path::Error::Kernel(errno) => Self::Kernel(errno),
            bound_path::Error::NotASocket => Self::Occupied,
            bound_path::Error::Beside(helper) => Self::Beside(helper),
            bound_path::Error::Contended => Self::Contended,
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
            Error::Beside(_) => Self::new(Exit::InUse, reason)
                .hint("a server needs this name while it starts: remove it, or take another path"),
            Error::Occupied | Error::Contended => Self::new(Exit::InUse, reason),
            Error::OtherType(_) => Self::failed(reason).hint("give its type with --type"),
            Error::Unsuitable(_) | Error::Source(_) => Self::new(Exit::Usage, reason),
        }
    }
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

/// A socket that our caller opened.
fn handed_over(number: i32) -> Result<Socket, Errno> {
    Ok(Socket::from(descriptor::handed_over(number)?))
}

/// The same by the name that it has in `LISTEN_FDNAMES`.
fn handed_over_as(name: &OsStr) -> Result<Socket, Error> {
    Ok(handed_over(activation::named(name).ok_or(Error::NotHandedOver)?)?)
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
pub mod relay;
pub mod table;
