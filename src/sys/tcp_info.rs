//! The TCP sockets of this network namespace and the bytes that they have moved: sock_diag(7), tcp(7).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::sock_diag::{dump, number};
use crate::base::errno::Errno;

/// A TCP socket.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Connection {
    /// The number of its state.
    pub state: u8,
    /// The address that it is bound to.
    pub local: SocketAddr,
    /// The address of its peer.
    pub remote: SocketAddr,
    /// Bytes to be read; clients to be accepted, if it listens.
    pub receive_queue: u32,
    /// Bytes that were not acknowledged; the length of the backlog, if it listens.
    pub send_queue: u32,
    /// The user that opened it.
    pub uid: u32,
    /// The number by which `/proc/PID/fd` shows it; 0 when no process has it open.
    pub inode: u64,
    /// The bytes that the peer has acknowledged.
    pub acknowledged: Option<u64>,
    /// The bytes that have arrived.
    pub received: Option<u64>,
}

/// All TCP sockets, of both versions of the protocol.
///
/// # Errors
/// ENOENT, EPROTONOSUPPORT from a kernel without the list.
pub fn all() -> Result<Vec<Connection>, Errno> {
    let mut found = Vec::new();
    for family in [libc::AF_INET, libc::AF_INET6] {
        dump(&request(family), |body| found.extend(parse(body)))?;
    }
    Ok(found)
}

/// The extension of the answer that has `struct tcp_info`: INET_DIAG_INFO of linux/inet_diag.h.
const INFO: u16 = 2;

/// `struct inet_diag_req_v2`: TCP sockets in all states, at all addresses, with their information.
fn request(family: i32) -> Vec<u8> {
    const ADDRESSES: usize = 48;
    let extensions = 1_u8 << (INFO - 1);
    let mut request = vec![family as u8, libc::IPPROTO_TCP as u8, extensions, 0];
    request.extend(u32::MAX.to_ne_bytes());
    request.extend([0; ADDRESSES]);
    request
}

/// Reads `struct inet_diag_msg`, and the attributes behind it.
fn parse(body: &[u8]) -> Option<Connection> {
    /// The length of the structure.
    const LENGTH: usize = 72;
    let port = |at: usize| Some(u16::from_be_bytes(body.get(at..at + 2)?.try_into().ok()?));
    let host = |at: usize| address(*body.first()?, body.get(at..at + 16)?);
    let information = attribute(body.get(LENGTH..)?, INFO).unwrap_or_default();
    Some(Connection {
        state: *body.get(1)?,
        local: SocketAddr::new(host(8)?, port(4)?),
        remote: SocketAddr::new(host(24)?, port(6)?),
        receive_queue: number(body, 56)?,
        send_queue: number(body, 60)?,
        uid: number(body, 64)?,
        inode: number(body, 68)?.into(),
        acknowledged: long(information, 120),
        received: long(information, 128),
    })
}

fn address(family: u8, bytes: &[u8]) -> Option<IpAddr> {
    match i32::from(family) {
        libc::AF_INET => Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(..4)?).ok()?).into()),
        libc::AF_INET6 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).to_canonical()),
        _ => None,
    }
}

/// The value of the first attribute of a type: rtnetlink(7).
fn attribute(mut bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    const HEADER: usize = 4;
    loop {
        let half = |at: usize| Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
        let (length, kind) = (usize::from(half(0)?), half(2)?);
        let value = bytes.get(HEADER..length)?;
        if kind == wanted {
            return Some(value);
        }
        bytes = bytes.get(length.next_multiple_of(4)..)?;
    }
}

/// A number of eight bytes; `None` if an older kernel has a shorter structure.
fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_connection_counts_its_bytes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        client.write_all(&[0; 1000]).unwrap();
        server.read_exact(&mut [0; 1000]).unwrap();
        let all = all().unwrap();
        let local = server.local_addr().unwrap();
        let remote = server.peer_addr().unwrap();
        let found = all.iter().find(|it| it.local == local && it.remote == remote).unwrap();
        assert_eq!(found.received, Some(1000));
        assert!(found.inode != 0);
        let listens =
            |it: &&Connection| it.local == local && it.state == super::super::sock_diag::LISTENING;
        assert_eq!(all.iter().filter(listens).count(), 1);
    }

    #[test]
    fn attributes_are_found_behind_others_and_cut_ones_are_not() {
        let two = [6, 0, 9, 0, 1, 2, 0, 0, 5, 0, 2, 0, 7];
        assert_eq!(attribute(&two, 2), Some(&[7][..]));
        assert_eq!(attribute(&two, 3), None);
        assert_eq!(attribute(&two[..12], 2), None);
        assert_eq!(attribute(&[0, 0, 9, 0], 2), None);
    }
}
