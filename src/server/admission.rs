//! Which clients are admitted, and in which order.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use crate::base::errno::Errno;
use crate::io::output::Output;
use crate::mechanism::socket::Listener;
use crate::server::line_limit::LineLimit;
use crate::sys::socket::{Credentials, Socket, is_our_user};

/// The processes that may be clients. Those of the server's own user always may.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Allowed {
    /// Every process that can connect.
    All,
    /// Processes of these users, or of these groups.
    Only {
        /// Effective users.
        users: Vec<u32>,
        /// Effective groups.
        groups: Vec<u32>,
    },
}

impl Allowed {
    /// Whether a client with these credentials is one of them.
    pub fn contains(&self, peer: Option<Credentials>) -> bool {
        match self {
            Self::All => true,
            Self::Only { users, groups } => peer.is_some_and(|peer| {
                let named = users.contains(&peer.uid) || groups.contains(&peer.gid);
                named || is_our_user(peer.uid)
            }),
        }
    }
}

/// A client that was admitted.
#[derive(Debug)]
pub struct Client {
    pub socket: Socket,
    /// Clients are counted from 1.
    pub number: u64,
    /// `None` where the kernel does not know it.
    pub peer: Option<Credentials>,
    /// Kept for as long as the client is served.
    pub slot: Slot,
}

/// The share of its user's limit that a client takes. Dropping it lets another client of the user in.
#[derive(Clone, Debug, Default)]
pub struct Slot(Arc<()>);

impl Slot {
    /// The number of clients that have a clone of this slot, which admission keeps itself.
    fn used(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

/// An accepted client that is not served yet, as its user has reached the limit.
#[derive(Debug)]
struct Queued {
    socket: Socket,
    peer: Option<Credentials>,
}

/// The length of the queue. While it is full, all other clients stay in the backlog.
const QUEUE: usize = 256;

/// Accepts clients, and disconnects those that are not allowed.
#[derive(Debug)]
pub struct Admission {
    /// `None` when the last client was admitted: later ones are refused by the kernel.
    listener: Option<Listener>,
    address: OsString,
    allowed: Allowed,
    admitted: u64,
    /// The number of clients to admit.
    total: u64,
    /// The number of clients to serve at a time of each user.
    max_per_uid: usize,
    slots: BTreeMap<u32, Slot>,
    queue: VecDeque<Queued>,
    /// Limits the lines about clients that are not allowed.
    refused: LineLimit,
    /// What a client that is not allowed gets before it is disconnected.
    farewell: Vec<u8>,
}

impl Admission {
    /// Admits any number of clients.
    pub fn new(listener: Listener, allowed: Allowed) -> Self {
        Self {
            address: listener.address().to_owned(),
            listener: Some(listener),
            allowed,
            admitted: 0,
            total: u64::MAX,
            max_per_uid: usize::MAX,
            slots: BTreeMap::new(),
            queue: VecDeque::new(),
            refused: LineLimit::default(),
            farewell: Vec::new(),
        }
    }

    /// Admits a single client.
    pub fn for_one(self) -> Self {
        Self { total: 1, ..self }
    }

    /// Serves at most this many clients of a user at a time.
    pub fn for_each_user(self, max_per_uid: usize) -> Self {
        Self { max_per_uid, ..self }
    }

    /// Sends this message to each client that is not allowed.
    pub fn refusing_by(self, farewell: Vec<u8>) -> Self {
        Self { farewell, ..self }
    }

    /// The listening socket, unless the last client was admitted.
    pub fn listener(&self) -> Option<&Listener> {
        self.listener.as_ref()
    }

    /// The same, for a caller that accepts the clients itself.
    pub fn into_listener(self) -> Option<Listener> {
        self.listener
    }

    /// The address, as clients write it.
    pub fn address(&self) -> &OsStr {
        &self.address
    }

    /// Whether the last client was admitted.
    pub fn is_closed(&self) -> bool {
        self.listener.is_none()
    }

    /// Admits no more clients, and disconnects those in the queue.
    pub fn close(&mut self) {
        self.listener = None;
        self.queue.clear();
    }

    /// Whether the queue has room.
    pub fn has_room(&self) -> bool {
        self.queue.len() < QUEUE
    }

    /// Whether a client is in the queue.
    pub fn has_queued(&self) -> bool {
        !self.queue.is_empty()
    }

    /// The next client, if one waits. Clients that are not allowed are disconnected.
    ///
    /// # Errors
    /// EMFILE and its like, with the client still in the backlog.
    pub fn next(&mut self, output: &Output) -> Result<Option<Client>, Errno> {
        if let Some(client) = self.next_queued() {
            return Ok(Some(client));
        }
        while let Some(listener) = self.listener.as_ref().filter(|_| self.has_room()) {
            let Some(socket) = listener.socket().accept()? else { return Ok(None) };
            let peer = socket.peer();
            if !self.allowed.contains(peer) {
                if !self.farewell.is_empty() {
                    // A new connection has room for a message.
                    let _ = socket.send(&self.farewell);
                }
                self.report_refused(peer, output);
                continue;
            }
            self.count(peer);
            match self.slot(peer) {
                Some(slot) => return Ok(Some(self.client(socket, peer, slot))),
                None => self.queue.push_back(Queued { socket, peer }),
            }
        }
        Ok(None)
    }

    /// The first client of the queue that has a slot now.
    fn next_queued(&mut self) -> Option<Client> {
        let found = self.queue.iter().map(|queued| self.slot(queued.peer)).enumerate();
        let (index, slot) = found.into_iter().find_map(|(index, slot)| Some((index, slot?)))?;
        let Queued { socket, peer } = self.queue.remove(index)?;
        Some(self.client(socket, peer, slot))
    }

    fn client(&mut self, socket: Socket, peer: Option<Credentials>, slot: Slot) -> Client {
        self.admitted += 1;
        if self.admitted == self.total {
            self.close();
        }
        Client { socket, number: self.admitted, peer, slot }
    }

    fn report_refused(&mut self, peer: Option<Credentials>, output: &Output) {
        match peer {
            Some(Credentials { pid, uid, .. }) => self.refused.warn(
                output,
                format_args!(
                    "process {pid} of user {uid} was disconnected: --allow-uid does not name the user"
                ),
            ),
            None => self.refused.warn(output, "a client of an unknown user was disconnected"),
        }
    }

    /// Starts counting the clients of a user, if their number is limited.
    fn count(&mut self, peer: Option<Credentials>) {
        if let Some(peer) = peer.filter(|_| self.max_per_uid < usize::MAX) {
            self.slots.entry(peer.uid).or_default();
        }
    }

    /// A slot, unless the user has reached the limit.
    fn slot(&self, peer: Option<Credentials>) -> Option<Slot> {
        match peer.and_then(|peer| self.slots.get(&peer.uid)) {
            None => Some(Slot::default()),
            Some(slot) => (slot.used() < self.max_per_uid).then(|| slot.clone()),
        }
    }
}
