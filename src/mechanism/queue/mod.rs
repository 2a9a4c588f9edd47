//! Message queues of any kind through one interface. The kind of the name chooses the engine.

mod engine;
mod error;
pub mod marker;
pub mod named;
mod posix;
mod remote;
pub mod ring;
mod system_v;

use std::path::Path;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::name::AnyName;
use crate::io::spin::Spin;
use crate::mechanism::appearance;
use crate::sys::mqueue::{self, Limits};
use crate::sys::system_v::Target;
use crate::sys::system_v_queue;

use self::engine::Engine;

pub use self::engine::Until;
pub use self::error::{Beyond, Error, Limit};
pub use self::posix::Posix;
pub use self::remote::Remote;
pub use self::system_v::SystemV;
pub use crate::sys::mqueue::{Access, PRIORITY_MAX, Shape};
pub use crate::sys::origin::Found;
pub use crate::sys::system_v_queue::{Selection, message_limit};

/// The name of a message queue.
pub type QueueName = AnyName<255>;

/// An open message queue.
#[derive(Debug)]
pub struct MessageQueue {
    engine: Kind,
    spin: Spin,
    can_send: bool,
}

/// The engines.
#[derive(Debug)]
enum Kind {
    Posix(Posix),
    SystemV(SystemV),
    Remote(Remote),
}

/// A message that was received. Its bytes are in [`MessageQueue::message`] until the next is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Received {
    length: usize,
    /// Its priority, or its type.
    pub priority: i64,
    /// Whether it was longer than [`MessageQueue::cut_at`] allows, so that its end is lost.
    pub is_cut: bool,
}

/// Why it is not known whether there is a message.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WaitError {
    /// The queue cannot be used.
    #[error(transparent)]
    Queue(#[from] Error),
    /// There was one, of a System V queue, and it is gone.
    #[error(
        "a message without any bytes was received to see it, and there is no room to put it back"
    )]
    NoRoom,
    /// The same, for another reason.
    #[error("a message without any bytes was received to see it, and cannot be put back: {0}")]
    NotPutBack(Error),
}

/// The length of the longest message that can be sent to a new queue of this name with the usual
/// limits.
pub fn limit_of_new(name: &QueueName) -> usize {
    match name {
        QueueName::Posix(_) => Limits::now().default.msg_size as usize,
        QueueName::SystemV(_) => system_v::limit_of_new(),
    }
}

/// Opens a queue for this access, and waits until it exists.
///
/// # Errors
/// [`Error::NotFound`] if it does not exist at the deadline.
pub fn open_until(
    name: &QueueName,
    access: Access,
    deadline: Deadline,
) -> Result<MessageQueue, Error> {
    let directory = match name {
        QueueName::Posix(_) => Some(Path::new(mqueue::DIRECTORY)),
        QueueName::SystemV(_) => None,
    };
    let is_missing = |error: &Error| *error == Error::NotFound;
    appearance::until_it_exists(directory, deadline, is_missing, || {
        MessageQueue::open(name, access)
    })
}

/// Removes a queue, and the messages in it.
pub fn remove(name: &QueueName) -> Result<(), Error> {
    match name {
        QueueName::Posix(name) => Ok(mqueue::Queue::unlink(name)?),
        QueueName::SystemV(name) => Ok(system_v_queue::Queue::open(Target::new(name)?)?.remove()?),
    }
}

impl MessageQueue {
    /// Opens an existing queue.
    pub fn open(name: &QueueName, access: Access) -> Result<Self, Error> {
        match name {
            QueueName::Posix(name) => Posix::open(name, access).map(Self::from),
            QueueName::SystemV(name) => SystemV::open(Target::new(name)?).map(Self::from),
        }
    }

    /// Opens an existing queue to receive from it and, if that is allowed, to send messages back.
    pub fn open_to_receive(name: &QueueName) -> Result<Self, Error> {
        match Self::open(name, Access::Work) {
            Err(Error::Kernel(Errno(libc::EACCES))) => {
                Self::open(name, Access::Receive).map(|queue| Self { can_send: false, ..queue })
            }
            opened => opened,
        }
    }

    fn engine(&self) -> &dyn Engine {
        match &self.engine {
            Kind::Posix(engine) => engine,
            Kind::SystemV(engine) => engine,
            Kind::Remote(engine) => engine,
        }
    }

    fn engine_mut(&mut self) -> &mut dyn Engine {
        match &mut self.engine {
            Kind::Posix(engine) => engine,
            Kind::SystemV(engine) => engine,
            Kind::Remote(engine) => engine,
        }
    }

    /// Whether messages can go back, as far as is known.
    pub fn can_send(&self) -> bool {
        self.can_send
    }

    /// The length of the longest message that can be sent.
    pub fn limit(&self) -> Result<usize, Error> {
        self.engine().limit()
    }

    /// The number of such messages. POSIX queues know no selection; a kernel that cannot copy messages
    /// of a System V queue counts them all.
    pub fn count(&mut self, selection: Selection) -> Result<u64, Error> {
        self.engine_mut().count(selection)
    }

    /// Sends a message, waiting for room. For a POSIX queue `priority` is the priority, for a System V
    /// queue the type.
    pub fn send<'a>(
        &mut self,
        message: &[u8],
        priority: i64,
        until: impl Into<Until<'a>>,
    ) -> Result<Waited, Error> {
        match until.into() {
            Until { deadline: Deadline::PASSED, .. } => {
                self.engine_mut().try_send(message, priority)
            }
            until => self.engine_mut().send(message, priority, until),
        }
    }

    /// Says that the caller receives so many messages, if there are as many.
    pub fn expect(&mut self, count: u64) {
        self.engine_mut().expect(count);
    }

    /// Receives a message, if there is one or will be in a moment. POSIX queues know no selection.
    pub fn receive(&mut self, selection: Selection) -> Result<Option<Received>, Error> {
        let first = self.try_receive(selection)?;
        // Repeated requests to a server cost more than a wait.
        if first.is_some() || matches!(self.engine, Kind::Remote(_)) {
            return Ok(first);
        }
        let mut spin = std::mem::take(&mut self.spin);
        let later = spin.retry(|| self.try_receive(selection).transpose()).transpose();
        self.spin = spin;
        later
    }

    /// Receives a message, if there is one.
    pub fn try_receive(&mut self, selection: Selection) -> Result<Option<Received>, Error> {
        self.engine_mut().try_receive(selection)
    }

    /// Cuts longer messages that are received from now on to this length; `None` is the length of the
    /// longest message that can be sent now. Returns the length.
    ///
    /// # Errors
    /// [`Error::Whole`] for a POSIX queue.
    pub fn cut_at(&mut self, length: Option<usize>) -> Result<usize, Error> {
        match &mut self.engine {
            Kind::Posix(_) | Kind::Remote(_) => Err(Error::Whole),
            Kind::SystemV(engine) => Ok(engine.cut_at(length)),
        }
    }

    /// Copies the message with this index, of which the oldest has 0; the message stays.
    ///
    /// # Errors
    /// [`Error::NoCopies`] for a POSIX queue, [`Error::Unavailable`] for a kernel that cannot.
    pub fn peek(&mut self, index: u32) -> Result<Option<Received>, Error> {
        self.engine_mut().peek(index)
    }

    /// The length of the longest message that there is memory for.
    pub fn room(&self) -> usize {
        self.engine().room()
    }

    /// Allocates memory for the next message before it is received, as it would be lost otherwise.
    ///
    /// # Errors
    /// ENOMEM; and those of asking how long a message of the queue can be.
    pub fn make_room(&mut self) -> Result<(), Error> {
        self.engine_mut().make_room()
    }

    /// The bytes of the message that was received last.
    pub fn message(&self, received: Received) -> &[u8] {
        self.engine().message(received)
    }

    /// Waits until there is such a message, which stays. It may be gone when the call returns.
    pub fn wait(&mut self, selection: Selection, deadline: Deadline) -> Result<Waited, WaitError> {
        if self.engine_mut().has_message(selection)? {
            return Ok(Waited::Done(()));
        }
        match self.wait_for(selection, deadline)? {
            Waited::Done(()) => match self.give_back(deadline) {
                Ok(Waited::Done(())) => Ok(Waited::Done(())),
                Ok(Waited::TimedOut) => Err(WaitError::NoRoom),
                Err(error) => Err(WaitError::NotPutBack(error)),
            },
            Waited::TimedOut => Ok(Waited::TimedOut),
        }
    }

    /// As [`MessageQueue::wait`], for a caller that receives next, or gives back.
    pub fn wait_for<'a>(
        &mut self,
        selection: Selection,
        until: impl Into<Until<'a>>,
    ) -> Result<Waited, Error> {
        self.engine_mut().wait(selection, until.into())
    }

    /// Sends back what [`MessageQueue::wait_for`] may have had to receive, waiting for room.
    pub fn give_back<'a>(&mut self, until: impl Into<Until<'a>>) -> Result<Waited, Error> {
        self.engine_mut().give_back(until.into())
    }

    /// Whether both are the same queue, whatever their names.
    pub fn is(&self, other: &Self) -> bool {
        let is_one_kind =
            std::mem::discriminant(&self.engine) == std::mem::discriminant(&other.engine);
        let identity = |queue: &Self| queue.engine().identity().ok();
        is_one_kind && identity(self).is_some() && identity(self) == identity(other)
    }

    /// Whether the queue has been removed.
    pub fn is_removed(&self) -> bool {
        self.engine().is_removed()
    }

    /// The creator of an existing queue and its permissions, once its creator has finished it; it
    /// times out if that never happens.
    pub fn found(&self) -> Result<Waited<Found>, Error> {
        self.engine().found()
    }
}

impl From<Posix> for MessageQueue {
    fn from(queue: Posix) -> Self {
        Self { engine: Kind::Posix(queue), spin: Spin::default(), can_send: true }
    }
}

impl From<SystemV> for MessageQueue {
    fn from(queue: SystemV) -> Self {
        Self { engine: Kind::SystemV(queue), spin: Spin::default(), can_send: true }
    }
}

impl From<Remote> for MessageQueue {
    fn from(queue: Remote) -> Self {
        Self { engine: Kind::Remote(queue), spin: Spin::default(), can_send: true }
    }
}
