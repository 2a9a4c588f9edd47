//! Who comes in, and in which order.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use crate::base::errno::Errno;
use crate::io::output::Output;
use crate::mechanism::socket::Listener;
use crate::server::flood::Flood;
use crate::sys::socket::{Credentials, Socket, is_our_user};

/// Who may come in. We ourselves always may.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Admission {
    /// Everybody who could connect.
    Everybody,
    /// Processes of these users, or of these groups.
    Only {
        /// Effective users.
        users: Vec<u32>,
        /// Effective groups.
        groups: Vec<u32>,
    },
}

/// A client who came in.
#[derive(Debug)]
pub struct Client {
    pub socket: Socket,
    /// Counted from 1.
    pub number: u64,
    /// `None` where nobody knows.
    pub peer: Option<Credentials>,
    /// Kept for as long as the client is served.
    pub pass: Pass,
}

/// That a client is one of its user's; dropping it makes room for another.
#[derive(Clone, Debug, Default)]
pub struct Pass(Arc<()>);

impl Pass {
    /// How many clients have one, of this kind which the gate keeps one of itself.
    fn given(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

/// A client who came in and is not served yet: its user has as many as may be.
#[derive(Debug)]
struct Guest {
    socket: Socket,
    peer: Option<Credentials>,
}

/// How many guests there may be. The others wait to be accepted, whoever they are.
const GUESTS: usize = 256;

/// Where clients come in.
#[derive(Debug)]
pub struct Gate {
    /// `None` when as many came in as should: nobody else is to connect and wait in vain.
    listener: Option<Listener>,
    address: OsString,
    admission: Admission,
    admitted: u64,
    /// How many may come in altogether.
    total: u64,
    /// How many may be served at a time of each user.
    max_per_uid: usize,
    passes: BTreeMap<u32, Pass>,
    guests: VecDeque<Guest>,
    /// The lines about those who may not come in.
    refused: Flood,
}

impl Gate {
    /// One for any number of clients.
    pub fn new(listener: Listener, admission: Admission) -> Self {
        Self {
            address: listener.address().to_owned(),
            listener: Some(listener),
            admission,
            admitted: 0,
            total: u64::MAX,
            max_per_uid: usize::MAX,
            passes: BTreeMap::new(),
            guests: VecDeque::new(),
            refused: Flood::default(),
        }
    }

    /// The same for a single client.
    pub fn for_one(self) -> Self {
        Self { total: 1, ..self }
    }

    /// The same for so many clients of a user at a time.
    pub fn for_each_user(self, max_per_uid: usize) -> Self {
        Self { max_per_uid, ..self }
    }

    /// What to wait for, unless as many came in as should.
    pub fn listener(&self) -> Option<&Listener> {
        self.listener.as_ref()
    }

    /// What listens, unless as many came in as should.
    pub fn into_listener(self) -> Option<Listener> {
        self.listener
    }

    /// Where clients come in, as they write it.
    pub fn address(&self) -> &OsStr {
        &self.address
    }

    /// Whether as many came in as should.
    pub fn is_closed(&self) -> bool {
        self.listener.is_none()
    }

    /// Lets nobody else in. Those who came and are not served find the connection closed.
    pub fn close(&mut self) {
        self.listener = None;
        self.guests.clear();
    }

    /// Whether there is room for one more who has to wait inside.
    pub fn has_room(&self) -> bool {
        self.guests.len() < GUESTS
    }

    /// Whether somebody waits inside.
    pub fn has_guests(&self) -> bool {
        !self.guests.is_empty()
    }

    /// The next client, if one waits. Those who may not come in are sent away unheard.
    ///
    /// # Errors
    /// EMFILE and its like, with the client still waiting.
    pub fn next(&mut self, output: &Output) -> Result<Option<Client>, Errno> {
        let served = |guest: &Guest| self.pass(guest.peer).is_some();
        if let Some(place) = self.guests.iter().position(served) {
            let Guest { socket, peer } = self.guests.remove(place).expect("it is there");
            let pass = self.pass(peer).expect("there is room");
            return Ok(Some(self.client(socket, peer, pass)));
        }
        while let Some(listener) = self.listener.as_ref().filter(|_| self.has_room()) {
            let Some(socket) = listener.socket().accept()? else { return Ok(None) };
            let peer = socket.peer();
            if self.admits(peer) {
                self.note(peer);
                let Some(pass) = self.pass(peer) else {
                    self.guests.push_back(Guest { socket, peer });
                    continue;
                };
                return Ok(Some(self.client(socket, peer, pass)));
            }
            match peer {
                Some(Credentials { pid, uid, .. }) => self.refused.warn(
                    output,
                    format_args!(
                        "process {pid} of user {uid} was disconnected: --allow-uid does not name \
                         the user"
                    ),
                ),
                None => self.refused.warn(output, "a client of an unknown user was disconnected"),
            }
        }
        Ok(None)
    }

    fn client(&mut self, socket: Socket, peer: Option<Credentials>, pass: Pass) -> Client {
        self.admitted += 1;
        if self.admitted == self.total {
            self.close();
        }
        Client { socket, number: self.admitted, peer, pass }
    }

    /// Begins to count the clients of a user, where that is wanted.
    fn note(&mut self, peer: Option<Credentials>) {
        if let Some(peer) = peer.filter(|_| self.max_per_uid < usize::MAX) {
            self.passes.entry(peer.uid).or_default();
        }
    }

    /// A pass, unless the user has as many clients as may be.
    fn pass(&self, peer: Option<Credentials>) -> Option<Pass> {
        match peer.and_then(|peer| self.passes.get(&peer.uid)) {
            None => Some(Pass::default()),
            Some(pass) => (pass.given() < self.max_per_uid).then(|| pass.clone()),
        }
    }

    fn admits(&self, peer: Option<Credentials>) -> bool {
        match &self.admission {
            Admission::Everybody => true,
            Admission::Only { users, groups } => peer.is_some_and(|peer| {
                let named = users.contains(&peer.uid) || groups.contains(&peer.gid);
                named || is_our_user(peer.uid)
            }),
        }
    }
}
