//! The sockets of this network namespace, with the same words for all families.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use nix::sys::stat::{fstat, lstat, stat};

use crate::base::errno::Errno;
use crate::mechanism::socket::address::{Address, Endpoint, HostPort};
use crate::mechanism::socket::{Error, resolve};
use crate::sys::sock_diag::Lists;
use crate::sys::socket::Socket;
use crate::sys::unix_diag::{self, State};
use crate::sys::{inet_table, process};

/// The properties of a socket.
#[derive(Clone, Debug)]
pub struct Row {
    /// unix, tcp or udp.
    pub family: &'static str,
    /// stream, seqpacket or dgram.
    pub kind: &'static str,
    /// Its state: a word of [`tcp_state`], or connected, unconnected, listening.
    pub state: &'static str,
    /// The address that it is bound to, in the notation of the command line; empty if there is none.
    pub address: Vec<u8>,
    /// The address of its peer; empty if there is none.
    pub peer: Vec<u8>,
    /// Bytes to be read; clients to be accepted, if it listens.
    pub receive_queue: u32,
    /// Bytes that the peer has not read; the length of the backlog, if it listens.
    pub send_queue: u32,
    /// The user that opened it.
    pub uid: Option<u32>,
    /// The number by which `/proc/PID/fd` shows it.
    pub inode: u64,
    /// The same of the socket that it is connected to, if both are Unix sockets.
    pub peer_inode: Option<u64>,
    /// The address and port, for TCP and UDP.
    local: Option<SocketAddr>,
    /// The file, for a Unix socket that is bound to one.
    file: Option<unix_diag::File>,
}

/// The word for a listening socket.
pub const LISTENING: &str = "listening";

impl Row {
    /// Whether it waits for clients or for datagrams.
    pub fn is_reachable(&self) -> bool {
        let bound = self.kind == "dgram" && self.state == "unconnected" && !self.address.is_empty();
        self.state == LISTENING || bound
    }

    fn is_at_port(&self, family: &str, hosts: &[SocketAddr]) -> bool {
        let is_it = |local: SocketAddr, host: &SocketAddr| {
            let everywhere = local.ip().is_unspecified() || host.ip().is_unspecified();
            local.port() == host.port() && (everywhere || same_host(local.ip(), host.ip()))
        };
        let at = |local| hosts.iter().any(|host| is_it(local, host));
        self.family == family && self.local.is_some_and(at)
    }
}

/// All sockets: those of Unix, then TCP, then UDP.
pub fn all() -> Result<Vec<Row>, Errno> {
    let mut rows = unix(|_| Vec::new(), process::directories)?;
    rows.extend(inet()?);
    Ok(rows)
}

/// The TCP sockets, then those of UDP.
pub fn inet() -> Result<Vec<Row>, Errno> {
    let (tcp, udp) = (inet_table::tcp()?, inet_table::udp()?);
    let tcp = tcp.iter().map(|entry| of_port("tcp", "stream", entry));
    Ok(tcp.chain(udp.iter().map(|entry| of_port("udp", "dgram", entry))).collect())
}

/// The sockets that wait for clients or for datagrams, as far as the kernel lists them quickly: no process is
/// looked at. So a socket that was bound to a relative name is found in the working directory only.
pub fn reachable() -> Vec<Row> {
    let Ok(mut lists) = Lists::open() else { return Vec::new() };
    let mut entries = unix_diag::listed(&mut lists).unwrap_or_default();
    entries.retain(|entry| !entry.name.is_empty() && entry.peer.is_none());
    let paths = Paths::of(&entries, |_| vec![PathBuf::from(".")], BTreeSet::new);
    let is_elsewhere = |entry: &unix_diag::Entry| {
        is_relative(entry) && !entry.file.is_some_and(|file| paths.0.contains_key(&file))
    };
    let tcp = inet_table::listening_tcp(&mut lists);
    let udp = inet_table::unconnected_udp(&mut lists);
    let unix = entries.iter().filter(|entry| !is_elsewhere(entry));
    let unix = unix.map(|entry| of_unix(entry, unix_address(entry, &paths), Vec::new()));
    let tcp = tcp.iter().map(|entry| of_port("tcp", "stream", entry));
    let udp = udp.iter().map(|entry| of_port("udp", "dgram", entry));
    unix.chain(tcp).chain(udp).filter(Row::is_reachable).collect()
}

/// The sockets that are bound to an address: listening ones, and a server's ends of its connections.
///
/// # Errors
/// [`Error::Unsuitable`] for families that the kernel does not list.
pub fn at(address: &Address) -> Result<Vec<Row>, Error> {
    let rows = all()?;
    Ok(match address.endpoint() {
        Endpoint::Path(path) => {
            let file = stat(path).map_err(|errno| Error::Kernel(errno.into()))?;
            select(rows, |row| row.file.is_some_and(|own| own.is(&file)))
        }
        Endpoint::Abstract(name) => {
            let name = [b"@", name.as_bytes()].concat();
            select(rows, |row| row.family == "unix" && row.file.is_none() && row.address == name)
        }
        Endpoint::Tcp(host) => at_port(rows, "tcp", host)?,
        Endpoint::Udp(host) => at_port(rows, "udp", host)?,
        Endpoint::Vsock { .. } | Endpoint::Descriptor(_) | Endpoint::Named(_) => {
            return Err(Error::Unsuitable("no table of the system shows such sockets"));
        }
    })
}

/// The number of bytes that the peer of a Unix socket has not read, if the table has both sockets.
pub fn unread(socket: &Socket) -> Option<u32> {
    let own = u32::try_from(fstat(socket).ok()?.st_ino).ok()?;
    let entries = unix_diag::all().ok()?;
    let find = |inode: u32| entries.iter().find(|entry| entry.inode == inode);
    Some(find(find(own)?.peer?)?.receive_queue)
}

fn at_port(rows: Vec<Row>, family: &str, host: &HostPort) -> Result<Vec<Row>, Error> {
    let hosts = resolve(host, &[Ipv4Addr::UNSPECIFIED.into()])?;
    Ok(select(rows, |row| row.is_at_port(family, &hosts)))
}

fn same_host(one: IpAddr, other: IpAddr) -> bool {
    one.to_canonical() == other.to_canonical()
}

fn select(mut rows: Vec<Row>, wanted: impl Fn(&Row) -> bool) -> Vec<Row> {
    rows.retain(wanted);
    rows
}

/// The Unix sockets. The paths of those that were bound to relative names are searched in the directories that
/// `near` has for the inode of a socket, then `everywhere`.
pub fn unix(
    near: impl FnMut(u64) -> Vec<PathBuf>,
    everywhere: impl FnOnce() -> BTreeSet<PathBuf>,
) -> Result<Vec<Row>, Errno> {
    let entries = unix_diag::all()?;
    let paths = Paths::of(&entries, near, everywhere);
    let names: BTreeMap<u32, Vec<u8>> =
        entries.iter().map(|entry| (entry.inode, unix_address(entry, &paths))).collect();
    let named = |inode: u32| names.get(&inode).cloned().unwrap_or_default();
    let row = |entry: &unix_diag::Entry| {
        of_unix(entry, named(entry.inode), entry.peer.map(named).unwrap_or_default())
    };
    Ok(entries.iter().map(row).collect())
}

fn of_unix(entry: &unix_diag::Entry, address: Vec<u8>, peer: Vec<u8>) -> Row {
    Row {
        family: "unix",
        kind: match i32::from(entry.kind) {
            libc::SOCK_SEQPACKET => "seqpacket",
            libc::SOCK_DGRAM => "dgram",
            _ => "stream",
        },
        state: match entry.state {
            // The kernel marks a socket for datagrams once another is connected to it.
            State::Established if is_for_datagrams(entry) && entry.peer.is_none() => "unconnected",
            State::Established => "connected",
            State::Listening => LISTENING,
            State::Unconnected => "unconnected",
        },
        address,
        peer,
        receive_queue: entry.receive_queue,
        send_queue: entry.send_queue,
        uid: entry.uid,
        inode: entry.inode.into(),
        peer_inode: entry.peer.map(u64::from),
        local: None,
        file: entry.file,
    }
}

fn is_for_datagrams(entry: &unix_diag::Entry) -> bool {
    i32::from(entry.kind) == libc::SOCK_DGRAM
}

/// The address of a Unix socket.
fn unix_address(entry: &unix_diag::Entry, paths: &Paths) -> Vec<u8> {
    if let Some(name) = entry.abstract_name() {
        return [b"@", name].concat();
    }
    match entry.file.and_then(|file| paths.0.get(&file)) {
        Some(path) => path.as_os_str().as_bytes().to_vec(),
        None => bound_name(entry).to_vec(),
    }
}

/// The path that was given to bind(2).
fn bound_name(entry: &unix_diag::Entry) -> &[u8] {
    entry.name.strip_suffix(b"\0").unwrap_or(&entry.name)
}

/// Whether the path that was given to bind(2) was relative.
fn is_relative(entry: &unix_diag::Entry) -> bool {
    !matches!(bound_name(entry), [b'/' | b'\0', ..] | [])
}

/// The path of a Unix socket that was bound to a relative name, if it can be found.
pub fn path_of(socket: &Socket) -> Option<PathBuf> {
    let own = u32::try_from(fstat(socket).ok()?.st_ino).ok()?;
    let entries = unix_diag::all().ok()?;
    let entry = entries.into_iter().find(|entry| entry.inode == own)?;
    let file = entry.file?;
    Paths::of(&[entry], |_| Vec::new(), process::directories).0.remove(&file)
}

/// The paths of sockets that were bound to relative names.
struct Paths(BTreeMap<unix_diag::File, PathBuf>);

impl Paths {
    /// Looks for them in the working directories and open directories of processes: a server keeps the
    /// directory of its path open. Device and inode have to match.
    fn of(
        entries: &[unix_diag::Entry],
        mut near: impl FnMut(u64) -> Vec<PathBuf>,
        everywhere: impl FnOnce() -> BTreeSet<PathBuf>,
    ) -> Self {
        let relative = entries.iter().filter(|entry| is_relative(entry));
        // The connections of a server have its address. The server itself is more likely to have the
        // directory than the processes that it gave connections to.
        let (listening, others): (Vec<_>, Vec<_>) =
            relative.partition(|entry| entry.state == State::Listening);
        let sought: BTreeMap<_, _> = (others.into_iter().chain(listening))
            .filter_map(|entry| Some((entry.file?, entry)))
            .collect();
        let everywhere = LazyCell::new(everywhere);
        let mut find = |(file, entry): (unix_diag::File, &unix_diag::Entry)| {
            let name = bound_name(entry);
            let name = OsStr::from_bytes(name.strip_prefix(b"./").unwrap_or(name));
            let in_directory = |directory: &PathBuf| {
                Some(directory.join(name))
                    .filter(|path| lstat(path).is_ok_and(|found| file.is(&found)))
            };
            let path = near(entry.inode.into()).iter().find_map(in_directory);
            Some((file, path.or_else(|| everywhere.iter().find_map(in_directory))?))
        };
        Self(sought.into_iter().filter_map(&mut find).collect())
    }
}

fn of_port(family: &'static str, kind: &'static str, entry: &inet_table::Entry) -> Row {
    let words = |address: SocketAddr| format!("{family}:{address}").into_bytes();
    let connected = entry.remote.port() != 0;
    Row {
        family,
        kind,
        state: if family == "tcp" { tcp_state(entry.state) } else { udp_state(connected) },
        address: words(entry.local),
        peer: if connected { words(entry.remote) } else { Vec::new() },
        receive_queue: entry.receive_queue,
        send_queue: entry.send_queue,
        uid: Some(entry.uid),
        inode: entry.inode,
        peer_inode: None,
        local: Some(entry.local),
        file: None,
    }
}

fn udp_state(connected: bool) -> &'static str {
    if connected { "connected" } else { "unconnected" }
}

/// The states of TCP, RFC 9293, in the order in which the kernel numbers them.
pub fn tcp_state(number: u8) -> &'static str {
    const STATES: [&str; 12] = [
        "connected",
        "syn-sent",
        "syn-received",
        "fin-wait-1",
        "fin-wait-2",
        "time-wait",
        "closed",
        "close-wait",
        "last-ack",
        LISTENING,
        "closing",
        "syn-received",
    ];
    STATES.get(usize::from(number).wrapping_sub(1)).copied().unwrap_or("unknown")
}
