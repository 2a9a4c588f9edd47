//! Descriptors on their way from one process to another, each with a name: SCM_RIGHTS of unix(7).

pub mod holder;
mod table;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::socket::{RIGHTS_MAX, Socket};
use crate::sys::{heap, poll};

pub use self::table::of_process;

/// The name of a descriptor, as for `LISTEN_FDNAMES` of sd_listen_fds(3).
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Name(String);

/// Why a text is not the name of a descriptor.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a name of a descriptor: 1 to {NAME_MAX} characters of ASCII, without a colon")]
pub struct NotAName;

/// The maximum length of a name: FDNAME_MAX of systemd.
const NAME_MAX: usize = 255;

impl Name {
    /// The name of a descriptor without one, as systemd has it.
    pub fn unknown() -> Self {
        Self("unknown".to_owned())
    }

    /// Checks a name.
    pub fn new(text: &str) -> Result<Self, NotAName> {
        let is_allowed = |byte: u8| matches!(byte, b' '..=b'~') && byte != b':';
        match text.len() {
            1..=NAME_MAX if text.bytes().all(is_allowed) => Ok(Self(text.to_owned())),
            _ => Err(NotAName),
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// A descriptor with its name.
#[derive(Debug)]
pub struct Named {
    pub name: Name,
    pub descriptor: OwnedFd,
}

/// What the message of descriptors begins with. The names follow, separated by colons.
const PREFIX: &[u8] = b"FDNAMES=";

/// The maximum length of all names of one message, which a socket of each type carries in one piece.
pub const NAMES_MAX: usize = 16 << 10;

/// Why descriptors could not be sent or received.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// An error of the kernel.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// More than a message carries.
    #[error("{0} descriptors are more than a message carries ({RIGHTS_MAX})")]
    TooMany(usize),
    /// The names are longer than a message carries.
    #[error("the names are longer than {NAMES_MAX} bytes")]
    NamesTooLong,
    /// This process may not have so many.
    #[error("there were more descriptors than this process may have")]
    Cut,
    /// The message has none.
    #[error("a message without descriptors")]
    None,
    /// The peer has closed.
    #[error("the sender has closed and sent no descriptors")]
    Ended,
}

/// Sends descriptors with their names in one message.
pub fn send(socket: &Socket, all: &[(&Name, BorrowedFd<'_>)]) -> Result<(), Error> {
    if all.len() > RIGHTS_MAX {
        return Err(Error::TooMany(all.len()));
    }
    let names: Vec<&str> = all.iter().map(|(name, _)| name.text()).collect();
    let names = names.join(":");
    if names.len() > NAMES_MAX {
        return Err(Error::NamesTooLong);
    }
    let descriptors: Vec<BorrowedFd<'_>> = all.iter().map(|&(_, descriptor)| descriptor).collect();
    Ok(socket.send_with(&[PREFIX, names.as_bytes(), b"\n"], &descriptors)?)
}

/// Receives the next message, waiting until `deadline`, and its descriptors. Those of a program that
/// sends another text have no names.
pub fn receive(socket: &Socket, deadline: Deadline) -> Result<Waited<Vec<Named>>, Error> {
    if poll::readable(socket.as_fd(), deadline)? == Waited::TimedOut {
        return Ok(Waited::TimedOut);
    }
    let mut buffer = heap::zeros(PREFIX.len() + NAMES_MAX + 1)?;
    let carried = socket.receive_with(&mut buffer)?;
    if carried.is_cut {
        return Err(Error::Cut);
    }
    match (carried.size, carried.descriptors.len()) {
        (0, 0) => return Err(Error::Ended),
        (_, 0) => return Err(Error::None),
        _ => {}
    }
    let text = buffer[..carried.size].strip_prefix(PREFIX).unwrap_or_default();
    let names = text.trim_ascii_end().split(|&byte| byte == b':');
    let names = names.map(|name| Name::new(std::str::from_utf8(name).ok()?).ok());
    let names = names
        .map(|name| name.unwrap_or_else(Name::unknown))
        .chain(std::iter::repeat_with(Name::unknown));
    let all = carried.descriptors.into_iter().zip(names);
    Ok(Waited::Done(all.map(|(descriptor, name)| Named { name, descriptor }).collect()))
}
