//! Where sockets are, and who is at their other end: getsockname(2), getpeername(2), unix(7).

use std::ffi::{OsStr, OsString};
use std::net::{SocketAddr, SocketAddrV6};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;

use nix::sys::socket::{self, AddressFamily, SockType, SockaddrLike, SockaddrStorage, sockopt};
use nix::unistd::geteuid;

use super::Socket;
use crate::sys::socket::SocketType;

/// Who connected to a Unix socket, as the kernel saw it at that moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Credentials {
    /// Its process.
    pub pid: i32,
    /// Its effective user.
    pub uid: u32,
    /// Its effective group.
    pub gid: u32,
}

/// Whether it is our effective user.
pub fn is_our_user(uid: u32) -> bool {
    uid == geteuid().as_raw()
}

impl Socket {
    /// Who connected; `None` where that is not known, as over a network.
    pub fn peer(&self) -> Option<Credentials> {
        let peer = socket::getsockopt(&self.0, sockopt::PeerCredentials).ok()?;
        let unknown = peer.pid() == 0 && peer.uid() == u32::MAX;
        let credentials = Credentials { pid: peer.pid(), uid: peer.uid(), gid: peer.gid() };
        (!unknown && self.family() == Some(AddressFamily::Unix)).then_some(credentials)
    }

    /// The family of its addresses.
    pub fn family(&self) -> Option<AddressFamily> {
        socket::getsockname::<SockaddrStorage>(self.0.as_raw_fd()).ok()?.family()
    }

    /// Whether bytes or messages go through it.
    pub fn kind(&self) -> Option<SocketType> {
        match socket::getsockopt(&self.0, sockopt::SockType) {
            Ok(SockType::Stream) => Some(SocketType::Stream),
            Ok(SockType::SeqPacket) => Some(SocketType::Seqpacket),
            Ok(SockType::Datagram) => Some(SocketType::Dgram),
            _ => None,
        }
    }

    /// Whether it is one of TCP.
    pub fn is_tcp(&self) -> bool {
        let internet = [Some(AddressFamily::Inet), Some(AddressFamily::Inet6)];
        internet.contains(&self.family()) && self.kind() == Some(SocketType::Stream)
    }

    fn scheme(&self) -> &'static str {
        if self.kind() == Some(SocketType::Dgram) { "udp" } else { "tcp" }
    }

    /// Where it is bound, in the words of our addresses; empty if nowhere.
    pub fn local_address(&self) -> OsString {
        let address = socket::getsockname::<SockaddrStorage>(self.0.as_raw_fd());
        address.map_or(OsString::new(), |address| words(&address, self.scheme()))
    }

    /// Where the peer is bound, in the words of our addresses; empty if nowhere.
    pub fn peer_address(&self) -> OsString {
        let address = socket::getpeername::<SockaddrStorage>(self.0.as_raw_fd());
        address.map_or(OsString::new(), |address| words(&address, self.scheme()))
    }

    /// Whether it listens.
    pub fn is_listening(&self) -> bool {
        socket::getsockopt(&self.0, sockopt::AcceptConn).unwrap_or(false)
    }
}

/// An address in the words in which we take addresses.
fn words(address: &SockaddrStorage, scheme: &str) -> OsString {
    if let Some(unix) = address.as_unix_addr() {
        return match (unix.path(), unix.as_abstract()) {
            (Some(path), _) => path.as_os_str().to_owned(),
            (_, Some(name)) => OsStr::from_bytes(&[b"@", name].concat()).to_owned(),
            _ => OsString::new(),
        };
    }
    let internet = match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
        (Some(address), _) => SocketAddr::V4((*address).into()),
        (_, Some(address)) => unmapped((*address).into()),
        _ => match address.as_vsock_addr() {
            Some(vsock) if vsock.cid() == libc::VMADDR_CID_ANY => {
                return format!("vsock:any:{}", vsock.port()).into();
            }
            Some(vsock) => return format!("vsock:{}:{}", vsock.cid(), vsock.port()).into(),
            None => return OsString::new(),
        },
    };
    format!("{scheme}:{internet}").into()
}

/// An address of IPv4 is one, whatever the version of the socket that sees it.
fn unmapped(address: SocketAddrV6) -> SocketAddr {
    match address.ip().to_ipv4_mapped() {
        Some(ip) => SocketAddr::from((ip, address.port())),
        None => SocketAddr::V6(address),
    }
}
