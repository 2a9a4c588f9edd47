//! Sockets: socket(7), unix(7).

mod identity;
mod messages;
mod options;
mod rights;
mod unread;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::socket::{
    self, AddressFamily, Shutdown, SockFlag, SockType, SockaddrLike, UnixAddr, sockopt,
};
use nix::sys::stat::{Mode, fchmod};

pub use identity::{Credentials, is_our_user};
pub use messages::Sender;
pub use options::{KeepAlive, Versions};
pub use rights::{Carried, RIGHTS_MAX};

use super::{descriptor, poll, umask};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;

/// The default length of the backlog: SOMAXCONN of new kernels.
pub const BACKLOG: i32 = 4096;

/// A socket. Dropping it closes the handle.
#[derive(Debug)]
pub struct Socket(OwnedFd);

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<Socket> for Stdio {
    fn from(socket: Socket) -> Self {
        socket.0.into()
    }
}

impl From<Socket> for OwnedFd {
    fn from(socket: Socket) -> Self {
        socket.0
    }
}

impl From<OwnedFd> for Socket {
    fn from(fd: OwnedFd) -> Self {
        Self(fd)
    }
}

impl Socket {
    /// A new socket, neither bound nor connected.
    pub fn new(family: AddressFamily, kind: SocketType) -> Result<Self, Errno> {
        Ok(Self(socket::socket(family, type_of(kind), SockFlag::SOCK_CLOEXEC, None)?))
    }

    /// Two Unix sockets that are connected to each other.
    pub fn pair(kind: SocketType) -> Result<(Self, Self), Errno> {
        let (family, flags) = (AddressFamily::Unix, SockFlag::SOCK_CLOEXEC);
        let (one, other) = socket::socketpair(family, type_of(kind), None, flags)?;
        Ok((Self(one), Self(other)))
    }

    /// Binds a Unix socket to a path, which appears with exactly these permissions.
    ///
    /// The socket has the mode before it is bound, so there is no moment with a wider one. The umask is 0
    /// during the call; all threads of the process share it, so no other thread may create files.
    ///
    /// # Errors
    /// EADDRINUSE if a file of any kind is at the path.
    pub fn bind_path(&self, address: &UnixAddr, mode: u32) -> Result<(), Errno> {
        fchmod(&self.0, Mode::from_bits_truncate(mode))?;
        Ok(umask::without(|| socket::bind(self.0.as_raw_fd(), address))?)
    }

    /// Binds to an address.
    ///
    /// # Errors
    /// EADDRINUSE if it has another socket.
    pub fn bind(&self, address: &dyn SockaddrLike) -> Result<(), Errno> {
        Ok(socket::bind(self.0.as_raw_fd(), address)?)
    }

    /// Lets clients connect: `backlog` of them wait until they are accepted.
    pub fn listen(&self, backlog: i32) -> Result<(), Errno> {
        // The kernel reduces a backlog that is too long. C libraries differ in the value of the limit.
        // SAFETY: the call takes numbers only.
        Errno::check(unsafe { libc::listen(self.0.as_raw_fd(), backlog) })
    }

    /// The next client that waits; `None` if there is none, or if it has left. The socket has to be
    /// non-blocking.
    ///
    /// # Errors
    /// EMFILE and its like, with the client still waiting.
    pub fn accept(&self) -> Result<Option<Self>, Errno> {
        loop {
            match socket::accept4(self.0.as_raw_fd(), SockFlag::SOCK_CLOEXEC) {
                // SAFETY: the call made this descriptor, and nothing else owns it.
                Ok(fd) => return Ok(Some(Self(unsafe { OwnedFd::from_raw_fd(fd) }))),
                Err(nix::errno::Errno::EINTR) => {}
                Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::ECONNABORTED) => {
                    return Ok(None);
                }
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Connects, waiting for room in the backlog of the server until `deadline`.
    ///
    /// # Errors
    /// ENOENT and ECONNREFUSED if no process listens; EPROTOTYPE if the socket has another type.
    pub fn connect(&self, address: &dyn SockaddrLike, deadline: Deadline) -> Result<Waited, Errno> {
        match address.family() {
            Some(AddressFamily::Unix) => self.connect_unix(address, deadline),
            _ => self.connect_elsewhere(address, deadline),
        }
    }

    /// connect(2) itself waits while the backlog of a Unix socket is full, which poll(2) does not
    /// report; SO_SNDTIMEO limits this wait.
    fn connect_unix(
        &self,
        address: &dyn SockaddrLike,
        deadline: Deadline,
    ) -> Result<Waited, Errno> {
        let connected = loop {
            let left = deadline.remaining();
            match left {
                Some(Duration::ZERO) => self.make_non_blocking()?,
                _ => self.make_blocking()?,
            }
            // Zero is no limit.
            let limit = left.map_or(Duration::ZERO, |left| left.max(Duration::from_micros(1)));
            self.limit_sending(limit)?;
            match socket::connect(self.0.as_raw_fd(), address) {
                Err(nix::errno::Errno::EAGAIN) if deadline.has_passed() => {
                    break Ok(Waited::TimedOut);
                }
                Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EINTR) => {}
                Ok(()) => break Ok(Waited::Done(())),
                Err(errno) => break Err(errno.into()),
            }
        };
        self.make_blocking()?;
        self.limit_sending(Duration::ZERO)?;
        connected
    }

    fn connect_elsewhere(
        &self,
        address: &dyn SockaddrLike,
        deadline: Deadline,
    ) -> Result<Waited, Errno> {
        self.make_non_blocking()?;
        match socket::connect(self.0.as_raw_fd(), address) {
            Ok(()) => {}
            // The connection proceeds in the kernel, also after a signal.
            Err(nix::errno::Errno::EINPROGRESS | nix::errno::Errno::EINTR) => {
                if poll::writable(self, deadline)? == Waited::TimedOut {
                    return Ok(Waited::TimedOut);
                }
                match socket::getsockopt(&self.0, sockopt::SocketError)? {
                    0 => {}
                    errno => return Err(Errno(errno)),
                }
            }
            Err(errno) => return Err(errno.into()),
        }
        self.make_blocking()?;
        Ok(Waited::Done(()))
    }

    /// Another handle of the same socket.
    pub fn try_clone(&self) -> Result<Self, Errno> {
        Ok(Self(self.0.try_clone()?))
    }

    /// Makes calls on it fail with EAGAIN instead of waiting.
    pub fn make_non_blocking(&self) -> Result<(), Errno> {
        self.set_flags(OFlag::O_NONBLOCK)
    }

    /// Makes calls on it wait.
    pub fn make_blocking(&self) -> Result<(), Errno> {
        self.set_flags(OFlag::empty())
    }

    fn set_flags(&self, flags: OFlag) -> Result<(), Errno> {
        fcntl(&self.0, FcntlArg::F_SETFL(flags))?;
        Ok(())
    }

    /// Sends the end to the peer. It is no error if the peer has left.
    pub fn shut_down_writing(&self) -> Result<(), Errno> {
        match socket::shutdown(self.0.as_raw_fd(), Shutdown::Write) {
            Ok(()) | Err(nix::errno::Errno::ENOTCONN) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Makes close(2) reset a TCP connection instead of ending it. Other protocols have no reset.
    pub fn reset_when_closed(&self) {
        let at_once = libc::linger { l_onoff: 1, l_linger: 0 };
        let _ = socket::setsockopt(&self.0, sockopt::Linger, &at_once);
    }
}

/// The address of a path. A path that is too long for a socket address is replaced by one through a
/// descriptor, which has to stay open while the address is used.
pub fn path_address(path: &Path) -> Result<(UnixAddr, Option<OwnedFd>), Errno> {
    if let Ok(address) = UnixAddr::new(path) {
        return Ok((address, None));
    }
    let fd = open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?;
    let address = UnixAddr::new(&descriptor::path(&fd))?;
    Ok((address, Some(fd)))
}

/// Whether a process has the Unix socket at this address open, listening or not.
///
/// It connects a datagram socket: for a socket of another type the kernel refuses that with an error of
/// its own, and a datagram socket does not notice it. So no listener is disturbed, and a server between
/// bind(2) and listen(2), which would refuse a connection, counts as alive.
///
/// # Errors
/// ENOENT if there is no file; EACCES if this process may not connect.
pub fn is_alive(address: &UnixAddr) -> Result<bool, Errno> {
    let probe = Socket::new(AddressFamily::Unix, SocketType::Dgram)?;
    match socket::connect(probe.0.as_raw_fd(), address) {
        Ok(()) | Err(nix::errno::Errno::EPROTOTYPE | nix::errno::Errno::EPERM) => Ok(true),
        Err(nix::errno::Errno::ECONNREFUSED) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

fn type_of(kind: SocketType) -> SockType {
    match kind {
        SocketType::Stream => SockType::Stream,
        SocketType::Seqpacket => SockType::SeqPacket,
        SocketType::Dgram => SockType::Datagram,
    }
}

/// The type of a socket: socket(2).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SocketType {
    /// Bytes in order, without boundaries
    #[default]
    Stream,
    /// Messages in order, over a connection
    Seqpacket,
    /// Messages, each on its own
    Dgram,
}
