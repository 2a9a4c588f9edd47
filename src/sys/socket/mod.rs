//! Sockets: socket(7), unix(7).

mod identity;
mod messages;
mod options;
mod unread;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::socket::{
    self, AddressFamily, Shutdown, SockFlag, SockType, SockaddrLike, UnixAddr, sockopt,
};
use nix::sys::stat::{Mode, fchmod, umask};

pub use identity::{Credentials, is_our_user};
pub use messages::Sender;
pub use options::{KeepAlive, Versions};

use super::{descriptor, poll};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;

/// How many clients wait to be accepted unless somebody says otherwise: SOMAXCONN of new kernels.
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
    /// The mode is on the socket before it is bound, so that there is no moment with a wider one;
    /// the umask, which would take something off, is out of the way meanwhile. It is that of the
    /// process, so nothing else may create files at the same time.
    ///
    /// # Errors
    /// EADDRINUSE if something is at the path, whatever it is.
    pub fn bind_path(&self, address: &UnixAddr, mode: u32) -> Result<(), Errno> {
        fchmod(&self.0, Mode::from_bits_truncate(mode))?;
        let before = umask(Mode::empty());
        let bound = socket::bind(self.0.as_raw_fd(), address);
        umask(before);
        Ok(bound?)
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
        // The kernel itself takes what is too much for as much as it allows; C libraries differ in
        // what they call the limit.
        // SAFETY: the call takes numbers only.
        Errno::check(unsafe { libc::listen(self.0.as_raw_fd(), backlog) })
    }

    /// The next client that waits; `None` if there is none, or if it has left already. The socket
    /// is non-blocking for this.
    ///
    /// # Errors
    /// EMFILE and its like, with the client still waiting.
    pub fn accept(&self) -> Result<Option<Self>, Errno> {
        loop {
            match socket::accept4(self.0.as_raw_fd(), SockFlag::SOCK_CLOEXEC) {
                // SAFETY: the kernel has just made it, and nobody else knows the number.
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
    /// ENOENT and ECONNREFUSED if nobody listens; EPROTOTYPE if the socket is of another type.
    pub fn connect(&self, address: &dyn SockaddrLike, deadline: Deadline) -> Result<Waited, Errno> {
        match address.family() {
            Some(AddressFamily::Unix) => self.connect_unix(address, deadline),
            _ => self.connect_elsewhere(address, deadline),
        }
    }

    /// A full backlog of a Unix socket is waited for in connect(2) itself, and poll(2) does not
    /// tell when it has room; but the time limit for sending is that for connecting as well.
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
            // Zero would be for ever.
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
            // It goes on by itself, after a signal as well.
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

    /// Has calls on it fail with EAGAIN rather than wait.
    pub fn make_non_blocking(&self) -> Result<(), Errno> {
        self.set_flags(OFlag::O_NONBLOCK)
    }

    /// Has calls on it wait.
    pub fn make_blocking(&self) -> Result<(), Errno> {
        self.set_flags(OFlag::empty())
    }

    fn set_flags(&self, flags: OFlag) -> Result<(), Errno> {
        fcntl(&self.0, FcntlArg::F_SETFL(flags))?;
        Ok(())
    }

    /// Tells the peer that nothing more comes. A peer that has left does not need to know.
    pub fn shut_down_writing(&self) -> Result<(), Errno> {
        match socket::shutdown(self.0.as_raw_fd(), Shutdown::Write) {
            Ok(()) | Err(nix::errno::Errno::ENOTCONN) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Has a TCP peer find the connection reset when the socket is closed, rather than at its end.
    /// Other protocols cannot tell the two apart.
    pub fn reset_when_closed(&self) {
        let at_once = libc::linger { l_onoff: 1, l_linger: 0 };
        let _ = socket::setsockopt(&self.0, sockopt::Linger, &at_once);
    }
}

/// The address of a path. One that is too long for a socket address is reached through a
/// descriptor, which has to stay open until the address was used.
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
/// It asks as a datagram socket: one of another type answers that the types do not fit, and one of
/// this type notices nothing. So nobody who listens is disturbed, and a server between bind(2) and
/// listen(2), who would refuse a connection, counts as alive.
///
/// # Errors
/// ENOENT if there is nothing; EACCES if we may not know.
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

/// What a socket keeps of what is written to it: socket(2).
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
