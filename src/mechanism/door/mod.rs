//! Doors: procedures at a path, called through a Unix socket of type seqpacket. The manual page
//! ipc-door(5) has the format of the packets.
//!
//! A connection carries one request and its answer. What is too long for a packet is in a file in
//! memory that is sealed, so that neither side can change it while the other reads it.

mod client;
mod content;
mod packet;

pub use self::client::{Answer, Caller, Error as Refused};
pub use self::content::{Content, Gather, Outcome};
pub use self::packet::{
    Description, HEADER, Kind, PACKET_MAX, Packet, Part, Problem, Reason, Refusal, kind_of,
    receive, refuse, send,
};
