//! The sockets of this network namespace, of all families in the same words.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::sys::stat::{fstat, stat};

use crate::address::{Address, HostPort, Place};
use crate::endpoint::{Error, resolve};
use crate::errno::Errno;
use crate::sys::inet_table;
use crate::sys::socket::Socket;
use crate::sys::unix_diag::{self, State};

/// What is known of a socket.
#[derive(Clone, Debug)]
pub struct Row {
    /// unix, tcp or udp.
    pub family: &'static str,
    /// stream, seqpacket or dgram.
    pub kind: &'static str,
    /// Our word for its state.
    pub state: &'static str,
    /// Where it is bound, as we write addresses; empty if nowhere.
    pub address: Vec<u8>,
    /// Where its peer is bound; empty if there is none.
    pub peer: Vec<u8>,
    /// Bytes to be read; or, of one that listens, clients to be accepted.
    pub receive_queue: u32,
    /// Bytes on their way; or, of one that listens, how many clients may wait.
    pub send_queue: u32,
    /// Who opened it.
    pub uid: Option<u32>,
    /// The number by which `/proc/PID/fd` shows it.
    pub inode: u64,
    /// The port, of TCP and UDP.
    local: Option<SocketAddr>,
    /// The file, of a Unix socket that has one.
    file: Option<unix_diag::File>,
}

/// The word for a socket that waits for clients.
pub const LISTENING: &str = "listening";

impl Row {
    /// Whether others can come to it: it waits for clients or for datagrams.
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
    let mut rows = unix()?;
    rows.extend(inet_table::tcp()?.iter().map(|entry| of_port("tcp", "stream", entry)));
    rows.extend(inet_table::udp()?.iter().map(|entry| of_port("udp", "dgram", entry)));
    Ok(rows)
}

/// The sockets that are bound to an address: those that others come to, and the ends that a server
/// has of its connections.
///
/// # Errors
/// That the address cannot be looked for.
pub fn at(address: &Address) -> Result<Vec<Row>, Error> {
    let rows = all()?;
    Ok(match address.place() {
        Place::Path(path) => {
            let file = stat(path).map_err(|errno| Error::Kernel(errno.into()))?;
            select(rows, |row| row.file.is_some_and(|own| own.is(&file)))
        }
        Place::Abstract(name) => {
            let name = [b"@", name.as_bytes()].concat();
            select(rows, |row| row.family == "unix" && row.file.is_none() && row.address == name)
        }
        Place::Tcp(host) => at_port(rows, "tcp", host)?,
        Place::Udp(host) => at_port(rows, "udp", host)?,
        Place::Vsock { .. } | Place::Descriptor(_) | Place::Handed(_) => {
            return Err(Error::Unsuitable("no table of the system shows such sockets"));
        }
    })
}

/// How many bytes the peer of a Unix socket has not read, if the table has both.
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

fn unix() -> Result<Vec<Row>, Errno> {
    let entries = unix_diag::all()?;
    let names: BTreeMap<u32, Vec<u8>> =
        entries.iter().map(|entry| (entry.inode, unix_address(entry))).collect();
    let named = |inode: u32| names.get(&inode).cloned().unwrap_or_default();
    let row = |entry: &unix_diag::Entry| Row {
        family: "unix",
        kind: match i32::from(entry.kind) {
            libc::SOCK_SEQPACKET => "seqpacket",
            libc::SOCK_DGRAM => "dgram",
            _ => "stream",
        },
        state: match entry.state {
            State::Established => "connected",
            State::Listening => LISTENING,
            State::Unconnected => "unconnected",
        },
        address: named(entry.inode),
        peer: entry.peer.map(named).unwrap_or_default(),
        receive_queue: entry.receive_queue,
        send_queue: entry.send_queue,
        uid: entry.uid,
        inode: entry.inode.into(),
        local: None,
        file: entry.file,
    };
    Ok(entries.iter().map(row).collect())
}

/// Where a Unix socket is found. One of ours was bound to a name beside its path, which it still
/// has in the kernel's list.
fn unix_address(entry: &unix_diag::Entry) -> Vec<u8> {
    if let Some(name) = entry.abstract_name() {
        return [b"@", name].concat();
    }
    let name = entry.name.strip_suffix(b"\0").unwrap_or(&entry.name);
    let path = Path::new(OsStr::from_bytes(name));
    let real = crate::binding::path_of(path)
        .filter(|real| stat(real).is_ok_and(|file| entry.is_bound_to(&file)));
    real.map_or_else(|| name.to_vec(), |real| real.into_os_string().into_encoded_bytes())
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
        local: Some(entry.local),
        file: None,
    }
}

fn udp_state(connected: bool) -> &'static str {
    if connected { "connected" } else { "unconnected" }
}

/// The states of TCP, RFC 9293, in the order in which the kernel numbers them.
fn tcp_state(number: u8) -> &'static str {
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
