//! The interface of an engine: one kind of message queue.

use std::fmt::Debug;
use std::os::fd::{AsFd, BorrowedFd};

use crate::base::deadline::{Deadline, Waited};
use crate::sys::eventfd::Bell;

use super::{Error, Found, Received, Selection};

/// The events that end a wait.
#[derive(Clone, Copy, Debug)]
pub struct Until<'a> {
    /// The wait times out at this time.
    pub deadline: Deadline,
    /// The wait times out when it rings. An engine whose system call cannot wait for a descriptor
    /// checks it when the call fails with EINTR.
    pub bell: Option<&'a Bell>,
    /// The wait ends when the reader of this pipe or socket has closed it, if there is no bell and
    /// the engine can detect that.
    pub sink: Option<BorrowedFd<'a>>,
}

impl From<Deadline> for Until<'_> {
    fn from(deadline: Deadline) -> Self {
        Self { deadline, bell: None, sink: None }
    }
}

impl<'a> Until<'a> {
    /// A wait until the deadline or until the bell rings.
    pub fn bell(bell: &'a Bell, deadline: Deadline) -> Self {
        Self { bell: Some(bell), ..Self::from(deadline) }
    }

    /// Whether the bell has rung.
    pub fn has_rung(self) -> bool {
        self.bell.is_some_and(Bell::has_rung)
    }

    /// The descriptor of the bell.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.bell.map(AsFd::as_fd)
    }
}

/// An open queue of one kind.
pub trait Engine: Debug {
    /// The length of the longest message that can be sent.
    fn limit(&self) -> Result<usize, Error>;

    /// The number of such messages. An engine without selection counts all.
    fn count(&mut self, selection: Selection) -> Result<u64, Error>;

    /// Sends a message if there is room for it.
    fn try_send(&mut self, message: &[u8], priority: i64) -> Result<Waited, Error>;

    /// Sends a message, waiting for room.
    fn send(&mut self, message: &[u8], priority: i64, until: Until<'_>) -> Result<Waited, Error>;

    /// Says that the caller receives so many messages, if there are as many: an engine may ask for several
    /// at a time.
    fn expect(&mut self, _: u64) {}

    /// Receives a message, if there is one.
    fn try_receive(&mut self, selection: Selection) -> Result<Option<Received>, Error>;

    /// Copies the message with this index, of which the oldest has 0; the message stays.
    fn peek(&mut self, index: u32) -> Result<Option<Received>, Error>;

    /// The bytes of the message that was received last.
    fn message(&self, received: Received) -> &[u8];

    /// The length of the longest message that the allocated memory can hold.
    fn room(&self) -> usize;

    /// Allocates memory for the next message.
    fn make_room(&mut self) -> Result<(), Error>;

    /// Whether there is such a message, as far as the engine knows without receiving it.
    fn has_message(&mut self, selection: Selection) -> Result<bool, Error>;

    /// Waits until there is such a message. The engine may have to receive a message to see it:
    /// then the next call receives that one, or [`Engine::give_back`] sends it back.
    fn wait(&mut self, selection: Selection, until: Until<'_>) -> Result<Waited, Error>;

    /// Requeues the message that a wait had to receive.
    fn give_back(&mut self, until: Until<'_>) -> Result<Waited, Error>;

    /// A number that is unique among queues of this kind.
    fn identity(&self) -> Result<u64, Error>;

    /// Whether the queue has been removed.
    fn is_removed(&self) -> bool;

    /// The creator of an existing queue and its permissions, once its creator has finished it; it
    /// times out if that never happens.
    fn found(&self) -> Result<Waited<Found>, Error>;
}
