//! Messages of all who connect.

use std::collections::BTreeMap;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::io::output::Output;
use crate::mechanism::socket::Listener;
use crate::server::acceptor::{Acceptor, Awaited, LISTENER};
use crate::server::admission::{Admission, Client, Gate};
use crate::sys::events::Interest;
use crate::sys::stdio::Stream;

use super::{Inbox, Origin, Taken};

/// The number under which the events tell that the reader of stdout has left.
const STDOUT: u64 = LISTENER - 1;

/// Those who have connected.
pub struct Peers {
    entrance: Acceptor,
    clients: BTreeMap<u64, Client>,
    /// Those who may have something to say, each of whom is heard once before any is again.
    ready: Vec<u64>,
}

impl Peers {
    pub fn new(listener: Listener, allowed: Option<Vec<u32>>) -> Result<Self, Errno> {
        let admission = match allowed {
            Some(users) => Admission::Only { users, groups: Vec::new() },
            None => Admission::Everybody,
        };
        let entrance = Acceptor::new(Gate::new(listener, admission))?;
        // A file, which has no reader, cannot be waited for.
        let _ = entrance.events.add(Stream::Output.fd(), STDOUT, Interest::Nothing);
        Ok(Self { entrance, clients: BTreeMap::new(), ready: Vec::new() })
    }

    fn let_in(&mut self, output: &Output) -> Result<(), Errno> {
        while let Some(client) = self.entrance.next(output)? {
            client.socket.make_non_blocking()?;
            client.socket.mark_messages()?;
            self.entrance.events.add(&client.socket, client.number, Interest::Readable)?;
            self.clients.insert(client.number, client);
        }
        Ok(())
    }
}

impl Inbox for Peers {
    fn wait(&mut self, deadline: Deadline) -> Result<Waited, Errno> {
        self.entrance.wait(&mut self.ready, Awaited::Everybody, deadline)
    }

    fn take<'a>(&mut self, buffer: &'a mut Vec<u8>, output: &Output) -> Result<Taken<'a>, Errno> {
        while let Some(number) = self.ready.pop() {
            if number == LISTENER {
                self.let_in(output)?;
            }
            let Some(client) = self.clients.get(&number) else { continue };
            let received = client.socket.receive_message(buffer);
            match received.map(|message| message.map(<[u8]>::len)) {
                Ok(Some(size)) => {
                    return Ok(Taken::Message(&buffer[..size], Origin::Peer(number)));
                }
                Err(Errno(libc::EAGAIN)) => {}
                // It has left. What it had sent was received before.
                Ok(None) | Err(Errno(libc::ECONNRESET)) => drop(self.clients.remove(&number)),
                Err(errno) => return Err(errno),
            }
        }
        Ok(Taken::Nothing)
    }

    fn answer(&self, origin: &Origin, reply: &[u8]) -> Result<(), Errno> {
        match origin {
            Origin::Peer(number) => {
                let client = self.clients.get(number);
                client.map_or(Ok(()), |client| client.socket.send_message(reply))
            }
            Origin::Sender(_) => Ok(()),
        }
    }
}
