//! The descriptors of a process: `/proc/PID/fd` and `/proc/PID/fdinfo` of proc(5).

use serde_json::{Value, json};

use crate::base::errno::Errno;
use crate::mechanism::socket::table::{self, Row as SocketRow};
use crate::sys::pidfd::Process;
use crate::sys::pipe;
use crate::sys::process::{Descriptor, descriptors};

/// A descriptor of a process.
#[derive(Clone, Debug)]
pub struct Row {
    /// The descriptor, as `/proc` shows it.
    pub descriptor: Descriptor,
    /// What its file is.
    pub kind: String,
    /// The number of bytes in a pipe, and its capacity, if this process may look into it.
    pub pipe: Option<(usize, usize)>,
    /// The socket, if it is one of this network namespace.
    pub socket: Option<SocketRow>,
}

impl Row {
    /// The path, or what there is in its place: the address of a socket.
    pub fn target(&self) -> Vec<u8> {
        match &self.socket {
            Some(socket) if !socket.address.is_empty() => socket.address.clone(),
            _ => self.descriptor.target.clone(),
        }
    }

    /// Its description: the keys of 'ipc fd ls --json', of which a holder adds more.
    pub fn describe(&self) -> Value {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let peer = Some(self.peer()).filter(|peer| !peer.is_empty()).map(text);
        let unread = self.socket.as_ref().map(|socket| u64::from(socket.receive_queue));
        let waiting = self.pipe.map(|(waiting, _)| waiting as u64).or(unread);
        let flags: Vec<&str> = self.descriptor.flag_names().collect();
        json!({
            "fd": self.descriptor.number,
            "kind": self.kind,
            "access": self.descriptor.access(),
            "flags": flags,
            "position": self.descriptor.position,
            "waiting": waiting,
            "capacity": self.pipe.map(|(_, capacity)| capacity),
            "target": text(&self.target()),
            "peer": peer,
        })
    }

    /// The address of the peer of a socket; empty if there is none.
    pub fn peer(&self) -> &[u8] {
        self.socket.as_ref().map_or(&[], |socket| &socket.peer)
    }
}

/// The descriptors of a process, by number.
///
/// # Errors
/// ESRCH if there is no such process; EACCES if this process may not see them.
pub fn of_process(pid: i32) -> Result<Vec<Row>, Errno> {
    let all = descriptors(pid)?;
    let has_sockets = all.iter().any(|one| inode_of(one, b"socket:[").is_some());
    let sockets = if has_sockets { table::all().unwrap_or_default() } else { Vec::new() };
    let process = Process::open(pid)?;
    let row = |descriptor: Descriptor| {
        let inode = inode_of(&descriptor, b"socket:[");
        let socket = sockets.iter().find(|row| Some(row.inode) == inode).cloned();
        let kind = kind(&descriptor, socket.as_ref());
        let is_pipe = matches!(kind.as_str(), "pipe" | "fifo");
        let contents = || {
            let copy = process.copy_descriptor(descriptor.number).ok()?;
            Some((pipe::length(&copy).ok()?, pipe::capacity(&copy).ok()?))
        };
        let pipe = is_pipe.then(contents).flatten();
        Row { kind, pipe, socket, descriptor }
    };
    Ok(all.into_iter().map(row).collect())
}

/// The inode in a target such as `pipe:[4711]`.
fn inode_of(descriptor: &Descriptor, prefix: &[u8]) -> Option<u64> {
    let digits = descriptor.target.strip_prefix(prefix)?.strip_suffix(b"]")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// What the file of a descriptor is, in a word or two.
fn kind(descriptor: &Descriptor, socket: Option<&SocketRow>) -> String {
    if let Some(socket) = socket {
        return match socket.family {
            "unix" => format!("unix {}", socket.kind),
            family => family.to_owned(),
        };
    }
    let target = String::from_utf8_lossy(&descriptor.target);
    if let Some(name) = target.strip_prefix("anon_inode:") {
        return match name.trim_matches(['[', ']']) {
            "eventpoll" => "epoll".to_owned(),
            name => name.to_owned(),
        };
    }
    let word = match target.as_ref() {
        target if target.starts_with("/memfd:") => "memfd",
        target if target.starts_with("pidfd:") => "pidfd",
        target if target.starts_with("pipe:") => "pipe",
        _ => descriptor.file_type,
    };
    word.to_owned()
}
