//! Sockets: socket(7), unix(7).

use std::ffi::{OsStr, OsString};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::socket::{
    self, AddressFamily, MsgFlags, Shutdown, SockFlag, SockType, SockaddrLike, SockaddrStorage,
    UnixAddr, sockopt,
};
use nix::sys::stat::{Mode, fchmod, umask};
use nix::sys::time::TimeVal;
use nix::unistd::geteuid;

use super::poll;
use crate::address::SocketType;
use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;

/// How many clients wait to be accepted unless somebody says otherwise: SOMAXCONN of new kernels.
pub const BACKLOG: i32 = 4096;

/// How much the kernel is asked to hold of what we sent and the peer has not read.
const SEND_BUFFER: usize = 4 << 20;

/// A socket. Dropping it closes the handle.
#[derive(Debug)]
pub struct Socket(OwnedFd);

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
        match unsafe { libc::listen(self.0.as_raw_fd(), backlog) } {
            0 => Ok(()),
            _ => Err(Errno::last()),
        }
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
            self.set_non_blocking(left == Some(Duration::ZERO))?;
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
        self.set_non_blocking(false)?;
        self.limit_sending(Duration::ZERO)?;
        connected
    }

    fn connect_elsewhere(
        &self,
        address: &dyn SockaddrLike,
        deadline: Deadline,
    ) -> Result<Waited, Errno> {
        self.set_non_blocking(true)?;
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
        self.set_non_blocking(false)?;
        Ok(Waited::Done(()))
    }

    fn limit_sending(&self, limit: Duration) -> Result<(), Errno> {
        let limit = TimeVal::new(
            limit.as_secs().try_into().unwrap_or(i64::MAX),
            limit.subsec_micros().into(),
        );
        Ok(socket::setsockopt(&self.0, sockopt::SendTimeout, &limit)?)
    }

    /// Another handle of the same socket.
    pub fn try_clone(&self) -> Result<Self, Errno> {
        Ok(Self(self.0.try_clone()?))
    }

    /// Makes calls on it fail with EAGAIN rather than wait.
    pub fn set_non_blocking(&self, non_blocking: bool) -> Result<(), Errno> {
        let flags = if non_blocking { OFlag::O_NONBLOCK } else { OFlag::empty() };
        fcntl(&self.0, FcntlArg::F_SETFL(flags))?;
        Ok(())
    }

    /// Lets the kernel hold much of what we send, so that neither side waits for the other at
    /// every block. It works as well without.
    pub fn enlarge_send_buffer(&self) {
        let _ = socket::setsockopt(&self.0, sockopt::SndBuf, &SEND_BUFFER);
    }

    /// Makes room for a message of this size, as far as the limits of the system allow.
    ///
    /// # Errors
    /// EPERM if they do not.
    fn make_room_for(&self, size: usize) -> Result<(), Errno> {
        // The kernel doubles what is asked for, and needs less than that for itself.
        let _ = socket::setsockopt(&self.0, sockopt::SndBuf, &size);
        if self.send_buffer()? < size {
            socket::setsockopt(&self.0, sockopt::SndBufForce, &size)?;
        }
        Ok(())
    }

    /// How much the kernel holds of what we send, its own records of it included.
    pub fn send_buffer(&self) -> Result<usize, Errno> {
        Ok(socket::getsockopt(&self.0, sockopt::SndBuf)?)
    }

    /// How much the kernel holds of what comes, its own records of it included.
    pub fn receive_buffer(&self) -> Result<usize, Errno> {
        Ok(socket::getsockopt(&self.0, sockopt::RcvBuf)?)
    }

    /// Whether the kernel finds out when a peer has vanished.
    pub fn keeps_alive(&self) -> bool {
        socket::getsockopt(&self.0, sockopt::KeepAlive).unwrap_or(false)
    }

    /// Whether what is written is sent at once; `None` unless it is one of TCP.
    pub fn sends_at_once(&self) -> Option<bool> {
        socket::getsockopt(&self.0, sockopt::TcpNoDelay).ok()
    }

    /// Tells the peer that nothing more comes. A peer that has left does not need to know.
    pub fn shut_down_writing(&self) -> Result<(), Errno> {
        match socket::shutdown(self.0.as_raw_fd(), Shutdown::Write) {
            Ok(()) | Err(nix::errno::Errno::ENOTCONN) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Ends both directions at once, for whoever uses them.
    pub fn shut_down(&self) {
        // One that is no longer connected has ended already.
        let _ = socket::shutdown(self.0.as_raw_fd(), Shutdown::Both);
    }

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

    fn scheme(&self) -> &'static str {
        match socket::getsockopt(&self.0, sockopt::SockType) {
            Ok(SockType::Datagram) => "udp",
            _ => "tcp",
        }
    }

    /// Prepares it for a TCP or UDP port that another of our kind may just have left, and keeps
    /// IPv6 from taking the port of IPv4 as well.
    pub fn share_port(&self) -> Result<(), Errno> {
        socket::setsockopt(&self.0, sockopt::ReuseAddr, &true)?;
        Ok(())
    }

    /// Sends what is written at once, and finds out when a peer has vanished: for TCP.
    pub fn tune_tcp(&self) {
        // Other sockets have no such options, and need none.
        let _ = socket::setsockopt(&self.0, sockopt::TcpNoDelay, &true);
        let _ = socket::setsockopt(&self.0, sockopt::KeepAlive, &true);
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

    /// Sends one message, or as much of a stream as is taken.
    ///
    /// # Errors
    /// EAGAIN if it is non-blocking and full; EPIPE if the peer has left; EMSGSIZE if a message is
    /// longer than the socket takes.
    pub fn send(&self, bytes: &[u8]) -> Result<usize, Errno> {
        loop {
            match socket::send(self.0.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL) {
                Err(nix::errno::Errno::EINTR) => {}
                result => return Ok(result?),
            }
        }
    }

    /// Sends one message whole, for which it lets the socket hold more if that is needed.
    ///
    /// # Errors
    /// As for [`Socket::send`]; EMSGSIZE if the limits of the system do not allow as much.
    pub fn send_message(&self, message: &[u8]) -> Result<(), Errno> {
        match self.send(message) {
            Err(Errno(libc::EMSGSIZE)) if self.make_room_for(message.len()).is_ok() => {
                self.send(message).map(drop)
            }
            result => result.map(drop),
        }
    }

    /// Receives what there is of a stream; 0 is the end.
    ///
    /// # Errors
    /// EAGAIN if it is non-blocking and nothing is there.
    pub fn receive(&self, buffer: &mut [u8]) -> Result<usize, Errno> {
        loop {
            match socket::recv(self.0.as_raw_fd(), buffer, MsgFlags::empty()) {
                Err(nix::errno::Errno::EINTR) => {}
                result => return Ok(result?),
            }
        }
    }

    /// Makes an empty message tell itself from the end, for which recv(2) gives 0 as well: from
    /// now on each message comes with the time of its arrival, which the end has none of.
    pub fn mark_messages(&self) -> Result<(), Errno> {
        Ok(socket::setsockopt(&self.0, sockopt::ReceiveTimestamp, &true)?)
    }

    /// Has each message tell who sent it: [`Message::uid`].
    pub fn tell_senders(&self) -> Result<(), Errno> {
        Ok(socket::setsockopt(&self.0, sockopt::PassCred, &true)?)
    }

    /// Receives the next message, whatever its size, into a buffer that grows for it; `None` at
    /// the end. The socket's messages are marked.
    ///
    /// # Errors
    /// EAGAIN if it is non-blocking and nothing is there.
    pub fn receive_message<'a>(&self, buffer: &'a mut Vec<u8>) -> Result<Option<&'a [u8]>, Errno> {
        Ok(self.receive_message_from(buffer)?.map(|message| message.bytes))
    }

    /// The same, and who sent it.
    pub fn receive_message_from<'a>(
        &self,
        buffer: &'a mut Vec<u8>,
    ) -> Result<Option<Message<'a>>, Errno> {
        let looked = self.receive_part(&mut [], MsgFlags::MSG_PEEK | MsgFlags::MSG_TRUNC)?;
        let Some(Part { size, .. }) = looked else { return Ok(None) };
        if buffer.len() < size {
            buffer.resize(size.next_power_of_two(), 0);
        }
        // Nobody else reads from it, so this is the one that was looked at.
        let part = self.receive_part(buffer, MsgFlags::empty())?;
        Ok(part.map(|Part { size, sender, uid }| Message { bytes: &buffer[..size], sender, uid }))
    }

    /// Receives a marked message, or looks at it; `None` at the end.
    fn receive_part(&self, buffer: &mut [u8], flags: MsgFlags) -> Result<Option<Part>, Errno> {
        let mut sender = Sender { address: MaybeUninit::zeroed(), length: 0 };
        let mut marks = [0_u64; 16];
        let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
        // SAFETY: zeros are a value of it: no address, no parts, no room for marks.
        let mut header: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
        header.msg_name = sender.address.as_mut_ptr().cast();
        header.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        header.msg_iov = &raw mut part;
        header.msg_iovlen = 1;
        header.msg_control = marks.as_mut_ptr().cast();
        header.msg_controllen = size_of_val(&marks) as _;
        let size = loop {
            // SAFETY: the header points to places that live through the call, with their sizes.
            let size = unsafe { libc::recvmsg(self.0.as_raw_fd(), &raw mut header, flags.bits()) };
            match usize::try_from(size) {
                Ok(size) => break size,
                Err(_) if Errno::last() == Errno(libc::EINTR) => {}
                Err(_) => return Err(Errno::last()),
            }
        };
        sender.length = header.msg_namelen;
        let marked = header.msg_controllen != 0;
        let uid = sender_of(&header);
        let sender = (sender.length as usize > size_of::<libc::sa_family_t>()).then_some(sender);
        Ok((marked || size > 0).then_some(Part { size, sender, uid }))
    }

    /// Answers who sent a message.
    pub fn answer(&self, message: &[u8], sender: &Sender) -> Result<(), Errno> {
        loop {
            // SAFETY: the message and the address live through the call, with their sizes.
            let sent = unsafe {
                libc::sendto(
                    self.0.as_raw_fd(),
                    message.as_ptr().cast(),
                    message.len(),
                    libc::MSG_NOSIGNAL,
                    sender.address.as_ptr().cast(),
                    sender.length,
                )
            };
            match (sent, Errno::last()) {
                (0.., _) => return Ok(()),
                (_, Errno(libc::EINTR)) => {}
                (_, errno) => return Err(errno),
            }
        }
    }
}

/// Where a message came from.
pub struct Sender {
    address: MaybeUninit<libc::sockaddr_storage>,
    length: libc::socklen_t,
}

/// The user who sent a message, if the kernel told.
fn sender_of(header: &libc::msghdr) -> Option<u32> {
    // SAFETY: the kernel filled the header and the room for marks.
    let mut mark = unsafe { libc::CMSG_FIRSTHDR(header) };
    // SAFETY: it is null, or points to a mark in that room.
    while let Some(found) = unsafe { mark.as_ref() } {
        if (found.cmsg_level, found.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) {
            // SAFETY: this is where its contents begin.
            let contents = unsafe { libc::CMSG_DATA(mark) };
            // SAFETY: marks of this type have these contents, whatever their alignment.
            let credentials = unsafe { contents.cast::<libc::ucred>().read_unaligned() };
            return Some(credentials.uid);
        }
        // SAFETY: as for the first.
        mark = unsafe { libc::CMSG_NXTHDR(header, mark) };
    }
    None
}

/// A message that was received.
pub struct Message<'a> {
    /// What it says.
    pub bytes: &'a [u8],
    /// Where an answer goes, if it can.
    pub sender: Option<Sender>,
    /// The user who sent it, where that was asked for.
    pub uid: Option<u32>,
}

/// What recvmsg(2) told besides the bytes.
struct Part {
    size: usize,
    sender: Option<Sender>,
    uid: Option<u32>,
}

/// The address of a path. One that is too long for a socket address is reached through a
/// descriptor, which has to stay open until the address was used.
pub fn path_address(path: &Path) -> Result<(UnixAddr, Option<OwnedFd>), Errno> {
    if let Ok(address) = UnixAddr::new(path) {
        return Ok((address, None));
    }
    let fd = open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?;
    let address = UnixAddr::new(format!("/proc/self/fd/{}", fd.as_raw_fd()).as_str())?;
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
        (_, Some(address)) => SocketAddr::V6((*address).into()),
        _ => match address.as_vsock_addr() {
            Some(vsock) => return format!("vsock:{}:{}", vsock.cid(), vsock.port()).into(),
            None => return OsString::new(),
        },
    };
    format!("{scheme}:{internet}").into()
}
