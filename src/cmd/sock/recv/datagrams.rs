//! Messages of a datagram socket, which has no connections.

use std::os::fd::BorrowedFd;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::io::output::Output;
use crate::mechanism::socket::Listener;
use crate::server::line_limit::LineLimit;
use crate::sys::poll;
use crate::sys::socket::is_our_user;

use super::{Inbox, Received, ReplyTo};

/// A datagram socket.
pub struct Datagrams {
    listener: Listener,
    /// The users, besides that of this process, whose messages are accepted; `None` for all.
    allowed: Option<Vec<u32>>,
    /// Limits the lines about messages of other users.
    dropped: LineLimit,
    stdout: BorrowedFd<'static>,
}

impl Datagrams {
    pub fn new(
        listener: Listener,
        allowed: Option<Vec<u32>>,
        stdout: BorrowedFd<'static>,
    ) -> Result<Self, Errno> {
        listener.socket().mark_messages()?;
        if allowed.is_some() {
            listener.socket().receive_credentials()?;
        }
        Ok(Self { listener, allowed, dropped: LineLimit::default(), stdout })
    }

    /// Whether messages of this user are accepted. The kernel does not know the users of a network;
    /// their messages are accepted only if those of all users are.
    fn allows(&self, uid: Option<u32>) -> bool {
        let is_named =
            |allowed: &Vec<u32>| uid.is_some_and(|uid| is_our_user(uid) || allowed.contains(&uid));
        self.allowed.as_ref().is_none_or(is_named)
    }
}

impl Inbox for Datagrams {
    fn wait(&mut self, deadline: Deadline) -> Result<Waited, Errno> {
        poll::readable_for(&self.listener, self.stdout, deadline)
    }

    fn receive<'a>(
        &mut self,
        buffer: &'a mut Vec<u8>,
        output: &Output,
    ) -> Result<Received<'a>, Errno> {
        match self.listener.socket().receive_message_from(buffer) {
            Ok(Some(message)) if self.allows(message.uid) => {
                Ok(Received::Message(message.bytes, ReplyTo::Sender(message.sender)))
            }
            Ok(Some(message)) => {
                match message.uid {
                    Some(uid) => self
                        .dropped
                        .note(output, format_args!("a message of user {uid} was dropped")),
                    None => self.dropped.note(output, "a message of an unknown user was dropped"),
                }
                Ok(Received::Nothing)
            }
            Ok(None) => Ok(Received::End),
            Err(Errno(libc::EAGAIN)) => Ok(Received::Nothing),
            Err(errno) => Err(errno),
        }
    }

    fn answer(&self, sender: &ReplyTo, reply: &[u8]) -> Result<(), Errno> {
        match sender {
            ReplyTo::Sender(Some(sender)) => self.listener.socket().answer(reply, sender),
            // A sender that is not bound to an address expects no answer.
            ReplyTo::Sender(None) | ReplyTo::Client(_) => Ok(()),
        }
    }
}
