//! The TCP and UDP sockets of this network namespace in `/proc/net`: proc_net(5). The length of a
//! backlog is only in sock_diag(7).

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::sock_diag::{Lists, dump, number};
use crate::base::errno::Errno;

pub use super::sock_diag::LISTENING;

/// The state of a UDP socket without a peer: TCP_CLOSE.
const UNCONNECTED: u8 = 7;

/// A TCP or UDP socket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The address that it is bound to.
    pub local: SocketAddr,
    /// The address of its peer; port 0 if there is none.
    pub remote: SocketAddr,
    /// The number of its state; the kernel uses the numbers of TCP for all protocols.
    pub state: u8,
    /// Bytes that were not sent or not acknowledged; the length of the backlog, if it listens, or 0 if
    /// the kernel does not report it.
    pub send_queue: u32,
    /// Bytes to be read; clients to be accepted, if it listens.
    pub receive_queue: u32,
    /// The user that opened it.
    pub uid: u32,
    /// The number by which `/proc/PID/fd` shows it; 0 when no process has it open.
    pub inode: u64,
}

/// All TCP sockets, of both versions of the protocol.
pub fn tcp() -> Result<Vec<Entry>, Errno> {
    let mut entries = table(["/proc/net/tcp", "/proc/net/tcp6"])?;
    let backlogs = backlogs();
    for entry in entries.iter_mut().filter(|entry| entry.state == LISTENING) {
        entry.send_queue = backlogs.get(&entry.inode).copied().unwrap_or(0);
    }
    Ok(entries)
}

/// All UDP sockets, of both versions of the protocol.
pub fn udp() -> Result<Vec<Entry>, Errno> {
    table(["/proc/net/udp", "/proc/net/udp6"])
}

/// The listening TCP sockets. Without the connections, of which the kernel searches a large table for
/// `/proc`, this takes a fraction of the time.
pub fn listening_tcp(lists: &mut Lists) -> Vec<Entry> {
    // A kernel without the list, or without a version of the protocol.
    in_state(lists, libc::IPPROTO_TCP, LISTENING).0
}

/// The UDP sockets that are not connected, without the time that the kernel takes to write `/proc`.
pub fn unconnected_udp(lists: &mut Lists) -> Vec<Entry> {
    match in_state(lists, libc::IPPROTO_UDP, UNCONNECTED) {
        (entries, Ok(())) => entries,
        // This list is a module of the kernel, which may be missing.
        _ => udp().unwrap_or_default(),
    }
}

/// The sockets of both versions of a protocol that are in a state, as far as the kernel lists them.
fn in_state(lists: &mut Lists, protocol: i32, state: u8) -> (Vec<Entry>, Result<(), Errno>) {
    let mut entries = Vec::new();
    let mut list = |family| {
        let request = request(family, protocol, state);
        lists.dump(&request, |body| entries.extend(listed(body)))
    };
    let outcome = [libc::AF_INET, libc::AF_INET6].map(&mut list);
    (entries, outcome.into_iter().find(Result::is_err).unwrap_or(Ok(())))
}

/// Parses `struct inet_diag_msg` of linux/inet_diag.h, of a socket without a peer.
fn listed(body: &[u8]) -> Option<Entry> {
    let port = u16::from_be_bytes(body.get(4..6)?.try_into().ok()?);
    let host = body.get(8..24)?;
    let ip = match i32::from(*body.first()?) {
        libc::AF_INET => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(&host[..4]).ok()?)),
        _ => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(host).ok()?)),
    };
    Some(Entry {
        local: SocketAddr::new(ip, port),
        remote: SocketAddr::new(ip, 0),
        state: *body.get(1)?,
        receive_queue: number(body, 56)?,
        send_queue: number(body, 60)?,
        uid: number(body, 64)?,
        inode: number(body, 68)?.into(),
    })
}

/// The length of the backlog of each listening TCP socket that the kernel reports.
fn backlogs() -> BTreeMap<u64, u32> {
    /// The offsets of the queue and the inode in `struct inet_diag_msg` of linux/inet_diag.h.
    const QUEUE: usize = 60;
    const INODE: usize = 68;
    let mut backlogs = BTreeMap::new();
    for family in [libc::AF_INET, libc::AF_INET6] {
        // A kernel without the list has reported all it knows in /proc.
        let _ = dump(&request(family, libc::IPPROTO_TCP, LISTENING), |body| {
            let found = number(body, INODE).zip(number(body, QUEUE));
            backlogs.extend(found.map(|(inode, backlog)| (u64::from(inode), backlog)));
        });
    }
    backlogs
}

/// `struct inet_diag_req_v2`: for the sockets of a protocol that are in a state, at all addresses.
fn request(family: i32, protocol: i32, state: u8) -> Vec<u8> {
    const ADDRESSES: usize = 48;
    let mut request = vec![family as u8, protocol as u8, 0, 0];
    request.extend((1_u32 << state).to_ne_bytes());
    request.extend([0; ADDRESSES]);
    request
}

fn table(paths: [&str; 2]) -> Result<Vec<Entry>, Errno> {
    let mut entries = Vec::new();
    for path in paths {
        match fs::read_to_string(path) {
            Ok(text) => entries.extend(text.lines().skip(1).filter_map(entry)),
            // A kernel without this version of the protocol.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(entries)
}

/// Parses `N: LOCAL REMOTE STATE SEND:RECEIVE TIMER RETRANSMITS UID TIMEOUT INODE ...`.
fn entry(line: &str) -> Option<Entry> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (local, remote) = (address(fields.next()?)?, address(fields.next()?)?);
    let state = u8::from_str_radix(fields.next()?, 16).ok()?;
    let (send, receive) = fields.next()?.split_once(':')?;
    let mut fields = fields.skip(2);
    Some(Entry {
        local,
        remote,
        state,
        send_queue: u32::from_str_radix(send, 16).ok()?,
        receive_queue: u32::from_str_radix(receive, 16).ok()?,
        uid: fields.next()?.parse().ok()?,
        inode: fields.nth(1)?.parse().ok()?,
    })
}

/// An address in groups of four bytes, each a number in the byte order of this machine.
fn address(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.split_once(':')?;
    let mut bytes = [0; 16];
    for (index, group) in bytes.chunks_exact_mut(4).enumerate().take(host.len() / 8) {
        let number = u32::from_str_radix(host.get(index * 8..index * 8 + 8)?, 16).ok()?;
        group.copy_from_slice(&number.to_ne_bytes());
    }
    let [a, b, c, d, ..] = bytes;
    let ip = match host.len() {
        8 => IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        32 => IpAddr::V6(Ipv6Addr::from(bytes)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(all(test, target_endian = "little"))]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_each_version_is_read() {
        let line = "   0: 0100007F:1F90 00000000:0000 0A 00000001:00000002 00:00000000 00000000  \
                    1000        0 4711 1 0000000000000000 100 0 0 10 0";
        let entry = entry(line).unwrap();
        assert_eq!(entry.local, "127.0.0.1:8080".parse().unwrap());
        assert_eq!((entry.state, entry.send_queue, entry.receive_queue), (10, 1, 2));
        assert_eq!((entry.uid, entry.inode), (1000, 4711));
        let six = address("00000000000000000000000001000000:0050");
        assert_eq!(six, Some("[::1]:80".parse().unwrap()));
    }

    #[test]
    fn a_listener_is_found_at_its_address() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let found = |entries: Vec<Entry>| {
            let it = entries.into_iter().find(|entry| entry.local == address).unwrap();
            (it.state, it.uid, it.inode)
        };
        let listening = listening_tcp(&mut Lists::open().unwrap());
        assert_eq!(found(listening), found(tcp().unwrap()));
    }

    #[test]
    fn an_unconnected_udp_socket_is_found_at_its_address() {
        let bind = || std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let (waiting, connected) = (bind(), bind());
        let (address, other) = (waiting.local_addr().unwrap(), connected.local_addr().unwrap());
        connected.connect(address).unwrap();
        let found = |entries: Vec<Entry>| {
            let it = entries.into_iter().find(|entry| entry.local == address).unwrap();
            (it.state, it.uid, it.inode)
        };
        let unconnected = unconnected_udp(&mut Lists::open().unwrap());
        assert!(unconnected.iter().all(|entry| entry.local != other));
        assert_eq!(found(unconnected), found(udp().unwrap()));
    }

    #[test]
    fn malformed_lines_are_skipped() {
        for line in ["", "0:", "0: 0100007F:1F90", "0: x:1 y:2 0A 0:0 0:0 0 0 0 1"] {
            assert_eq!(entry(line), None, "{line}");
        }
    }
}
