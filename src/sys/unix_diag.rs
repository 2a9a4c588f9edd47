//! The kernel's list of the Unix sockets of this network namespace: sock_diag(7).

use nix::sys::stat::FileStat;

use super::sock_diag::{LISTENING, Lists, number};
use crate::base::errno::Errno;

/// A Unix socket.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Entry {
    /// The number by which `/proc/PID/fd` shows it.
    pub inode: u32,
    /// SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM.
    pub kind: u8,
    /// Whether it listens, is connected, or neither.
    pub state: State,
    /// The path that was passed to bind(2), or a NUL and an abstract name.
    pub name: Vec<u8>,
    /// The file that it is bound to.
    pub file: Option<File>,
    /// The socket that it is connected to.
    pub peer: Option<u32>,
    /// Bytes to be read; clients to be accepted, if it listens.
    pub receive_queue: u32,
    /// Bytes that the peer has not read; the length of the backlog, if it listens.
    pub send_queue: u32,
    /// The user that opened it.
    pub uid: Option<u32>,
}

/// The file of a socket.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct File {
    /// The low half of its inode.
    inode: u32,
    /// The kernel's internal number of its file system.
    device: u32,
}

impl File {
    /// Whether it is this one.
    pub fn is(self, file: &FileStat) -> bool {
        let device = file.st_dev;
        u64::from(self.inode) == file.st_ino & u64::from(u32::MAX)
            && (self.device() == device || !is_mounted(device))
    }

    /// The number that stat(2) returns, if it is the kernel's own.
    fn device(self) -> u64 {
        const MINOR_BITS: u32 = 20;
        libc::makedev(self.device >> MINOR_BITS, self.device & ((1 << MINOR_BITS) - 1))
    }
}

/// Whether a file system has this number in the kernel. btrfs, overlayfs and others return different
/// numbers from stat(2).
fn is_mounted(device: u64) -> bool {
    let number = format!("{}:{}", libc::major(device), libc::minor(device));
    let mounts = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
    let mut lines = mounts.split(|&byte| byte == b'\n');
    lines.any(|line| line.split(|&byte| byte == b' ').nth(2) == Some(number.as_bytes()))
}

/// The state of a socket.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum State {
    /// Connected.
    Established,
    /// Listening.
    Listening,
    /// Neither.
    #[default]
    Unconnected,
}

/// TCP_ESTABLISHED of the kernel, which it uses for all families.
const ESTABLISHED: u8 = 1;

/// From linux/unix_diag.h; libc does not define them.
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

/// The size of `struct unix_diag_msg`.
const MESSAGE: usize = 16;

impl Entry {
    /// Whether it is bound to this file.
    pub fn is_bound_to(&self, file: &FileStat) -> bool {
        self.file.is_some_and(|own| own.is(file))
    }

    /// Its abstract name, if it has one.
    pub fn abstract_name(&self) -> Option<&[u8]> {
        self.name.strip_prefix(b"\0")
    }
}

/// All Unix sockets.
pub fn all() -> Result<Vec<Entry>, Errno> {
    listed(&mut Lists::open()?)
}

/// The same, from a socket that is open.
pub fn listed(lists: &mut Lists) -> Result<Vec<Entry>, Errno> {
    let mut entries = Vec::new();
    lists.dump(&request(), |body| entries.extend(entry(body)))?;
    Ok(entries)
}

/// `struct unix_diag_req`: for sockets in every state.
fn request() -> Vec<u8> {
    let show = SHOW_NAME | SHOW_VFS | SHOW_PEER | SHOW_QUEUES | SHOW_UID;
    let mut request = vec![libc::AF_UNIX as u8, 0, 0, 0];
    for field in [u32::MAX, 0, show, u32::MAX, u32::MAX] {
        request.extend(field.to_ne_bytes());
    }
    request
}

/// Parses `struct unix_diag_msg` and its attributes.
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
            ATTRIBUTE_VFS => {
                entry.file = Some(File { inode: number(value, 0)?, device: number(value, 4)? });
            }
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
