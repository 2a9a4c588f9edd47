//! Queues on a server: message queues and spools.
//!
//! A message that is claimed stays on the server until it is acknowledged. The engine reports to the server
//! that it is still being processed, so a claim is good for as long as this process runs; if the process is
//! killed, the server gives the message to another one after a while.

use std::fmt::Debug;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use super::{Creation, Error};
use crate::base::deadline::{Deadline, Waited};

/// The greatest priority of a message.
pub const PRIORITY_MAX: u32 = 32767;

/// A kind of queues, with names of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum QueueKind {
    /// Message queues.
    Mq,
    /// Spools, whose messages have names.
    Spool,
}

/// The limits of a queue.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Limits {
    /// The maximum number of messages.
    pub max_msgs: Option<u64>,
    /// The maximum length of a message.
    pub msg_size: Option<u64>,
    /// The maximum of all bytes.
    pub max_bytes: Option<u64>,
}

/// The state of a queue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct State {
    /// The name of the queue on its server.
    pub key: String,
    /// The limits of the queue.
    pub limits: Limits,
    /// The number of messages, claimed or not.
    pub messages: u64,
    /// The bytes of all messages.
    pub bytes: u64,
    /// The number of nodes that store the queue.
    pub replicas: u64,
    /// The node that leads the others.
    pub leader: Option<String>,
}

/// The events that end a wait.
#[derive(Clone, Copy, Debug)]
pub struct Ends<'a> {
    /// The wait times out at this time.
    pub deadline: Deadline,
    /// The wait times out when this descriptor is readable.
    pub bell: Option<BorrowedFd<'a>>,
    /// The wait ends when the reader of this pipe or socket has closed it.
    pub sink: Option<BorrowedFd<'a>>,
}

impl From<Deadline> for Ends<'_> {
    fn from(deadline: Deadline) -> Self {
        Self { deadline, bell: None, sink: None }
    }
}

/// A message to send.
#[derive(Clone, Copy, Debug, Default)]
pub struct Letter<'a> {
    /// The message.
    pub bytes: &'a [u8],
    /// Its priority.
    pub priority: u32,
    /// An identity: the server keeps one message of each within two minutes. Without one, it gets one of
    /// its own for all attempts to send it.
    pub identity: Option<&'a str>,
    /// Its name, in a spool.
    pub name: &'a str,
    /// The time of day before which no worker takes it, in nanoseconds since 1970, in a spool.
    pub due: u64,
}

/// What a request that sends several messages asks and reports meanwhile.
pub trait Progress {
    /// The deadline of the first message that is not stored, from now on.
    fn deadline(&mut self) -> Deadline;

    /// The servers have so many of the messages: the first ones.
    fn stored(&mut self, count: usize);

    /// The next message waits for room.
    fn full(&mut self);
}

/// What became of a message that was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sent {
    /// The servers have it.
    Stored,
    /// A message of this name and priority is there.
    NameInUse,
}

/// A message that is in a queue.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Message {
    /// Its position.
    pub sequence: u64,
    /// The message.
    pub bytes: Vec<u8>,
    /// Its priority.
    pub priority: u32,
    /// Its name, in a spool.
    pub name: String,
    /// The number of times that it was delivered, if it was delivered by this call.
    pub deliveries: u32,
    /// The time before which no worker takes it, in nanoseconds since 1970; 0 is none.
    pub due: u64,
    /// When it was sent, in nanoseconds since 1970.
    pub sent: u64,
    /// Why its last attempt failed, if no worker is to take it.
    pub failure: Option<Failure>,
}

/// The end of the last COMMAND for a message.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Failure {
    /// The status of COMMAND.
    pub status: u8,
    /// How it ended, in words.
    pub reason: String,
}

/// A claimed message, which belongs to this process.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Claim(pub u64);

/// What is known about a message that was acknowledged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Acknowledged {
    /// It is removed, and belonged to this process until then.
    Own,
    /// It is removed; before that, the server may have given it to another process.
    Late,
    /// The server has not answered.
    Unknown,
}

/// The queues of one kind on a server.
pub trait Queues: Send {
    /// Creates a queue; `false` if there is one with these limits.
    ///
    /// # Errors
    /// [`Error::Exists`] if there is one with others.
    fn create(
        &mut self,
        key: &str,
        limits: Limits,
        creation: Creation,
        deadline: Deadline,
    ) -> Result<Waited<bool>, Error>;

    /// Opens a queue that exists.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    fn open(
        self: Box<Self>,
        key: &str,
        deadline: Deadline,
    ) -> Result<Waited<Box<dyn Queue>>, Error>;

    /// Describes a queue.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    fn state(&mut self, key: &str, deadline: Deadline) -> Result<Waited<State>, Error>;

    /// The queues whose names are `prefix`, or begin with it and a dot; with an empty prefix, all.
    fn list(&mut self, prefix: &str, deadline: Deadline) -> Result<Waited<Vec<State>>, Error>;

    /// Removes a queue, and the messages in it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    fn remove(&mut self, key: &str, deadline: Deadline) -> Result<Waited, Error>;
}

/// An open queue.
pub trait Queue: Debug + Send {
    /// The length of the longest message that can be sent.
    fn limit(&self) -> usize;

    /// The state of the queue.
    fn state(&mut self, deadline: Deadline) -> Result<Waited<State>, Error>;

    /// Whether it is the same queue as another one.
    fn is(&self, other: &dyn Queue) -> bool {
        self.identity() == other.identity()
    }

    /// A text that is the same for the same queue.
    fn identity(&self) -> String;

    /// Sends a message, and waits until the servers have it, and for room before that. If it times out
    /// because no answer came, the message may be there nevertheless.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::NotFound`].
    fn send(&mut self, letter: Letter<'_>, ends: Ends<'_>) -> Result<Waited<Sent>, Error>;

    /// Sends messages in this order, without waiting for the answer about one before the next is sent. It
    /// ends at the first that is not stored, and none after that one is. If it times out because no answer
    /// came, that one and some after it may be there nevertheless.
    ///
    /// # Errors
    /// As [`Queue::send`].
    fn send_all(
        &mut self,
        letters: &[Letter<'_>],
        progress: &mut dyn Progress,
    ) -> Result<Waited<Sent>, Error>;

    /// Says that the caller claims so many of the next messages, if there are as many. So several can be
    /// received by one request. Those that it does not claim go back when the queue is dropped.
    fn expect(&mut self, count: u64);

    /// Claims the next message, if there is one: the oldest of the highest priority.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    fn claim(&mut self) -> Result<Option<(Claim, Message)>, Error>;

    /// Reports from now on that claimed messages are being processed, so that they stay claimed.
    ///
    /// # Errors
    /// [`Error::Server`] if no thread can be started for that.
    fn keep_claims(&mut self) -> Result<(), Error>;

    /// Removes a claimed message for good.
    ///
    /// # Errors
    /// [`Error::Server`] if the connection has ended.
    fn acknowledge(&mut self, claim: Claim) -> Result<Acknowledged, Error>;

    /// Returns a claimed message to its place in the queue, where it can be claimed after this time.
    ///
    /// # Errors
    /// [`Error::Server`] if the connection has ended.
    fn release(&mut self, claim: Claim, delay: Duration) -> Result<(), Error>;

    /// Waits until there is a message. It is received and kept for the next claim.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    fn wait(&mut self, ends: Ends<'_>) -> Result<Waited, Error>;

    /// Returns what a wait has kept.
    ///
    /// # Errors
    /// [`Error::Server`] if the connection has ended.
    fn give_back(&mut self) -> Result<(), Error>;

    /// Copies messages, the oldest first, from this position on; they stay.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    fn copy(&mut self, from: u64, deadline: Deadline) -> Result<Waited<Option<Message>>, Error>;

    /// Sets a claimed message aside, whose last attempt has failed, in a spool.
    ///
    /// # Errors
    /// [`Error::Unanswered`] if the server has not confirmed that; [`Error::NotFound`].
    fn fail(&mut self, claim: Claim, failure: &Failure) -> Result<(), Error>;

    /// Removes a message, if it has not left the queue; a COMMAND that runs for it goes on.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the queue was removed.
    fn erase(&mut self, message: &Message, deadline: Deadline) -> Result<Waited, Error>;

    /// Returns a message that was set aside to those that wait.
    ///
    /// # Errors
    /// [`Error::Exists`] if a message of its name waits.
    fn requeue(&mut self, message: &Message, deadline: Deadline) -> Result<Waited, Error>;

    /// The number of messages that were set aside.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    fn failed(&mut self, deadline: Deadline) -> Result<Waited<u64>, Error>;

    /// The number of messages that workers have claimed.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    fn claimed(&mut self, deadline: Deadline) -> Result<Waited<u64>, Error>;
}
