//! Sending several messages to a queue of a server.

use crate::base::deadline::{Deadline, Waited};
use crate::mechanism::remote::Error;
use crate::mechanism::remote::queue::{Letter, Progress, Queue, Sent};

/// The deadlines of messages, and the number of those that the servers have.
#[derive(Debug)]
pub struct Sending<D, F> {
    /// Returns the deadline of the next message.
    pub deadline: D,
    /// Is called when a message has to wait for room.
    pub full: F,
    /// The number of messages that the servers have.
    pub sent: u64,
}

impl<D: FnMut() -> Deadline, F: FnMut()> Sending<D, F> {
    /// Sends messages in order, up to the first that is not stored, and counts those before it.
    ///
    /// # Errors
    /// As [`Queue::send`].
    pub fn send_all(
        &mut self,
        queue: &mut dyn Queue,
        letters: &[Letter<'_>],
    ) -> Result<Waited<Sent>, Error> {
        let before = self.sent;
        queue.send_all(letters, &mut Batch { sending: self, before })
    }
}

/// The messages of one request.
struct Batch<'a, D, F> {
    sending: &'a mut Sending<D, F>,
    before: u64,
}

impl<D: FnMut() -> Deadline, F: FnMut()> Progress for Batch<'_, D, F> {
    fn deadline(&mut self) -> Deadline {
        (self.sending.deadline)()
    }

    fn stored(&mut self, count: usize) {
        self.sending.sent = self.before + count as u64;
    }

    fn full(&mut self) {
        (self.sending.full)();
    }
}
