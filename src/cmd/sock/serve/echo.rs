//! Sending back what clients send.

use std::collections::BTreeMap;

use crate::address::SocketType;
use crate::errno::Errno;
use crate::sys::events::{Events, Interest};
use crate::sys::socket::Socket;

use super::attend::{Place, Service};
use super::gate::Client;

/// Clients who hear themselves.
#[derive(Debug)]
pub struct Echo {
    kind: SocketType,
    clients: BTreeMap<u64, Conversation>,
    /// What was received last, of whichever client.
    buffer: Vec<u8>,
}

/// A client, and what it has been sent and does not take yet. While there is something, nothing
/// more is received from it.
#[derive(Debug)]
struct Conversation {
    socket: Socket,
    pending: Vec<u8>,
}

/// What is received at once.
const BLOCK: usize = 64 << 10;

/// How a turn left a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Left {
    /// Waiting for more from it.
    Reading,
    /// Waiting until it takes more.
    Writing,
    /// It has left, or there was an error, which is its own affair.
    Gone,
}

impl Echo {
    pub fn new(kind: SocketType) -> Self {
        Self { kind, clients: BTreeMap::new(), buffer: vec![0; BLOCK] }
    }
}

impl Service for Echo {
    fn begin(&mut self, client: Client, place: &Place<'_>) -> anyhow::Result<()> {
        client.socket.set_non_blocking(true)?;
        if self.kind != SocketType::Stream {
            client.socket.mark_messages()?;
        }
        place.events.add(&client.socket, client.number, Interest::Readable)?;
        let conversation = Conversation { socket: client.socket, pending: Vec::new() };
        self.clients.insert(client.number, conversation);
        Ok(())
    }

    fn go_on(&mut self, number: u64, events: &Events) -> anyhow::Result<()> {
        let Some(client) = self.clients.get_mut(&number) else { return Ok(()) };
        let before = client.left();
        let left = client.turn(self.kind, &mut self.buffer).unwrap_or(Left::Gone);
        match left {
            Left::Gone => drop(self.clients.remove(&number)),
            left if left == before => {}
            Left::Reading => events.change(&client.socket, number, Interest::Readable)?,
            Left::Writing => events.change(&client.socket, number, Interest::Writable)?,
        }
        Ok(())
    }

    fn clients(&self) -> usize {
        self.clients.len()
    }
}

impl Conversation {
    fn left(&self) -> Left {
        if self.pending.is_empty() { Left::Reading } else { Left::Writing }
    }

    /// Sends what is pending, or else receives once and sends it.
    fn turn(&mut self, kind: SocketType, buffer: &mut Vec<u8>) -> Result<Left, Errno> {
        if !self.pending.is_empty() {
            let sent = self.socket.send(&self.pending)?;
            self.pending.drain(..sent);
            return Ok(self.left());
        }
        let received = match kind {
            SocketType::Stream => self.socket.receive(buffer).map(|count| match count {
                0 => None,
                count => Some(&buffer[..count]),
            }),
            SocketType::Seqpacket | SocketType::Dgram => self.socket.receive_message(buffer),
        };
        let bytes = match received {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(Left::Gone),
            Err(Errno(libc::EAGAIN)) => return Ok(Left::Reading),
            Err(errno) => return Err(errno),
        };
        match self.socket.send(bytes) {
            Ok(sent) => self.pending.extend_from_slice(&bytes[sent..]),
            Err(Errno(libc::EAGAIN)) => self.pending.extend_from_slice(bytes),
            Err(errno) => return Err(errno),
        }
        Ok(self.left())
    }
}
