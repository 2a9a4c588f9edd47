//! Listening at an address.

use std::ffi::{OsStr, OsString};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use nix::sys::socket::{AddressFamily, SockaddrStorage, VsockAddr};

use crate::base::errno::Errno;
use crate::mechanism::socket::address::{Address, HostPort, Place};
use crate::mechanism::socket::bound_path::BoundPath;
use crate::mechanism::socket::table;
use crate::mechanism::socket::{
    Error, abstract_address, datagrams_only, family, handed_over, handed_over_as, resolve,
    stream_only,
};
use crate::sys::socket::SocketType;
use crate::sys::socket::{KeepAlive, Socket, Versions};

/// A socket that listens. Dropping it gives its path up first, while nobody can take it over yet.
#[derive(Debug)]
pub struct Listener {
    binding: Option<BoundPath>,
    socket: Socket,
    address: OsString,
}

/// How to listen.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// What the socket keeps of what is written to it.
    pub kind: SocketType,
    /// Permissions of a path.
    pub mode: u32,
    /// How many clients may wait to be accepted.
    pub backlog: i32,
    /// When to ask whether a silent TCP client is still there.
    pub keepalive: KeepAlive,
}

impl Listener {
    /// Begins to listen. Accepting from it does not block.
    ///
    /// # Errors
    /// EADDRINUSE if somebody else does.
    pub fn open(address: &Address, terms: Terms) -> Result<Self, Error> {
        let listener = match address.place() {
            Place::Path(path) => Self::at_path(address, path, terms)?,
            Place::Abstract(name) => {
                let socket = Socket::new(AddressFamily::Unix, terms.kind)?;
                socket.bind(&abstract_address(name)?)?;
                listen(&socket, terms)?;
                Self { binding: None, socket, address: address.as_ref().to_owned() }
            }
            Place::Tcp(at) => {
                stream_only(terms.kind)?;
                Self::at_host(at, terms)?
            }
            Place::Udp(at) => {
                datagrams_only(terms.kind)?;
                Self::at_host(at, terms)?
            }
            Place::Vsock { cid, port } => {
                let socket = Socket::new(AddressFamily::Vsock, terms.kind)?;
                socket.bind(&VsockAddr::new(*cid, *port))?;
                listen(&socket, terms)?;
                Self { binding: None, address: socket.local_address(), socket }
            }
            Place::Descriptor(number) => Self::of_caller(handed_over(*number)?, terms)?,
            Place::Handed(name) => Self::of_caller(handed_over_as(name)?, terms)?,
        };
        if listener.socket.is_tcp() {
            listener.socket.tune_tcp(terms.keepalive)?;
        }
        listener.socket.make_non_blocking()?;
        Ok(listener)
    }

    fn at_path(address: &Address, path: &Path, terms: Terms) -> Result<Self, Error> {
        let socket = Socket::new(AddressFamily::Unix, terms.kind)?;
        let binding = BoundPath::take(path, &socket, terms.mode, || listen(&socket, terms))?;
        Ok(Self { binding: Some(binding), socket, address: address.as_ref().to_owned() })
    }

    /// At the first address of the host that this machine has. One that is in use is not passed
    /// over: clients would find somebody else there.
    fn at_host(at: &HostPort, terms: Terms) -> Result<Self, Error> {
        let everywhere = [Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into()];
        let mut refused = Errno(libc::EADDRNOTAVAIL);
        let versions = if at.host.is_empty() { Versions::Both } else { Versions::Ipv6 };
        for address in resolve(at, &everywhere)? {
            match at_port(address, versions, terms) {
                Ok(socket) => {
                    let address = socket.local_address();
                    return Ok(Self { binding: None, socket, address });
                }
                Err(errno @ Errno(libc::EADDRNOTAVAIL | libc::EAFNOSUPPORT)) => refused = errno,
                Err(errno) => return Err(errno.into()),
            }
        }
        Err(refused.into())
    }

    /// With a socket that our caller opened.
    fn of_caller(socket: Socket, terms: Terms) -> Result<Self, Error> {
        match socket.kind() {
            Some(kind) if kind != terms.kind => Err(Error::OtherType(terms.kind)),
            Some(SocketType::Dgram) => Ok(()),
            Some(_) if socket.is_listening() => Ok(()),
            _ => Err(Error::NotListening),
        }?;
        Ok(Self { binding: None, address: address_of(&socket), socket })
    }

    /// The socket.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Its path, if it has one that is to be removed.
    pub fn binding(&self) -> Option<&BoundPath> {
        self.binding.as_ref()
    }

    /// The path and the socket, for those who give only the socket away.
    pub fn into_parts(self) -> (Option<BoundPath>, Socket) {
        (self.binding, self.socket)
    }

    /// Where it listens, as clients write it.
    pub fn address(&self) -> &OsStr {
        &self.address
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A socket at a port.
fn at_port(address: SocketAddr, versions: Versions, terms: Terms) -> Result<Socket, Errno> {
    let socket = Socket::new(family(&address), terms.kind)?;
    if address.is_ipv6() {
        socket.take(versions)?;
    }
    if terms.kind == SocketType::Stream {
        socket.reuse_port()?;
    }
    socket.bind(&SockaddrStorage::from(address))?;
    listen(&socket, terms)?;
    Ok(socket)
}

/// Lets clients connect, to a socket of a type that has clients.
fn listen(socket: &Socket, terms: Terms) -> Result<(), Errno> {
    if terms.kind == SocketType::Dgram { Ok(()) } else { socket.listen(terms.backlog) }
}

/// Where a socket that was handed over listens. Of one that was bound in another directory, as ours
/// are, the kernel has no more than a name.
fn address_of(socket: &Socket) -> OsString {
    let bound = socket.local_address();
    let is_relative = bound.as_encoded_bytes().starts_with(b"./");
    let path = is_relative.then(|| table::path_of(socket)).flatten();
    path.map_or(bound, PathBuf::into_os_string)
}
