//! What is known of each mechanism. The origin is the manual pages that each entry names.

mod files;
mod kernel;
mod memory;
mod sockets;

use super::needs::{Fit, Need};

/// A way in which processes communicate or coordinate.
#[derive(Debug)]
pub struct Mechanism {
    /// The word of `ipc guide`.
    pub name: &'static str,
    /// The noun whose verbs use it.
    pub noun: &'static str,
    pub about: &'static str,
    /// Where the data are between the processes.
    pub transport: &'static str,
    /// The unit that a reader gets.
    pub granularity: &'static str,
    /// The processes that can take part.
    pub relationship: &'static str,
    /// How often the processor copies each byte.
    pub copies: &'static str,
    pub direction: &'static str,
    pub order: &'static str,
    /// When the contents and the name end.
    pub persistence: &'static str,
    /// What removes it.
    pub cleanup: &'static str,
    /// The effect of SIGKILL of a participant.
    pub after_kill: &'static str,
    /// What decides on access.
    pub access: &'static str,
    /// The main cost of a short message.
    pub cost: &'static str,
    /// The needs that it meets; it does not meet the others.
    pub meets: &'static [Met],
    /// Mistakes that are made with it.
    pub traps: &'static [&'static str],
    /// The command to start with.
    pub start: &'static str,
    /// Manual pages.
    pub pages: &'static [&'static str],
}

/// A need, how far it is met, and the reason.
pub type Met = (Need, Fit, &'static str);

impl Mechanism {
    /// How far the mechanism meets a need, and why.
    pub fn fit(&self, need: Need) -> (Fit, &'static str) {
        let met = self.meets.iter().find(|(met, ..)| *met == need);
        met.map_or((Fit::No, ""), |&(_, fit, reason)| (fit, reason))
    }
}

/// All mechanisms, the simpler before the more special: among equals, the first is proposed first.
pub const MECHANISMS: &[Mechanism] = &[
    kernel::PIPE,
    kernel::FIFO,
    memory::QUEUE,
    kernel::MQ,
    kernel::MQ_SYSV,
    memory::SHM,
    memory::MAP,
    kernel::SEM,
    files::LOCK,
    sockets::UNIX_STREAM,
    sockets::UNIX_SEQPACKET,
    sockets::UNIX_DATAGRAM,
    sockets::TCP,
    sockets::UDP,
    sockets::DOOR,
    kernel::SIGNAL,
    files::SPOOL,
    sockets::FD,
];
