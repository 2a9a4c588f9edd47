//! Messages that need no connection.

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::io::output::Output;
use crate::mechanism::socket::Listener;
use crate::server::flood::Flood;
use crate::sys::poll;
use crate::sys::socket::is_our_user;
use crate::sys::stdio::Stream;

use super::{Inbox, Origin, Taken};

/// A socket to which everybody sends.
pub struct Datagrams {
    listener: Listener,
    /// The users besides our own whose messages are taken; `None` is everybody.
    allowed: Option<Vec<u32>>,
    /// The lines about those of others.
    dropped: Flood,
}

impl Datagrams {
    pub fn new(listener: Listener, allowed: Option<Vec<u32>>) -> Result<Self, Errno> {
        listener.socket().mark_messages()?;
        if allowed.is_some() {
            listener.socket().tell_senders()?;
        }
        Ok(Self { listener, allowed, dropped: Flood::default() })
    }

    /// Whether messages of this user are taken. Of one whom the kernel does not tell, as over a
    /// network, they are not, if it matters.
    fn admits(&self, uid: Option<u32>) -> bool {
        let named =
            |allowed: &Vec<u32>| uid.is_some_and(|uid| is_our_user(uid) || allowed.contains(&uid));
        self.allowed.as_ref().is_none_or(named)
    }
}

impl Inbox for Datagrams {
    fn wait(&mut self, deadline: Deadline) -> Result<Waited, Errno> {
        poll::readable_for(&self.listener, Stream::Output.fd(), deadline)
    }

    fn take<'a>(&mut self, buffer: &'a mut Vec<u8>, output: &Output) -> Result<Taken<'a>, Errno> {
        match self.listener.socket().receive_message_from(buffer) {
            Ok(Some(message)) if self.admits(message.uid) => {
                Ok(Taken::Message(message.bytes, Origin::Sender(message.sender)))
            }
            Ok(Some(message)) => {
                match message.uid {
                    Some(uid) => self
                        .dropped
                        .note(output, format_args!("a message of user {uid} was dropped")),
                    None => self.dropped.note(output, "a message of an unknown user was dropped"),
                }
                Ok(Taken::Nothing)
            }
            Ok(None) => Ok(Taken::End),
            Err(Errno(libc::EAGAIN)) => Ok(Taken::Nothing),
            Err(errno) => Err(errno),
        }
    }

    fn answer(&self, origin: &Origin, reply: &[u8]) -> Result<(), Errno> {
        match origin {
            Origin::Sender(Some(sender)) => self.listener.socket().answer(reply, sender),
            // It is bound nowhere, and so expects none.
            Origin::Sender(None) | Origin::Peer(_) => Ok(()),
        }
    }
}
