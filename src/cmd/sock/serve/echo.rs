//! Sending back what clients send.

use std::collections::BTreeMap;

use crate::base::errno::Errno;
use crate::sys::events::Interest;
use crate::sys::heap;
use crate::sys::socket::Socket;
use crate::sys::socket::SocketType;

use crate::server::admission::{Client, Pass};
use crate::server::event_loop::{Place, Service};

/// Clients who hear themselves.
#[derive(Debug)]
pub struct Echo {
    kind: SocketType,
    clients: BTreeMap<u64, Conversation>,
    /// What was received last, of whichever client.
    buffer: Vec<u8>,
}

/// A client, and what it has not taken back yet: while there is something, nothing more is
/// received from it.
#[derive(Debug)]
struct Conversation {
    socket: Socket,
    /// Given back when it is gone.
    _pass: Pass,
    pending: Vec<u8>,
    stage: Stage,
}

/// What a client is waited for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    /// More from it.
    Reading,
    /// Room for what is pending.
    Writing,
    /// Nothing: it has left, or there was an error, which is its own affair.
    Gone,
}

/// What is received at once.
const BLOCK: usize = 64 << 10;

impl Echo {
    pub fn new(kind: SocketType) -> Self {
        Self { kind, clients: BTreeMap::new(), buffer: vec![0; BLOCK] }
    }
}

impl Service for Echo {
    fn begin(&mut self, client: Client, place: &Place<'_>) -> anyhow::Result<()> {
        let Client { socket, number, pass, .. } = client;
        socket.make_non_blocking()?;
        if self.kind != SocketType::Stream {
            socket.mark_messages()?;
        }
        place.events.add(&socket, number, Interest::Readable)?;
        let conversation =
            Conversation { socket, _pass: pass, pending: Vec::new(), stage: Stage::Reading };
        self.clients.insert(number, conversation);
        Ok(())
    }

    fn go_on(&mut self, number: u64, place: &Place<'_>) -> anyhow::Result<()> {
        let Some(client) = self.clients.get_mut(&number) else { return Ok(()) };
        let before = client.stage;
        client.stage = client.turn(self.kind, &mut self.buffer).unwrap_or(Stage::Gone);
        match client.stage {
            Stage::Gone => drop(self.clients.remove(&number)),
            stage if stage == before => {}
            Stage::Reading => place.events.change(&client.socket, number, Interest::Readable)?,
            Stage::Writing => place.events.change(&client.socket, number, Interest::Writable)?,
        }
        Ok(())
    }

    fn clients(&self) -> usize {
        self.clients.len()
    }
}

impl Conversation {
    /// Sends what is pending, or else receives once and sends that.
    fn turn(&mut self, kind: SocketType, buffer: &mut Vec<u8>) -> Result<Stage, Errno> {
        if self.stage == Stage::Writing {
            let sent = send(&self.socket, kind, &self.pending)?;
            self.pending.drain(..sent.unwrap_or(0));
            let done = sent.is_some() && self.pending.is_empty();
            return Ok(if done { Stage::Reading } else { Stage::Writing });
        }
        let bytes = match receive(&self.socket, kind, buffer) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(Stage::Gone),
            Err(Errno(libc::EAGAIN)) => return Ok(Stage::Reading),
            Err(errno) => return Err(errno),
        };
        match send(&self.socket, kind, bytes)? {
            Some(sent) if sent == bytes.len() => Ok(Stage::Reading),
            sent => {
                heap::append(&mut self.pending, &bytes[sent.unwrap_or(0)..])?;
                Ok(Stage::Writing)
            }
        }
    }
}

/// Sends what is taken at once: how much it was, or `None` if there is no room for anything, be it
/// an empty message.
pub fn send(socket: &Socket, kind: SocketType, bytes: &[u8]) -> Result<Option<usize>, Errno> {
    let sent = match kind {
        SocketType::Stream => socket.send(bytes),
        SocketType::Seqpacket | SocketType::Dgram => {
            socket.send_message(bytes).map(|()| bytes.len())
        }
    };
    match sent {
        Ok(sent) => Ok(Some(sent)),
        Err(Errno(libc::EAGAIN)) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Receives what there is, or one message; `None` is the end.
pub fn receive<'a>(
    socket: &Socket,
    kind: SocketType,
    buffer: &'a mut Vec<u8>,
) -> Result<Option<&'a [u8]>, Errno> {
    match kind {
        SocketType::Stream => {
            let count = socket.receive(buffer)?;
            Ok((count > 0).then(|| &buffer[..count]))
        }
        SocketType::Seqpacket | SocketType::Dgram => socket.receive_message(buffer),
    }
}
