//! Listening at an address and connecting to one, whatever its kind.

use std::ffi::{OsStr, OsString};
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::socket::{AddressFamily, SockaddrStorage, UnixAddr, VsockAddr};
use nix::sys::stat::{FileStat, stat};

use crate::address::{Address, HostPort, Place, SocketType};
use crate::binding::{self, Binding};
use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;
use crate::exit::{Exit, Failure};
use crate::sys::descriptor;
use crate::sys::directory::{is_same, is_socket};
use crate::sys::poll;
use crate::sys::socket::{self, Socket};
use crate::sys::unix_diag::{self, Entry, State};
use crate::sys::watch::Watch;

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
    /// The socket there is of another type.
    #[error("the socket there is not of type {}", type_name(*.0))]
    OtherType(SocketType),
    /// No address belongs to the name.
    #[error("no such host")]
    UnknownHost,
    /// A descriptor that was handed over is no socket that listens.
    #[error("not a socket that listens")]
    NotListening,
    /// An address of this kind is not for this.
    #[error("{0}")]
    Unsuitable(&'static str),
}

impl From<binding::Error> for Error {
    fn from(error: binding::Error) -> Self {
        match error {
            binding::Error::Kernel(errno) => Self::Kernel(errno),
            binding::Error::NotASocket => Self::Occupied,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let reason = error.to_string();
        match error {
            Error::Kernel(errno) => errno.into(),
            Error::NotASocket | Error::NotListening => Self::failed(reason),
            Error::UnknownHost => Self::new(Exit::NotFound, reason),
            Error::Occupied => Self::new(Exit::InUse, reason),
            Error::OtherType(_) => Self::failed(reason).hint("give its type with --type"),
            Error::Unsuitable(_) => Self::new(Exit::Usage, reason),
        }
    }
}

/// A socket that listens. Dropping it gives its path up first, while nobody can take it over yet.
#[derive(Debug)]
pub struct Listener {
    binding: Option<Arc<Binding>>,
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
            Place::Tcp(at) => Self::at_port(at, stream_only(terms.kind)?, terms)?,
            Place::Udp(at) => Self::at_port(at, datagrams_only(terms.kind)?, terms)?,
            Place::Vsock { cid, port } => {
                let socket = Socket::new(AddressFamily::Vsock, terms.kind)?;
                socket.bind(&VsockAddr::new(*cid, *port))?;
                listen(&socket, terms)?;
                Self { binding: None, address: socket.local_address(), socket }
            }
            Place::Descriptor(number) => {
                let socket = Socket::from(descriptor::handed_over(*number)?);
                if !socket.is_listening() && terms.kind != SocketType::Dgram {
                    return Err(Error::NotListening);
                }
                Self { binding: None, address: address_of(&socket), socket }
            }
        };
        listener.socket.set_non_blocking(true)?;
        Ok(listener)
    }

    /// At the first address of the host that can be had.
    fn at_port(at: &HostPort, kind: SocketType, terms: Terms) -> Result<Self, Error> {
        let addresses = resolve(at, Ipv4Addr::UNSPECIFIED)?;
        let mut refused = Error::Kernel(Errno(libc::EADDRNOTAVAIL));
        for address in addresses {
            let bound = Socket::new(family(&address), kind).and_then(|socket| {
                socket.share_port()?;
                socket.bind(&SockaddrStorage::from(address))?;
                listen(&socket, terms)?;
                Ok(socket)
            });
            match bound {
                Ok(socket) => {
                    let address = socket.local_address();
                    return Ok(Self { binding: None, socket, address });
                }
                Err(errno) => refused = errno.into(),
            }
        }
        Err(refused)
    }

    fn at_path(address: &Address, path: &Path, terms: Terms) -> Result<Self, Error> {
        let socket = Socket::new(AddressFamily::Unix, terms.kind)?;
        let binding = Binding::take(path, &socket, terms.mode, || listen(&socket, terms))?;
        Ok(Self { binding: Some(Arc::new(binding)), socket, address: address.as_ref().to_owned() })
    }

    /// The socket.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Its path, if it has one that is to be removed.
    pub fn binding(&self) -> Option<Arc<Binding>> {
        self.binding.clone()
    }

    /// Where it listens, as clients write it.
    pub fn address(&self) -> &OsStr {
        &self.address
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.binding.iter().for_each(|binding| binding.release());
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Where a socket that was handed over listens. One that we bound ourselves has a name beside the
/// path that clients know.
fn address_of(socket: &Socket) -> OsString {
    let bound = socket.local_address();
    let known = binding::path_of(Path::new(&bound)).filter(|path| stat(path).is_ok());
    known.map_or(bound, PathBuf::into_os_string)
}

/// Connects, waiting for room in the backlog of who listens until `deadline`; where nobody does,
/// it tries again until `retry` has passed.
///
/// # Errors
/// ENOENT and ECONNREFUSED if nobody listens.
pub fn connect(
    address: &Address,
    kind: SocketType,
    deadline: Deadline,
    retry: Deadline,
) -> Result<Waited<Socket>, Error> {
    loop {
        let refused = match connect_once(address, kind, deadline) {
            Err(error) if is_nobody(error) && !retry.has_passed() => error,
            result => return result,
        };
        if wait(address, retry.min(deadline))? == Waited::TimedOut {
            return if deadline.has_passed() { Ok(Waited::TimedOut) } else { Err(refused) };
        }
    }
}

fn is_nobody(error: Error) -> bool {
    matches!(error, Error::Kernel(Errno(libc::ENOENT | libc::ECONNREFUSED)))
}

fn connect_once(
    address: &Address,
    kind: SocketType,
    deadline: Deadline,
) -> Result<Waited<Socket>, Error> {
    let (to, _held) = match address.place() {
        Place::Path(path) => socket::path_address(path)?,
        Place::Abstract(name) => (abstract_address(name)?, None),
        Place::Tcp(at) => return connect_to_host(at, stream_only(kind)?, deadline),
        Place::Udp(at) => return connect_to_host(at, datagrams_only(kind)?, deadline),
        Place::Vsock { cid, port } => {
            let socket = Socket::new(AddressFamily::Vsock, kind)?;
            let waited = socket.connect(&VsockAddr::new(*cid, *port), deadline)?;
            return Ok(connected(waited, socket));
        }
        Place::Descriptor(number) => {
            return Ok(Waited::Done(Socket::from(descriptor::handed_over(*number)?)));
        }
    };
    let socket = Socket::new(AddressFamily::Unix, kind)?;
    if kind == SocketType::Dgram {
        // A name of the kernel's choice, so that an answer finds us.
        socket.bind(&UnixAddr::new_unnamed())?;
    }
    match socket.connect(&to, deadline) {
        Ok(waited) => Ok(connected(waited, socket)),
        Err(Errno(libc::EPROTOTYPE)) => Err(Error::OtherType(kind)),
        Err(Errno(libc::ECONNREFUSED)) if is_other_file(address) => Err(Error::NotASocket),
        Err(errno) => Err(errno.into()),
    }
}

fn connected(waited: Waited, socket: Socket) -> Waited<Socket> {
    match waited {
        Waited::Done(()) => Waited::Done(socket),
        Waited::TimedOut => Waited::TimedOut,
    }
}

/// To the first address of the host that answers.
fn connect_to_host(
    at: &HostPort,
    kind: SocketType,
    deadline: Deadline,
) -> Result<Waited<Socket>, Error> {
    let mut refused = Error::Kernel(Errno(libc::EADDRNOTAVAIL));
    for address in resolve(at, Ipv4Addr::LOCALHOST)? {
        let socket = Socket::new(family(&address), kind)?;
        match socket.connect(&SockaddrStorage::from(address), deadline) {
            Ok(waited) => {
                socket.tune_tcp();
                return Ok(connected(waited, socket));
            }
            Err(errno) => refused = errno.into(),
        }
    }
    Err(refused)
}

/// The addresses of a host; `own` is that of an empty one.
pub fn resolve(at: &HostPort, own: Ipv4Addr) -> Result<Vec<SocketAddr>, Error> {
    if at.host.is_empty() {
        return Ok(vec![SocketAddr::from((own, at.port))]);
    }
    let found = (at.host.as_str(), at.port).to_socket_addrs();
    found.map(Iterator::collect).map_err(|_| Error::UnknownHost)
}

fn family(address: &SocketAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}

fn stream_only(kind: SocketType) -> Result<SocketType, Error> {
    match kind {
        SocketType::Stream => Ok(kind),
        _ => Err(Error::Unsuitable("TCP sockets are of type stream")),
    }
}

fn datagrams_only(kind: SocketType) -> Result<SocketType, Error> {
    match kind {
        SocketType::Dgram => Ok(kind),
        _ => Err(Error::Unsuitable("UDP sockets are for 'ipc sock send' and 'ipc sock recv'")),
    }
}

/// Lets clients connect, to a socket of a type that has clients.
fn listen(socket: &Socket, terms: Terms) -> Result<(), Errno> {
    if terms.kind == SocketType::Dgram { Ok(()) } else { socket.listen(terms.backlog) }
}

/// Whether there is something at the path that is no socket.
fn is_other_file(address: &Address) -> bool {
    address.path().is_some_and(|path| stat(path).is_ok_and(|status| !is_socket(&status)))
}

/// Waits until somebody listens, or has bound a datagram socket there.
///
/// A directory tells when a name appears in it. What else has to happen, a foreign server's
/// listen(2) after its bind(2), or anything in the abstract namespace, nobody tells, so we look
/// again, soon at first and then more rarely.
pub fn wait(address: &Address, deadline: Deadline) -> Result<Waited, Error> {
    const FIRST_PAUSE: Duration = Duration::from_millis(1);
    const LAST_PAUSE: Duration = Duration::from_millis(250);
    let mut pause = FIRST_PAUSE;
    let mut watch = None;
    loop {
        // Watching begins before we look, so that nothing falls between.
        watch = watch.or_else(|| Watch::new(parent(address.path()?)).ok());
        let looked_too_late = deadline.has_passed();
        if is_served(address)? {
            return Ok(Waited::Done(()));
        }
        if looked_too_late {
            return Ok(Waited::TimedOut);
        }
        let until = deadline.min(Deadline::after(pause));
        let waited = match &watch {
            Some(watch) => watch.wait(until)?,
            None => poll::any(&mut [], until)?,
        };
        pause = match waited {
            Waited::Done(()) => FIRST_PAUSE,
            Waited::TimedOut => LAST_PAUSE.min(pause * 2),
        };
    }
}

/// The directory of a path, to watch it.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Whether somebody listens at an address, found out without a connection wherever it can be: a
/// server would take one for a client.
pub fn is_served(address: &Address) -> Result<bool, Error> {
    match address.place() {
        Place::Path(path) => is_path_served(path),
        Place::Abstract(name) => match unix_diag::all() {
            Ok(entries) => {
                let named = |entry: &&Entry| entry.abstract_name() == Some(name.as_bytes());
                Ok(entries.iter().find(named).is_some_and(serves))
            }
            Err(_) => answers(&abstract_address(name)?),
        },
        Place::Tcp(_) | Place::Vsock { .. } => {
            match connect_once(address, SocketType::Stream, Deadline::after(ANSWER)) {
                Ok(Waited::Done(_)) => Ok(true),
                Ok(Waited::TimedOut) => Ok(false),
                Err(Error::Kernel(Errno(libc::ECONNREFUSED | libc::ECONNRESET))) => Ok(false),
                Err(error) => Err(error),
            }
        }
        Place::Udp(_) => Err(Error::Unsuitable("nobody can tell whether a UDP port has a reader")),
        Place::Descriptor(_) => Err(Error::Unsuitable("an open descriptor is there already")),
    }
}

/// How long a host may take to answer before we look again.
const ANSWER: Duration = Duration::from_secs(3);

fn serves(entry: &Entry) -> bool {
    entry.state == State::Listening || i32::from(entry.kind) == libc::SOCK_DGRAM
}

fn is_path_served(path: &Path) -> Result<bool, Error> {
    let file: FileStat = match stat(path) {
        Ok(file) => file,
        Err(nix::errno::Errno::ENOENT) => return Ok(false),
        Err(errno) => return Err(Error::Kernel(errno.into())),
    };
    if !is_socket(&file) {
        return Ok(false);
    }
    let known = unix_diag::all().unwrap_or_default();
    if known.iter().any(|entry| entry.is_bound_to(&file) && serves(entry)) {
        return Ok(true);
    }
    // A server of another network namespace is in no list of ours, and some file systems tell
    // stat(2) other numbers than they tell the kernel.
    let (address, _held) = match socket::path_address(path) {
        Err(Errno(libc::ENOENT)) => return Ok(false),
        result => result?,
    };
    match socket::is_alive(&address) {
        Ok(false) | Err(Errno(libc::ENOENT)) => Ok(false),
        // Another server took the path since we looked: the list knows it by now. To connect would
        // be to use up the client of one that serves a single one.
        Ok(true) if !stat(path).is_ok_and(|now| is_same(&now, &file)) => is_path_served(path),
        Ok(true) => answers(&address),
        Err(errno) => Err(errno.into()),
    }
}

/// Whether somebody listens at an address, found out by a connection.
fn answers(address: &UnixAddr) -> Result<bool, Error> {
    for kind in [SocketType::Stream, SocketType::Seqpacket, SocketType::Dgram] {
        match Socket::new(AddressFamily::Unix, kind)?.connect(address, Deadline::PASSED) {
            // A full backlog is one that somebody has.
            Ok(_) => return Ok(true),
            Err(Errno(libc::EPROTOTYPE)) => {}
            Err(Errno(libc::ECONNREFUSED | libc::ENOENT)) => return Ok(false),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(false)
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
