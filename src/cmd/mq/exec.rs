//! `ipc mq recv --exec`: message queues of the kernel as a worker uses them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::fd::OwnedFd;

use crate::app::context::Context;
use crate::app::options::Waiting;
use crate::app::worker::{self as options, Execution};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::mechanism::queue::marker::MARKER;
use crate::mechanism::queue::{
    Access, Error, MessageQueue, PRIORITY_MAX, QueueName, Selection, Until,
};
use crate::run::worker::{self, Supply};
use crate::sys::eventfd::Bell;
use crate::sys::heap;
use crate::sys::memfd;

use super::truncation::Truncation;
use super::{explain, unopened};

/// Which messages, and how long to wait for each.
#[derive(Debug)]
pub struct Task {
    /// The queue.
    pub name: QueueName,
    /// Which of its messages.
    pub selection: Selection,
    /// How many; `None` is as many as there are.
    pub count: Option<u64>,
    /// How long to wait for each.
    pub waiting: Waiting,
    /// The length to which messages are cut.
    pub truncate: Option<Truncation>,
    /// What ends it.
    pub end: End,
}

/// The message that ends a worker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// None.
    Never,
    /// A marker of the end.
    Marker,
}

/// Runs a COMMAND for each message.
pub fn run(task: Task, execution: Execution, context: &mut Context) -> anyhow::Result<Exit> {
    let Task { name, selection, count, waiting, truncate, end } = task;
    let dead_letter = execution.dead_letter().map(QueueName::new).transpose();
    let dead_letter = dead_letter
        .map_err(|error| Failure::new(Exit::Usage, error.to_string()))
        .about(execution.dead_letter().unwrap_or_default())?;
    let requeues = execution.requeues();
    let source = Source { name, selection, dead_letter, requeues, truncate, end };
    let (timeout, timed_out) = options::timeout(&waiting);
    let supply = source.count(count).map(|count_of| Supply {
        name: source.name.as_ref().to_owned(),
        count: count_of,
        ends_when_empty: count.is_none(),
        timeout,
        timed_out,
    });
    match supply {
        Ok(supply) => execution.run(source, supply, context),
        Err(error) => execution.fail(error, context),
    }
}

/// The source of the messages of a worker; each thread opens it once.
#[derive(Debug)]
struct Source {
    name: QueueName,
    selection: Selection,
    dead_letter: Option<QueueName>,
    requeues: bool,
    truncate: Option<Truncation>,
    end: End,
}

impl Source {
    /// How many messages to claim at most, where the caller asked for this many.
    fn count(&self, asked: Option<u64>) -> anyhow::Result<u64> {
        match asked {
            Some(count) => Ok(count),
            // Messages that go back would be claimed again and again.
            None if self.requeues => MessageQueue::open(&self.name, Access::Receive)
                .and_then(|mut queue| queue.count(self.selection))
                .map_err(|errno| unopened(errno, &self.name))
                .about(&self.name),
            None => Ok(u64::MAX),
        }
    }

    fn open_dead_letter(&self, queue: &MessageQueue) -> anyhow::Result<Option<DeadLetter>> {
        let Some(name) = &self.dead_letter else { return Ok(None) };
        let opened = MessageQueue::open(name, Access::Send);
        let dead_letter = opened.map_err(|errno| unopened(errno, name)).about(name)?;
        if dead_letter.is(queue) {
            let failure = Failure::new(Exit::Usage, "the dead-letter queue is the queue itself");
            return Err(failure).about(name);
        }
        Ok(Some(DeadLetter { queue: dead_letter, name: name.clone() }))
    }
}

impl worker::Source for Source {
    type Queue = Queue;

    fn open(&self) -> anyhow::Result<Queue> {
        let opened = match self.requeues {
            true => MessageQueue::open(&self.name, Access::Work),
            false => MessageQueue::open_to_receive(&self.name),
        };
        let mut queue = opened.map_err(|errno| unopened(errno, &self.name)).about(&self.name)?;
        if let Some(truncation) = self.truncate {
            truncation.apply(&mut queue).map_err(explain).about(&self.name)?;
        }
        let dead_letter = self.open_dead_letter(&queue)?;
        let Self { selection, end, .. } = *self;
        Ok(Queue { queue, selection, dead_letter, end, has_ended: false })
    }
}

/// A queue, for one thread of a worker.
#[derive(Debug)]
struct Queue {
    queue: MessageQueue,
    selection: Selection,
    dead_letter: Option<DeadLetter>,
    end: End,
    /// Whether the last claim received a marker of the end.
    has_ended: bool,
}

/// The destination of messages that no COMMAND could process.
#[derive(Debug)]
struct DeadLetter {
    queue: MessageQueue,
    name: QueueName,
}

impl DeadLetter {
    /// The priority or the type that a message has there.
    fn priority(&self, priority: i64) -> i64 {
        match self.name {
            QueueName::Posix(_) => priority.clamp(0, PRIORITY_MAX.into()),
            QueueName::SystemV(_) => priority.max(1),
        }
    }
}

/// A message that has left the queue.
#[derive(Debug)]
struct Message {
    bytes: Vec<u8>,
    priority: i64,
    /// How often COMMAND was started for it.
    attempts: u32,
    is_cut: bool,
}

impl Message {
    fn is_marker(&self) -> bool {
        !self.is_cut && self.bytes == MARKER
    }
}

impl worker::Queue for Queue {
    type Claim = Message;

    fn claim(&mut self) -> Result<Option<Message>, Failure> {
        let message = receive(&mut self.queue, self.selection).map_err(explain)?;
        self.has_ended =
            self.end == End::Marker && message.as_ref().is_some_and(Message::is_marker);
        Ok(message.filter(|_| !self.has_ended))
    }

    fn has_ended(&self) -> bool {
        self.has_ended
    }

    fn wait(&mut self, stop: &Bell, deadline: Deadline) -> Result<Waited, Failure> {
        self.queue.wait_for(self.selection, Until::bell(stop, deadline)).map_err(explain)
    }

    /// The worker has the only copy of the message, and so of the count.
    fn begin(&mut self, message: &mut Message) -> Result<u32, Failure> {
        message.attempts = message.attempts.saturating_add(1);
        Ok(message.attempts)
    }

    fn input(&self, message: &Message) -> Result<OwnedFd, Errno> {
        memfd::with(&message.bytes)
    }

    fn variables(&self, message: &Message) -> Vec<(&'static str, Vec<u8>)> {
        vec![("IPC_MQ_PRIORITY", message.priority.to_string().into_bytes())]
    }

    /// A queue of the kernel gives its messages no identity, so they are told apart by their bytes.
    fn identity(&self, message: &Message) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&message.bytes, message.priority).hash(&mut hasher);
        hasher.finish()
    }

    fn acknowledge(&mut self, _: Message) -> Result<(), Failure> {
        Ok(())
    }

    fn put_back(
        &mut self,
        Message { bytes, priority, .. }: &Message,
        hurry: &Bell,
        deadline: Deadline,
    ) -> Result<Waited, Failure> {
        self.queue.send(bytes, *priority, Until::bell(hurry, deadline)).map_err(explain)
    }

    fn bury(
        &mut self,
        Message { bytes, priority, .. }: &Message,
        stop: &Bell,
        deadline: Deadline,
    ) -> Result<Waited, Failure> {
        let Some(dead_letter) = &mut self.dead_letter else {
            return Err(Failure::failed("there is no dead-letter queue"));
        };
        if dead_letter.queue.is_removed() {
            return Err(explain(Error::Removed));
        }
        let priority = dead_letter.priority(*priority);
        let sent = dead_letter.queue.send(bytes, priority, Until::bell(stop, deadline));
        sent.map_err(|error| match error {
            Error::TooLong | Error::Kernel(Errno(libc::EINVAL)) => {
                Failure::failed(format!("message of {} bytes is too long", bytes.len()))
            }
            error => explain(error),
        })
    }

    fn give_up(&mut self, _: Message) -> Result<&'static str, Failure> {
        Ok("is dropped")
    }

    fn close(&mut self, hurry: &Bell) -> Result<(), Failure> {
        let until = Until::bell(hurry, Deadline::NEVER);
        self.queue.give_back(until).map(drop).map_err(explain)
    }
}

/// Receives a message, if there is one. There is memory for it before it leaves the queue.
fn receive(queue: &mut MessageQueue, selection: Selection) -> Result<Option<Message>, Error> {
    queue.make_room()?;
    let mut bytes = Vec::new();
    heap::reserve(&mut bytes, queue.room())?;
    Ok(queue.try_receive(selection)?.map(|received| {
        bytes.extend_from_slice(queue.message(received));
        bytes.shrink_to_fit();
        Message { bytes, priority: received.priority, attempts: 0, is_cut: received.is_cut }
    }))
}
