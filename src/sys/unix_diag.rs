//! The Unix sockets of this network namespace, as the kernel lists them: sock_diag(7).

use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};
use nix::sys::stat::FileStat;

use crate::errno::Errno;

/// What the kernel tells of a Unix socket.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Entry {
    /// The number by which `/proc/PID/fd` shows it.
    pub inode: u32,
    /// SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM.
    pub kind: u8,
    /// Whether it listens, is connected, or neither.
    pub state: State,
    /// What it is bound to: a path as it was given to bind(2), or an abstract name behind a NUL.
    pub name: Vec<u8>,
    /// The inode of the file that it is bound to, and the number of its file system as the kernel
    /// counts them for itself.
    pub file: Option<(u32, u32)>,
    /// The socket that it is connected to.
    pub peer: Option<u32>,
    /// Bytes to be read; or, of one that listens, clients to be accepted.
    pub receive_queue: u32,
    /// Bytes that the peer has not read; or, of one that listens, how many clients may wait.
    pub send_queue: u32,
    /// Who opened it.
    pub uid: Option<u32>,
}

/// The state of a socket.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum State {
    /// Connected.
    Established,
    /// Waiting for clients.
    Listening,
    /// Neither.
    #[default]
    Unconnected,
}

/// TCP_ESTABLISHED and TCP_LISTEN of the kernel, which it uses for all families.
const ESTABLISHED: u8 = 1;
const LISTENING: u8 = 10;

/// From linux/sock_diag.h and linux/unix_diag.h, which the C library's headers do not have.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const SHOW_NAME: u32 = 1 << 0;
const SHOW_VFS: u32 = 1 << 1;
const SHOW_PEER: u32 = 1 << 2;
const SHOW_QUEUES: u32 = 1 << 4;
const SHOW_UID: u32 = 1 << 6;
const ATTRIBUTE_NAME: u16 = 0;
const ATTRIBUTE_VFS: u16 = 1;
const ATTRIBUTE_PEER: u16 = 2;
const ATTRIBUTE_QUEUES: u16 = 4;
const ATTRIBUTE_UID: u16 = 7;

/// The size of `struct nlmsghdr`, and of `struct unix_diag_msg`.
const HEADER: usize = 16;
const MESSAGE: usize = 16;

impl Entry {
    /// Whether it is bound to this file. File systems are not compared: the kernel's numbers of
    /// them are not always those that stat(2) gives.
    pub fn is_bound_to(&self, file: &FileStat) -> bool {
        self.file.is_some_and(|(inode, _)| u64::from(inode) == file.st_ino & 0xffff_ffff)
    }

    /// Its abstract name, if it has one.
    pub fn abstract_name(&self) -> Option<&[u8]> {
        self.name.strip_prefix(b"\0")
    }
}

/// All Unix sockets.
pub fn all() -> Result<Vec<Entry>, Errno> {
    let netlink = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkSockDiag,
    )?;
    ask(&netlink)?;
    let mut entries = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = match recv(netlink.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
            Err(nix::errno::Errno::EINTR) => continue,
            result => result?,
        };
        let mut rest = &buffer[..count];
        if rest.is_empty() {
            return Err(Errno(libc::EPROTO));
        }
        while let Some((kind, body, after)) = next_message(rest) {
            match i32::from(kind) {
                libc::NLMSG_DONE => return Ok(entries),
                libc::NLMSG_ERROR => {
                    let errno = number(body, 0).map_or(libc::EPROTO, |errno| -(errno as i32));
                    return Err(Errno(errno));
                }
                _ => entries.extend(entry(body)),
            }
            rest = after;
        }
    }
}

/// Sends `struct nlmsghdr` and `struct unix_diag_req`.
fn ask(netlink: &OwnedFd) -> Result<(), Errno> {
    let show = SHOW_NAME | SHOW_VFS | SHOW_PEER | SHOW_QUEUES | SHOW_UID;
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16;
    let mut request = Vec::with_capacity(40);
    request.extend(40_u32.to_ne_bytes());
    request.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    request.extend(flags.to_ne_bytes());
    request.extend([0; 8]);
    request.extend([libc::AF_UNIX as u8, 0, 0, 0]);
    for field in [u32::MAX, 0, show, u32::MAX, u32::MAX] {
        request.extend(field.to_ne_bytes());
    }
    sendto(netlink.as_raw_fd(), &request, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
    Ok(())
}

/// Splits the first message off: its type, its body, and what follows.
fn next_message(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = number(bytes, 0)? as usize;
    let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
    let body = bytes.get(HEADER..length)?;
    Some((kind, body, bytes.get(length.next_multiple_of(4)..).unwrap_or_default()))
}

/// Reads `struct unix_diag_msg` and the attributes behind it.
fn entry(body: &[u8]) -> Option<Entry> {
    let (kind, state) = (*body.get(1)?, *body.get(2)?);
    let state = match state {
        ESTABLISHED => State::Established,
        LISTENING => State::Listening,
        _ => State::Unconnected,
    };
    let mut entry = Entry { inode: number(body, 4)?, kind, state, ..Entry::default() };
    let mut rest = body.get(MESSAGE..)?;
    while let Some(length) = rest.get(..2) {
        let length = usize::from(u16::from_ne_bytes(length.try_into().ok()?));
        let kind = u16::from_ne_bytes(rest.get(2..4)?.try_into().ok()?);
        let value = rest.get(4..length)?;
        match kind {
            ATTRIBUTE_NAME => entry.name = value.to_vec(),
            ATTRIBUTE_VFS => entry.file = number(value, 0).zip(number(value, 4)),
            ATTRIBUTE_PEER => entry.peer = number(value, 0),
            ATTRIBUTE_QUEUES => {
                entry.receive_queue = number(value, 0)?;
                entry.send_queue = number(value, 4)?;
            }
            ATTRIBUTE_UID => entry.uid = number(value, 0),
            _ => {}
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some(entry)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
