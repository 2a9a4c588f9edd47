//! `ipc sock serve --echo`: each client gets its own bytes back.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::deadline::Deadline;
use crate::base::errno::Errno;
use crate::base::exit::Exit;
use crate::sys::events::Interest;
use crate::sys::heap;
use crate::sys::socket::Socket;
use crate::sys::socket::SocketType;

use crate::server::admission::{Client, Slot};
use crate::server::event_loop::{ServerRef, Service};
use crate::server::idle_clients::IdleClients;

/// Sends the bytes of each client back to it.
#[derive(Debug)]
pub struct Echo {
    kind: SocketType,
    clients: BTreeMap<u64, EchoClient>,
    idle: IdleClients,
    last: Exit,
    /// The latest bytes, of any client.
    buffer: Vec<u8>,
}

/// A client. While bytes for it are pending, no more are received from it.
#[derive(Debug)]
struct EchoClient {
    socket: Socket,
    _slot: Slot,
    /// The bytes that it has had no room for.
    pending: Vec<u8>,
    stage: Stage,
}

/// The next event of a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    /// It sends.
    Reading,
    /// It gets room for the pending bytes.
    Writing,
    /// Nothing: it has left, or its connection failed, which concerns no other client.
    Gone,
}

/// The size of the buffer.
const BLOCK: usize = 64 << 10;

impl Echo {
    /// A client without a byte for the duration `idle` is disconnected.
    pub fn new(kind: SocketType, idle: Option<Duration>) -> Self {
        Self {
            kind,
            clients: BTreeMap::new(),
            idle: IdleClients::new(idle),
            last: Exit::Done,
            buffer: vec![0; BLOCK],
        }
    }
}

impl Service for Echo {
    fn start(&mut self, client: Client, server: &ServerRef<'_>) -> anyhow::Result<()> {
        let Client { socket, number, slot, .. } = client;
        socket.make_non_blocking()?;
        if self.kind != SocketType::Stream {
            socket.mark_messages()?;
        }
        server.events.add(&socket, number, Interest::Readable)?;
        let client = EchoClient { socket, _slot: slot, pending: Vec::new(), stage: Stage::Reading };
        self.clients.insert(number, client);
        self.idle.postpone(number);
        self.last = Exit::Done;
        Ok(())
    }

    fn ready(&mut self, number: u64, server: &ServerRef<'_>) -> anyhow::Result<()> {
        let Some(client) = self.clients.get_mut(&number) else { return Ok(()) };
        self.idle.postpone(number);
        let before = client.stage;
        client.stage = client.turn(self.kind, &mut self.buffer).unwrap_or(Stage::Gone);
        match client.stage {
            Stage::Gone => drop(self.clients.remove(&number)),
            stage if stage == before => {}
            Stage::Reading => server.events.change(&client.socket, number, Interest::Readable)?,
            Stage::Writing => server.events.change(&client.socket, number, Interest::Writable)?,
        }
        Ok(())
    }

    fn deadline(&self) -> Deadline {
        self.idle.deadline()
    }

    fn tick(&mut self, server: &ServerRef<'_>) -> anyhow::Result<()> {
        for number in self.idle.take(|number| self.clients.contains_key(&number)) {
            self.clients.remove(&number);
            self.last = Exit::TimedOut;
            warn_of_idle(number, server);
        }
        Ok(())
    }

    fn clients(&self) -> usize {
        self.clients.len()
    }

    fn exit(&self) -> Exit {
        self.last
    }
}

impl EchoClient {
    /// Sends the pending bytes; if there are none, receives once and sends that.
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

/// Reports that a client is disconnected as it was idle.
pub fn warn_of_idle(number: u64, server: &ServerRef<'_>) {
    server.output.warn(format_args!("client {number} was idle and is disconnected"));
}

/// Sends as much as the socket has room for, and returns the number of bytes; `None` if it has no room
/// at all, even for an empty message.
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

/// Receives the bytes that are there, or one message; `None` at the end.
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
