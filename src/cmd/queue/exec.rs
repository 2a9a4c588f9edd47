//! `ipc queue pop --exec`: rings as the queue of a worker.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::app::context::Context;
use crate::app::options::Waiting;
use crate::app::worker::{self as options, Execution};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::units::Timeout;
use crate::mechanism::queue::named::RingName;
use crate::mechanism::queue::ring::{self, Error, Outcome, Ring};
use crate::run::worker::{self, Supply};
use crate::sys::eventfd::Bell;
use crate::sys::inode::is_same;
use crate::sys::memfd;

use super::{closed, explain, open, open_until};

/// The selection of messages, and the timeout of each wait.
#[derive(Debug)]
pub struct Task {
    /// The queue.
    pub name: RingName,
    /// The number of messages; `None` is all that are available.
    pub count: Option<u64>,
    /// Whether it is a success if the queue is closed before that number is reached.
    pub ends_when_closed: bool,
    /// The limit of the wait for the queue to exist.
    pub retry: Option<Timeout>,
    /// The timeout of the wait for each message.
    pub waiting: Waiting,
}

/// Runs a COMMAND for each message.
pub fn run(task: Task, execution: Execution, context: &mut Context) -> anyhow::Result<Exit> {
    let Task { name, count, ends_when_closed, retry, waiting } = task;
    let open = |name: &RingName| open_until(name, retry, &waiting, &context.output);
    let source = match Source::new(name, &execution, open) {
        Ok(source) => source,
        Err(error) => return execution.fail(error, context),
    };
    let (timeout, timed_out) = options::timeout(&waiting);
    let supply = Supply {
        name: source.name.as_ref().to_owned(),
        count: count.unwrap_or(u64::MAX),
        ends_when_empty: count.is_none(),
        timeout,
        timed_out,
    };
    let was_closed = Arc::clone(&source.was_closed);
    let exit = execution.run(source, supply, context)?;
    let too_few = was_closed.load(Ordering::Relaxed) && !ends_when_closed;
    Ok(if exit == Exit::Done && too_few { Exit::No } else { exit })
}

/// The queue that a worker opens once for each thread.
#[derive(Debug)]
struct Source {
    name: RingName,
    dead_letter: Option<RingName>,
    retry_delay: Duration,
    /// Whether a thread has found the queue closed and empty.
    was_closed: Arc<AtomicBool>,
}

impl Source {
    fn new(
        name: RingName,
        execution: &Execution,
        open: impl FnOnce(&RingName) -> anyhow::Result<Ring>,
    ) -> anyhow::Result<Self> {
        let dead_letter = execution.dead_letter().map(RingName::new).transpose();
        let dead_letter = dead_letter
            .map_err(|error| Failure::new(Exit::Usage, error.to_string()))
            .about(execution.dead_letter().unwrap_or_default())?;
        open(&name)?;
        if let Some(other) = &dead_letter
            && let (Ok(own), Ok(status)) = (name.status(), other.status())
            && is_same(&own, &status)
        {
            let failure = Failure::new(Exit::Usage, "the dead-letter queue is the queue itself");
            return Err(failure).about(other);
        }
        let retry_delay = execution.retry_delay();
        Ok(Self { name, dead_letter, retry_delay, was_closed: Arc::default() })
    }
}

impl worker::Source for Source {
    type Queue = Queue;

    fn open(&self) -> anyhow::Result<Queue> {
        Ok(Queue {
            ring: open(&self.name)?,
            dead_letter: self.dead_letter.as_ref().map(open).transpose()?,
            name: self.name.clone(),
            retry_delay: self.retry_delay,
            was_closed: Arc::clone(&self.was_closed),
            is_exhausted: false,
            set_aside: Vec::new(),
        })
    }
}

/// A queue, for one thread of a worker.
#[derive(Debug)]
struct Queue {
    ring: Ring,
    dead_letter: Option<Ring>,
    name: RingName,
    retry_delay: Duration,
    was_closed: Arc<AtomicBool>,
    is_exhausted: bool,
    /// Messages whose COMMAND has failed, each until its claim is dropped.
    set_aside: Vec<(Deadline, Message)>,
}

/// A claimed message.
#[derive(Debug)]
struct Message {
    claim: ring::Claim,
    bytes: Vec<u8>,
    /// Whether this worker has started COMMAND for it.
    has_begun: bool,
}

/// The maximum number of messages set aside: each has a descriptor.
const SET_ASIDE: usize = 64;

/// The longest delay before a message that failed is delivered again, unless the first is longer.
const LONGEST: Duration = Duration::from_secs(60);

/// The interval at which a wait for room in the dead-letter queue checks for the end of the worker.
const LOOK: Duration = Duration::from_millis(100);

impl Queue {
    fn explain(&self, error: Error) -> Failure {
        explain(error, &self.name)
    }

    /// The delay after this number of attempts. It doubles with each.
    fn delay(&self, attempts: u32) -> Duration {
        let doubled = 1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        self.retry_delay.saturating_mul(doubled).min(LONGEST.max(self.retry_delay))
    }
}

impl worker::Queue for Queue {
    type Claim = Message;

    fn claim(&mut self) -> Result<Option<Message>, Failure> {
        self.set_aside.retain(|(until, _)| !until.has_passed());
        if self.set_aside.len() >= SET_ASIDE {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        match self.ring.claim(&mut bytes, Deadline::PASSED) {
            Ok(Outcome::Done(claim)) => Ok(Some(Message { claim, bytes, has_begun: false })),
            Ok(Outcome::TimedOut) => Ok(None),
            Ok(Outcome::Closed) => {
                self.is_exhausted = true;
                self.was_closed.store(true, Ordering::Relaxed);
                Ok(None)
            }
            Err(error) => Err(self.explain(error)),
        }
    }

    fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }

    fn wait(&mut self, stop: &Bell, deadline: Deadline) -> Result<Waited, Failure> {
        let due = self.set_aside.iter().fold(deadline, |first, (until, _)| first.min(*until));
        match self.ring.wait_for_message(|| stop.has_rung(), due) {
            Ok(Outcome::TimedOut) => Ok(Waited::TimedOut),
            Ok(Outcome::Done(()) | Outcome::Closed) => Ok(Waited::Done(())),
            Err(error) => Err(self.explain(error)),
        }
    }

    /// The claim has counted the first attempt.
    fn begin(&mut self, message: &mut Message) -> Result<u32, Failure> {
        if std::mem::replace(&mut message.has_begun, true) {
            let again = self.ring.claim_again(&mut message.claim, Deadline::NEVER);
            let _: Outcome = again.map_err(|error| self.explain(error))?;
        }
        Ok(message.claim.attempts())
    }

    fn undo_begin(&mut self, message: &mut Message) {
        // If that fails, one attempt too many is counted.
        let _ = self.ring.uncount(&mut message.claim, Deadline::NEVER);
    }

    fn input(&self, message: &Message) -> Result<OwnedFd, Errno> {
        memfd::with(&message.bytes)
    }

    fn variables(&self, message: &Message) -> Vec<(&'static str, Vec<u8>)> {
        vec![("IPC_QUEUE_POSITION", message.claim.position().to_string().into_bytes())]
    }

    fn lease<'a>(&'a self, message: &'a Message) -> Option<BorrowedFd<'a>> {
        Some(message.claim.as_fd())
    }

    fn identity(&self, message: &Message) -> u64 {
        message.claim.position()
    }

    fn acknowledge(&mut self, message: Message) -> Result<(), Failure> {
        let acknowledged = self.ring.acknowledge(&message.claim, Deadline::NEVER);
        acknowledged.map(drop).map_err(|error| self.explain(error))
    }

    /// Dropping the claim makes the message available to any worker.
    fn put_back(&mut self, _: &Message, _: &Bell, _: Deadline) -> Result<Waited, Failure> {
        Ok(Waited::Done(()))
    }

    fn bury(
        &mut self,
        message: &Message,
        stop: &Bell,
        deadline: Deadline,
    ) -> Result<Waited, Failure> {
        let Some(dead_letter) = &self.dead_letter else {
            return Err(Failure::failed("there is no dead-letter queue"));
        };
        loop {
            let until = deadline.min(Deadline::after(LOOK));
            match dead_letter.push(&message.bytes, until).map_err(|error| self.explain(error))? {
                Outcome::Done(()) => break,
                Outcome::Closed => return Err(closed()),
                Outcome::TimedOut if deadline.has_passed() || stop.has_rung() => {
                    return Ok(Waited::TimedOut);
                }
                Outcome::TimedOut => {}
            }
        }
        let acknowledged = self.ring.acknowledge(&message.claim, Deadline::NEVER);
        let _: Outcome = acknowledged.map_err(|error| self.explain(error))?;
        Ok(Waited::Done(()))
    }

    fn give_up(&mut self, message: Message) -> Result<&'static str, Failure> {
        let until = Deadline::after(self.delay(message.claim.attempts()));
        self.set_aside.push((until, message));
        Ok("stays in the queue")
    }

    fn close(&mut self, _: &Bell) -> Result<(), Failure> {
        self.set_aside.clear();
        Ok(())
    }
}
