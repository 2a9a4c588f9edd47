//! Message queues on a server. A message is removed from the server before it counts as received.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::fd::AsFd;

use crate::base::deadline::{Deadline, Waited};
use crate::mechanism::remote;
use crate::mechanism::remote::queue::{Acknowledged, Ends, Letter, Queue, Sent};

use super::engine::{Engine, Until};
use super::{Error, Found, Received, Selection};

/// A queue, and the message that was received last.
#[derive(Debug)]
pub struct Remote {
    queue: Box<dyn Queue>,
    message: Vec<u8>,
}

impl Remote {
    /// An open queue.
    pub fn new(queue: Box<dyn Queue>) -> Self {
        Self { queue, message: Vec::new() }
    }

    /// The reason why it is unknown whether a message was received.
    fn unknown() -> Error {
        let reason = "the server did not confirm in time that it has removed a message, which is \
                      not printed: another receiver may have it, or it is lost";
        Error::Remote(remote::Error::Server(reason.to_owned()))
    }

    fn keep(&mut self, message: remote::queue::Message) -> Received {
        let length = message.bytes.len();
        self.message = message.bytes;
        Received { length, priority: message.priority.into(), is_cut: false }
    }
}

fn answered<T>(waited: Result<Waited<T>, remote::Error>) -> Result<T, Error> {
    match waited? {
        Waited::Done(value) => Ok(value),
        Waited::TimedOut => Err(Error::Remote(remote::Error::Unanswered)),
    }
}

impl Engine for Remote {
    fn limit(&self) -> Result<usize, Error> {
        Ok(self.queue.limit())
    }

    fn count(&mut self, _: Selection) -> Result<u64, Error> {
        Ok(answered(self.queue.state(Deadline::PASSED))?.messages)
    }

    fn try_send(&mut self, message: &[u8], priority: i64) -> Result<Waited, Error> {
        self.send(message, priority, Deadline::PASSED.into())
    }

    fn send(&mut self, message: &[u8], priority: i64, until: Until<'_>) -> Result<Waited, Error> {
        let ends = Ends { deadline: until.deadline, bell: until.descriptor(), sink: None };
        let letter = Letter { bytes: message, priority: priority as u32, ..Letter::default() };
        Ok(self.queue.send(letter, ends)?.map(|_: Sent| ()))
    }

    fn expect(&mut self, count: u64) {
        self.queue.expect(count);
    }

    fn try_receive(&mut self, _: Selection) -> Result<Option<Received>, Error> {
        let Some((claim, message)) = self.queue.claim()? else { return Ok(None) };
        match self.queue.acknowledge(claim)? {
            Acknowledged::Own => Ok(Some(self.keep(message))),
            Acknowledged::Late | Acknowledged::Unknown => Err(Self::unknown()),
        }
    }

    fn peek(&mut self, index: u32) -> Result<Option<Received>, Error> {
        let mut next = 1;
        for left in (0..=index).rev() {
            let Some(message) = answered(self.queue.copy(next, Deadline::PASSED))? else { break };
            if left == 0 {
                return Ok(Some(self.keep(message)));
            }
            next = message.sequence + 1;
        }
        Ok(None)
    }

    fn message(&self, received: Received) -> &[u8] {
        &self.message[..received.length]
    }

    fn room(&self) -> usize {
        self.queue.limit()
    }

    fn make_room(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn has_message(&mut self, _: Selection) -> Result<bool, Error> {
        let state = answered(self.queue.state(Deadline::PASSED))?;
        let claimed = answered(self.queue.claimed(Deadline::PASSED))?;
        Ok(state.messages > claimed)
    }

    fn wait(&mut self, _: Selection, until: Until<'_>) -> Result<Waited, Error> {
        let sink = until.sink.filter(|_| until.bell.is_none());
        let ends = Ends { deadline: until.deadline, bell: until.bell.map(AsFd::as_fd), sink };
        Ok(self.queue.wait(ends)?)
    }

    fn give_back(&mut self, _: Until<'_>) -> Result<Waited, Error> {
        self.queue.give_back()?;
        Ok(Waited::Done(()))
    }

    fn identity(&self) -> Result<u64, Error> {
        let mut hasher = DefaultHasher::new();
        self.queue.identity().hash(&mut hasher);
        Ok(hasher.finish())
    }

    /// A removed queue refuses messages.
    fn is_removed(&self) -> bool {
        false
    }

    /// The server knows accounts instead of the users of machines.
    fn found(&self) -> Result<Waited<Found>, Error> {
        Err(Error::Unavailable)
    }
}
