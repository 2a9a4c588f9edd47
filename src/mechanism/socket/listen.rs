//! Listening at an address.

use std::ffi::{OsStr, OsString};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use nix::sys::socket::{AddressFamily, SockaddrStorage, VsockAddr};

use crate::base::errno::Errno;
use crate::base::units::OwnerIds;
use crate::mechanism::socket::address::{Address, Endpoint, HostPort};
use crate::mechanism::socket::bound_path::{Attributes, BoundPath};
use crate::mechanism::socket::table;
use crate::mechanism::socket::{
    Error, abstract_address, datagrams_only, family, handed_over, resolve, stream_only,
};
use crate::sys::socket::SocketType;
use crate::sys::socket::{KeepAlive, Socket, Versions};

/// A socket that listens. Dropping it removes its path first, and then closes the socket.
#[derive(Debug)]
pub struct Listener {
    bound_path: Option<BoundPath>,
    socket: Socket,
    address: OsString,
}

/// How to listen.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Type of the socket.
    pub kind: SocketType,
    /// Permissions of a path.
    pub mode: u32,
    /// The owner of a path, if it is another than this process.
    pub owner: Option<OwnerIds>,
    /// The number of clients that may wait to be accepted.
    pub backlog: i32,
    /// When the kernel probes a silent TCP client.
    pub keepalive: KeepAlive,
}

impl Listener {
    /// Listens at an address. Accepting from the socket does not block.
    ///
    /// # Errors
    /// EADDRINUSE if another socket does.
    pub fn open(address: &Address, terms: Terms) -> Result<Self, Error> {
        let listener = match address.endpoint() {
            Endpoint::Path(path) => Self::at_path(address, path, terms)?,
            Endpoint::Abstract(name) => {
                let socket = Socket::new(AddressFamily::Unix, terms.kind)?;
                socket.bind(&abstract_address(name)?)?;
                listen(&socket, terms)?;
                Self { bound_path: None, socket, address: address.as_ref().to_owned() }
            }
            Endpoint::Tcp(at) => {
                stream_only(terms.kind)?;
                Self::at_host(at, terms)?
            }
            Endpoint::Udp(at) => {
                datagrams_only(terms.kind)?;
                Self::at_host(at, terms)?
            }
            Endpoint::Vsock { cid, port } => {
                let socket = Socket::new(AddressFamily::Vsock, terms.kind)?;
                socket.bind(&VsockAddr::new(*cid, *port))?;
                listen(&socket, terms)?;
                Self { bound_path: None, address: socket.local_address(), socket }
            }
            Endpoint::Descriptor(number) => Self::of_caller(handed_over(*number)?, terms)?,
            Endpoint::Named(_) => return Err(Error::NotHandedOver),
        };
        if listener.socket.is_tcp() {
            listener.socket.tune_tcp(terms.keepalive)?;
        }
        listener.socket.make_non_blocking()?;
        Ok(listener)
    }

    fn at_path(address: &Address, path: &Path, terms: Terms) -> Result<Self, Error> {
        let socket = Socket::new(AddressFamily::Unix, terms.kind)?;
        let attributes = Attributes { mode: terms.mode, owner: terms.owner };
        let bound_path = BoundPath::bind(path, &socket, attributes, || listen(&socket, terms))?;
        Ok(Self { bound_path: Some(bound_path), socket, address: address.as_ref().to_owned() })
    }

    /// Listens at the first address of the host that this machine has. An address in use is an error:
    /// at another one, clients would reach the other server.
    fn at_host(at: &HostPort, terms: Terms) -> Result<Self, Error> {
        let everywhere = [Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into()];
        let mut refused = Errno(libc::EADDRNOTAVAIL);
        let versions = if at.host.is_empty() { Versions::Both } else { Versions::Ipv6 };
        for address in resolve(at, &everywhere)? {
            match at_port(address, versions, terms) {
                Ok(socket) => {
                    let address = socket.local_address();
                    return Ok(Self { bound_path: None, socket, address });
                }
                Err(errno @ Errno(libc::EADDRNOTAVAIL | libc::EAFNOSUPPORT)) => refused = errno,
                Err(errno) => return Err(errno.into()),
            }
        }
        Err(refused.into())
    }

    /// Uses a socket that the caller opened.
    fn of_caller(socket: Socket, terms: Terms) -> Result<Self, Error> {
        match socket.kind() {
            Some(kind) if kind != terms.kind => Err(Error::OtherType(terms.kind)),
            Some(SocketType::Dgram) => Ok(()),
            Some(_) if socket.is_listening() => Ok(()),
            _ => Err(Error::NotListening),
        }?;
        Ok(Self { bound_path: None, address: address_of(&socket), socket })
    }

    /// The socket.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// The path and the socket, for a caller that hands the socket to another process.
    pub fn into_parts(self) -> (Option<BoundPath>, Socket) {
        (self.bound_path, self.socket)
    }

    /// The address, as clients write it.
    pub fn address(&self) -> &OsStr {
        &self.address
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A socket that listens at a port.
fn at_port(address: SocketAddr, versions: Versions, terms: Terms) -> Result<Socket, Errno> {
    let socket = Socket::new(family(&address), terms.kind)?;
    if address.is_ipv6() {
        socket.accept_versions(versions)?;
    }
    if terms.kind == SocketType::Stream {
        socket.reuse_port()?;
    }
    socket.bind(&SockaddrStorage::from(address))?;
    listen(&socket, terms)?;
    Ok(socket)
}

/// Lets clients connect, if sockets of this type have connections.
fn listen(socket: &Socket, terms: Terms) -> Result<(), Errno> {
    if terms.kind == SocketType::Dgram { Ok(()) } else { socket.listen(terms.backlog) }
}

/// The address of a socket that was handed over. Where a server bound it in another directory, as
/// [`BoundPath`] does, the kernel knows only a relative name.
fn address_of(socket: &Socket) -> OsString {
    let bound = socket.local_address();
    let is_relative = bound.as_encoded_bytes().starts_with(b"./");
    let path = is_relative.then(|| table::path_of(socket)).flatten();
    path.map_or(bound, PathBuf::into_os_string)
}
