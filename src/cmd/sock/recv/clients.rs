//! Messages of all clients that have connected.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::io::output::Output;
use crate::mechanism::socket::Listener;
use crate::server::acceptor::{Acceptor, LISTENER, NewClients};
use crate::server::admission::{Admission, Allowed, Client};
use crate::sys::events::Interest;

use super::{Inbox, Received, ReplyTo};

/// The number under which the events report that the reader of stdout has left.
const STDOUT: u64 = LISTENER - 1;

/// The connected clients.
pub struct Clients {
    acceptor: Acceptor,
    clients: BTreeMap<u64, Client>,
    /// Clients that may have sent a message. Each is received from once before any is again.
    ready: Vec<u64>,
}

impl Clients {
    pub fn new(
        listener: Listener,
        allowed: Option<Vec<u32>>,
        stdout: BorrowedFd<'static>,
    ) -> Result<Self, Errno> {
        let allowed = match allowed {
            Some(users) => Allowed::Only { users, groups: Vec::new() },
            None => Allowed::All,
        };
        let acceptor = Acceptor::new(Admission::new(listener, allowed))?;
        // epoll(7) refuses a file, which has no reader.
        let _ = acceptor.events.add(stdout, STDOUT, Interest::Nothing);
        Ok(Self { acceptor, clients: BTreeMap::new(), ready: Vec::new() })
    }

    fn accept(&mut self, output: &Output) -> Result<(), Errno> {
        while let Some(client) = self.acceptor.next(output)? {
            client.socket.make_non_blocking()?;
            client.socket.mark_messages()?;
            self.acceptor.events.add(&client.socket, client.number, Interest::Readable)?;
            self.clients.insert(client.number, client);
        }
        Ok(())
    }
}

impl Inbox for Clients {
    fn wait(&mut self, deadline: Deadline) -> Result<Waited, Errno> {
        self.acceptor.wait(&mut self.ready, NewClients::Accept, deadline)
    }

    fn receive<'a>(
        &mut self,
        buffer: &'a mut Vec<u8>,
        output: &Output,
    ) -> Result<Received<'a>, Errno> {
        while let Some(number) = self.ready.pop() {
            if number == LISTENER {
                self.accept(output)?;
            }
            let Some(client) = self.clients.get(&number) else { continue };
            let received = client.socket.receive_message(buffer);
            match received.map(|message| message.map(<[u8]>::len)) {
                Ok(Some(size)) => {
                    return Ok(Received::Message(&buffer[..size], ReplyTo::Client(number)));
                }
                Err(Errno(libc::EAGAIN)) => {}
                // The client has left, and its messages were received before.
                Ok(None) | Err(Errno(libc::ECONNRESET)) => drop(self.clients.remove(&number)),
                Err(errno) => return Err(errno),
            }
        }
        Ok(Received::Nothing)
    }

    fn answer(&self, sender: &ReplyTo, reply: &[u8]) -> Result<(), Errno> {
        match sender {
            ReplyTo::Client(number) => {
                let client = self.clients.get(number);
                client.map_or(Ok(()), |client| client.socket.send_message(reply))
            }
            ReplyTo::Sender(_) => Ok(()),
        }
    }
}
