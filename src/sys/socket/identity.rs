//! The addresses and the type of a socket, and the process at its other end: getsockname(2),
//! getpeername(2), unix(7).

use std::ffi::{OsStr, OsString};
use std::net::{SocketAddr, SocketAddrV6};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;

use nix::sys::socket::{
    self, AddressFamily, SockType, SockaddrIn, SockaddrLike, SockaddrStorage, sockopt,
};
use nix::unistd::geteuid;

use super::Socket;
use crate::base::errno::Errno;
use crate::sys::socket::SocketType;

/// The process that connected to a Unix socket, as of that moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Credentials {
    /// Its process ID.
    pub pid: i32,
    /// Its effective user.
    pub uid: u32,
    /// Its effective group.
    pub gid: u32,
}

/// Whether it is the effective user of this process.
pub fn is_our_user(uid: u32) -> bool {
    uid == geteuid().as_raw()
}

impl Socket {
    /// The process that connected; `None` if the kernel does not know it, as over a network.
    pub fn peer(&self) -> Option<Credentials> {
        let peer = socket::getsockopt(&self.0, sockopt::PeerCredentials).ok()?;
        let unknown = peer.pid() == 0 && peer.uid() == u32::MAX;
        let credentials = Credentials { pid: peer.pid(), uid: peer.uid(), gid: peer.gid() };
        (!unknown && self.family() == Some(AddressFamily::Unix)).then_some(credentials)
    }

    /// A descriptor of the process that connected: SO_PEERPIDFD, since Linux 6.5. It means this
    /// process even if another one gets its number.
    ///
    /// # Errors
    /// ENOPROTOOPT if the kernel cannot; ESRCH if the process has ended; EMFILE.
    pub fn peer_process(&self) -> Result<OwnedFd, Errno> {
        /// Of asm-generic/socket.h; C libraries lack it.
        const SO_PEERPIDFD: i32 = 77;
        let mut number: RawFd = -1;
        let mut length = size_of::<RawFd>() as libc::socklen_t;
        // SAFETY: the number and its length live through the call.
        let result = unsafe {
            libc::getsockopt(
                self.0.as_raw_fd(),
                libc::SOL_SOCKET,
                SO_PEERPIDFD,
                (&raw mut number).cast(),
                &raw mut length,
            )
        };
        Errno::check(result)?;
        // SAFETY: the call made this descriptor, and nothing else owns it.
        Ok(unsafe { OwnedFd::from_raw_fd(number) })
    }

    /// The family of its addresses.
    pub fn family(&self) -> Option<AddressFamily> {
        socket::getsockname::<SockaddrStorage>(self.0.as_raw_fd()).ok()?.family()
    }

    /// Its type.
    pub fn kind(&self) -> Option<SocketType> {
        match socket::getsockopt(&self.0, sockopt::SockType) {
            Ok(SockType::Stream) => Some(SocketType::Stream),
            Ok(SockType::SeqPacket) => Some(SocketType::Seqpacket),
            Ok(SockType::Datagram) => Some(SocketType::Dgram),
            _ => None,
        }
    }

    /// Whether it is a TCP socket.
    pub fn is_tcp(&self) -> bool {
        let internet = [Some(AddressFamily::Inet), Some(AddressFamily::Inet6)];
        internet.contains(&self.family()) && self.kind() == Some(SocketType::Stream)
    }

    fn scheme(&self) -> &'static str {
        if self.kind() == Some(SocketType::Dgram) { "udp" } else { "tcp" }
    }

    /// The address that it is bound to, in the notation of the command line; empty if there is none.
    pub fn local_address(&self) -> OsString {
        let address = socket::getsockname::<SockaddrStorage>(self.0.as_raw_fd());
        address.map_or(OsString::new(), |address| words(&address, self.scheme()))
    }

    /// The IPv4 address that it is bound to.
    ///
    /// # Errors
    /// EINVAL for a socket of another family.
    pub fn own_internet_address(&self) -> Result<SockaddrIn, Errno> {
        Ok(socket::getsockname(self.0.as_raw_fd())?)
    }

    /// The address that the peer is bound to, in the same notation.
    pub fn peer_address(&self) -> OsString {
        let address = socket::getpeername::<SockaddrStorage>(self.0.as_raw_fd());
        address.map_or(OsString::new(), |address| words(&address, self.scheme()))
    }

    /// Whether it listens.
    pub fn is_listening(&self) -> bool {
        socket::getsockopt(&self.0, sockopt::AcceptConn).unwrap_or(false)
    }
}

/// An address in the notation of the command line.
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

/// The IPv4 address that an IPv6 socket shows as a mapped one.
fn unmapped(address: SocketAddrV6) -> SocketAddr {
    match address.ip().to_ipv4_mapped() {
        Some(ip) => SocketAddr::from((ip, address.port())),
        None => SocketAddr::V6(address),
    }
}
