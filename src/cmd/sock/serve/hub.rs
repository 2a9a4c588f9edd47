//! `ipc sock serve --hub`: the bytes of each client go to every other client.
//!
//! They are sent to all others at once. Bytes that a client has no room for are kept, in one copy for
//! all clients that are behind, up to a limit. A client that is further behind is disconnected: it must
//! not delay the others, and a stream with missing bytes is of no use.
//!
//! A client that sends its end and has sent nothing before stays connected: it only receives. One that
//! has sent something is disconnected once it has got the bytes that are kept for it at that moment.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use crate::base::deadline::Deadline;
use crate::base::errno::Errno;
use crate::base::exit::Exit;
use crate::sys::events::{Events, Interest};
use crate::sys::heap;
use crate::sys::socket::SocketType;

use super::echo::{receive, send, warn_of_idle};
use crate::server::admission::Client;
use crate::server::event_loop::{ServerRef, Service};
use crate::server::idle_clients::IdleClients;

/// Sends the bytes of each client to every other.
pub struct Hub {
    kind: SocketType,
    members: BTreeMap<u64, Member>,
    idle: IdleClients,
    last: Exit,
    /// The latest bytes, of any client.
    buffer: Vec<u8>,
    /// The clients to disconnect.
    leaving: Vec<u64>,
}

struct Member {
    client: Client,
    behind: VecDeque<Rest>,
    /// The number of bytes that are kept for it, with the memory that each record takes.
    kept: usize,
    stage: Stage,
}

/// The directions that a client still has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    /// Receive and send; it has not sent yet.
    Silent,
    /// Receive and send.
    Sending,
    /// Receive, until it closes.
    Receiving,
    /// Receive the bytes that are kept for it.
    Leaving,
}

/// The part of a received block that a client has not got yet.
struct Rest {
    bytes: Rc<Vec<u8>>,
    start: usize,
}

/// The size of the buffer.
const BLOCK: usize = 64 << 10;

/// The limit for the bytes that are kept for a client.
const KEPT_MAX: usize = 1 << 20;

/// The memory that a record takes besides its bytes.
const RECORD: usize = size_of::<Rest>() + 2 * size_of::<usize>();

impl Hub {
    /// A client without a byte for the duration `idle` is disconnected.
    pub fn new(kind: SocketType, idle: Option<Duration>) -> Self {
        Self {
            kind,
            members: BTreeMap::new(),
            idle: IdleClients::new(idle),
            last: Exit::Done,
            buffer: vec![0; BLOCK],
            leaving: Vec::new(),
        }
    }

    /// Receives once from a client, and sends the bytes to all others.
    fn forward(&mut self, number: u64, server: &ServerRef<'_>) -> Result<(), Errno> {
        let Some(sender) = self.members.get_mut(&number) else { return Ok(()) };
        let bytes = match receive(&sender.client.socket, self.kind, &mut self.buffer) {
            Ok(Some(bytes)) => bytes,
            Err(Errno(libc::EAGAIN)) => return Ok(()),
            Ok(None) => return self.end(number, server.events),
            // It has left, or its connection failed, which concerns no other client.
            Err(_) => {
                self.leaving.push(number);
                return Ok(());
            }
        };
        sender.stage = Stage::Sending;
        let mut shared = None;
        for (&other, member) in self.members.iter_mut().filter(|(other, _)| **other != number) {
            match member.send(self.kind, bytes, &mut shared) {
                Ok(Sent::Part) => member.update_interest(other, server.events)?,
                Ok(Sent::All) => self.idle.postpone(other),
                Err(_) => self.leaving.push(other),
            }
        }
        Ok(())
    }

    /// Records that a client sends no more.
    fn end(&mut self, number: u64, events: &Events) -> Result<(), Errno> {
        let Some(member) = self.members.get_mut(&number) else { return Ok(()) };
        member.stage = match member.stage {
            Stage::Silent => Stage::Receiving,
            _ if member.behind.is_empty() => {
                self.leaving.push(number);
                return Ok(());
            }
            _ => Stage::Leaving,
        };
        member.update_interest(number, events)
    }

    /// Sends a client the bytes that were kept for it.
    fn catch_up(&mut self, number: u64, events: &Events) -> Result<(), Errno> {
        let Some(member) = self.members.get_mut(&number) else { return Ok(()) };
        match member.catch_up(self.kind) {
            Ok(Sent::All) if member.stage == Stage::Leaving => self.leaving.push(number),
            Ok(Sent::All) => member.update_interest(number, events)?,
            Ok(Sent::Part) => {}
            Err(_) => self.leaving.push(number),
        }
        Ok(())
    }

    fn disconnect_leaving(&mut self, server: &ServerRef<'_>) {
        for number in self.leaving.drain(..) {
            if self.members.remove(&number).is_some_and(|member| member.kept > KEPT_MAX) {
                server
                    .output
                    .warn(format_args!("client {number} was too slow and is disconnected"));
            }
        }
    }
}

impl Service for Hub {
    fn start(&mut self, client: Client, server: &ServerRef<'_>) -> anyhow::Result<()> {
        client.socket.make_non_blocking()?;
        if self.kind != SocketType::Stream {
            client.socket.mark_messages()?;
        }
        server.events.add(&client.socket, client.number, Interest::Readable)?;
        self.idle.postpone(client.number);
        self.last = Exit::Done;
        let member = Member { client, behind: VecDeque::new(), kept: 0, stage: Stage::Silent };
        self.members.insert(member.client.number, member);
        Ok(())
    }

    fn ready(&mut self, number: u64, server: &ServerRef<'_>) -> anyhow::Result<()> {
        let Some(member) = self.members.get(&number) else { return Ok(()) };
        self.idle.postpone(number);
        match (member.may_send(), member.behind.is_empty()) {
            (true, true) => self.forward(number, server)?,
            // The event may be either of the two.
            (true, false) => {
                self.catch_up(number, server.events)?;
                self.forward(number, server)?;
            }
            (false, false) => self.catch_up(number, server.events)?,
            // The only events of a client that just receives are a hangup and an error.
            (false, true) => self.leaving.push(number),
        }
        self.disconnect_leaving(server);
        Ok(())
    }

    fn deadline(&self) -> Deadline {
        self.idle.deadline()
    }

    fn tick(&mut self, server: &ServerRef<'_>) -> anyhow::Result<()> {
        for number in self.idle.take(|number| self.members.contains_key(&number)) {
            self.members.remove(&number);
            self.last = Exit::TimedOut;
            warn_of_idle(number, server);
        }
        Ok(())
    }

    fn clients(&self) -> usize {
        self.members.len()
    }

    fn exit(&self) -> Exit {
        self.last
    }
}

/// How much of the bytes for a client was sent.
enum Sent {
    All,
    /// The rest is kept.
    Part,
}

impl Member {
    /// Sends it bytes, and keeps those that it has no room for: in `shared`, with all others that are
    /// behind.
    ///
    /// # Errors
    /// ENOBUFS if it is too far behind; ENOMEM if nothing can be kept for it; those of send(2).
    fn send(
        &mut self,
        kind: SocketType,
        bytes: &[u8],
        shared: &mut Option<Rc<Vec<u8>>>,
    ) -> Result<Sent, Errno> {
        let start = match self.behind.is_empty() {
            true => match send(&self.client.socket, kind, bytes)? {
                Some(sent) if sent == bytes.len() => return Ok(Sent::All),
                sent => sent.unwrap_or(0),
            },
            false => 0,
        };
        self.kept += bytes.len() + RECORD;
        if self.kept > KEPT_MAX {
            return Err(Errno(libc::ENOBUFS));
        }
        let bytes = match shared {
            Some(shared) => Rc::clone(shared),
            None => Rc::clone(shared.insert(Rc::new(heap::copy(bytes)?))),
        };
        self.behind.push_back(Rest { bytes, start });
        Ok(Sent::Part)
    }

    fn catch_up(&mut self, kind: SocketType) -> Result<Sent, Errno> {
        while let Some(rest) = self.behind.front_mut() {
            let left = &rest.bytes[rest.start..];
            match send(&self.client.socket, kind, left)? {
                None => return Ok(Sent::Part),
                Some(sent) if sent < left.len() => rest.start += sent,
                Some(_) => {
                    self.kept -= rest.bytes.len() + RECORD;
                    self.behind.pop_front();
                }
            }
        }
        Ok(Sent::All)
    }

    /// Whether it may still send something.
    fn may_send(&self) -> bool {
        matches!(self.stage, Stage::Silent | Stage::Sending)
    }

    /// Waits for the next events: room, if bytes are kept for it, and bytes that it sends.
    fn update_interest(&self, number: u64, events: &Events) -> Result<(), Errno> {
        let interest = match (self.may_send(), self.behind.is_empty()) {
            (true, true) => Interest::Readable,
            (true, false) => Interest::Both,
            (false, true) => Interest::Nothing,
            (false, false) => Interest::Writable,
        };
        events.change(&self.client.socket, number, interest)
    }
}
