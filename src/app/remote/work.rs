//! Queues of a server as the queues of a worker. A message stays on the server until its COMMAND has
//! succeeded.

use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use crate::app::options::{Waiting, done};
use crate::app::worker;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::mechanism::queue::marker::MARKER;
use crate::mechanism::remote::queue::{
    Acknowledged, Claim, Ends, Failure as QueueFailure, Letter, Message, Queue, QueueKind, Sent,
};
use crate::mechanism::remote::{Error, RemoteName};
use crate::mechanism::spool::name::MessageName;
use crate::run::job;
use crate::run::pool::End;
use crate::run::worker::{Queue as WorkerQueue, Source, Supply};
use crate::sys::eventfd::Bell;
use crate::sys::{memfd, time};

use super::Remote;

/// The messages for a worker.
#[derive(Debug)]
pub struct Work {
    /// The way to the server.
    pub remote: Arc<Remote>,
    /// The queue.
    pub name: RemoteName,
    /// Its kind.
    pub kind: QueueKind,
    /// The queue for messages that no COMMAND could process.
    pub dead_letter: Option<RemoteName>,
    /// The delay after the first failure of a message.
    pub retry_delay: Duration,
    /// The number of starts after which a message of a spool is not started again.
    pub attempts: Option<u32>,
    /// Whether a marker of the end ends the worker.
    pub until_eof: bool,
}

/// How many messages to claim, and how long to wait for each.
pub fn supply(work: &Work, count: Option<u64>, waiting: &Waiting) -> Supply {
    let (timeout, timed_out) = worker::timeout(waiting);
    Supply {
        name: work.name.as_ref().to_owned(),
        count: count.unwrap_or(u64::MAX),
        ends_when_empty: count.is_none(),
        timeout,
        timed_out,
    }
}

impl Work {
    fn open_queue(&self, name: &RemoteName) -> anyhow::Result<Box<dyn Queue>> {
        let opened = self.remote.connect(name, Deadline::NEVER).and_then(|waited| match waited {
            Waited::Done(server) => server.queues(self.kind).open(name.key(), Deadline::NEVER),
            Waited::TimedOut => Ok(Waited::TimedOut),
        });
        done(opened.map_err(Failure::from)).about(name)
    }
}

impl Source for Work {
    type Queue = Claims;

    fn open(&self) -> anyhow::Result<Claims> {
        let mut queue = self.open_queue(&self.name)?;
        queue.keep_claims().map_err(Failure::from).about(&self.name)?;
        let dead_letter = self.dead_letter.as_ref();
        let dead_letter = dead_letter.map(|name| self.open_queue(name)).transpose()?;
        if dead_letter.as_ref().is_some_and(|other| other.is(&*queue)) {
            let failure = Failure::new(Exit::Usage, "the dead-letter queue is the queue itself");
            return Err(failure).about(&self.name);
        }
        Ok(Claims {
            queue,
            dead_letter,
            kind: self.kind,
            retry_delay: self.retry_delay,
            attempts: self.attempts,
            until_eof: self.until_eof,
            has_ended: false,
        })
    }
}

/// A queue, for one thread of a worker.
#[derive(Debug)]
pub struct Claims {
    queue: Box<dyn Queue>,
    dead_letter: Option<Box<dyn Queue>>,
    kind: QueueKind,
    retry_delay: Duration,
    attempts: Option<u32>,
    until_eof: bool,
    has_ended: bool,
}

/// A message that this worker has claimed.
#[derive(Debug)]
pub struct Claimed {
    claim: Claim,
    message: Message,
    /// How often COMMAND was started for it by this worker.
    starts: u32,
    /// The end of the last COMMAND.
    failure: QueueFailure,
}

impl Claimed {
    /// How often it was delivered to be processed: a message with a delay was delivered once before its time.
    fn deliveries(&self) -> u32 {
        let early = u32::from(self.message.due != 0);
        self.message.deliveries.saturating_sub(early).max(1)
    }
}

/// The longest delay before a message that failed is delivered again, unless the first is longer.
const LONGEST: Duration = Duration::from_secs(60);

impl Claims {
    /// The delay after this number of attempts. It doubles with each.
    fn delay(&self, attempts: u32) -> Duration {
        let doubled = 1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        self.retry_delay.saturating_mul(doubled).min(LONGEST.max(self.retry_delay))
    }

    fn acknowledge(&mut self, claim: Claim) -> Result<(), Failure> {
        match self.queue.acknowledge(claim)? {
            Acknowledged::Own | Acknowledged::Late => Ok(()),
            Acknowledged::Unknown => Err(Failure::from(Error::Unanswered)
                .adding(": a message whose COMMAND has succeeded may be delivered again")),
        }
    }
}

impl WorkerQueue for Claims {
    type Claim = Claimed;

    fn claim(&mut self) -> Result<Option<Claimed>, Failure> {
        loop {
            let Some((claim, message)) = self.queue.claim()? else { return Ok(None) };
            if self.until_eof && message.bytes == MARKER {
                self.acknowledge(claim)?;
                self.has_ended = true;
                return Ok(None);
            }
            let early = message.due.saturating_sub(time::now());
            if early > 0 {
                self.queue.release(claim, Duration::from_nanos(early))?;
                continue;
            }
            let claimed = Claimed { claim, message, starts: 0, failure: QueueFailure::default() };
            match self.attempts {
                // Workers were killed.
                Some(attempts) if claimed.deliveries() > attempts => {
                    let reason = "no attempt is left".to_owned();
                    let failure = QueueFailure { status: u8::MAX, reason };
                    self.queue.fail(claimed.claim, &failure)?;
                }
                _ => return Ok(Some(claimed)),
            }
        }
    }

    fn has_ended(&self) -> bool {
        self.has_ended
    }

    fn wait(&mut self, stop: &Bell, deadline: Deadline) -> Result<Waited, Failure> {
        Ok(self.queue.wait(Ends { deadline, bell: Some(stop.as_fd()), sink: None })?)
    }

    /// The server counts the deliveries, and this worker its own attempts.
    fn begin(&mut self, claimed: &mut Claimed) -> Result<u32, Failure> {
        claimed.starts += 1;
        Ok(claimed.deliveries().saturating_add(claimed.starts - 1))
    }

    fn input(&self, claimed: &Claimed) -> Result<OwnedFd, Errno> {
        memfd::with(&claimed.message.bytes)
    }

    fn variables(&self, claimed: &Claimed) -> Vec<(&'static str, Vec<u8>)> {
        let Message { priority, name, .. } = &claimed.message;
        match self.kind {
            QueueKind::Mq => vec![("IPC_MQ_PRIORITY", priority.to_string().into_bytes())],
            QueueKind::Spool => {
                let name = MessageName::decode(name).map(|name| name.bytes().to_vec());
                vec![("IPC_SPOOL_NAME", name.unwrap_or_default())]
            }
        }
    }

    /// A message on a server has no path of its own.
    fn inserted(&self, _: &Claimed) -> Option<CString> {
        (self.kind == QueueKind::Spool).then(|| c"/dev/stdin".to_owned())
    }

    fn ended(&mut self, claimed: &mut Claimed, end: End) {
        claimed.failure = QueueFailure {
            status: if end.timed_out { 124 } else { job::exit_of(end.status).code() },
            reason: job::told(end.status),
        };
    }

    fn is_at_least_once(&self) -> bool {
        true
    }

    fn identity(&self, claimed: &Claimed) -> u64 {
        claimed.message.sequence
    }

    fn acknowledge(&mut self, claimed: Claimed) -> Result<(), Failure> {
        Self::acknowledge(self, claimed.claim)
    }

    /// It returns to its place.
    fn put_back(&mut self, claimed: &Claimed, _: &Bell, _: Deadline) -> Result<Waited, Failure> {
        self.queue.release(Claim(claimed.claim.0), Duration::ZERO)?;
        Ok(Waited::Done(()))
    }

    fn bury(
        &mut self,
        claimed: &Claimed,
        stop: &Bell,
        deadline: Deadline,
    ) -> Result<Waited, Failure> {
        let identity = format!("{} {}", self.queue.identity(), claimed.message.sequence);
        let Some(dead_letter) = &mut self.dead_letter else {
            return Err(Failure::failed("there is no dead-letter queue"));
        };
        let letter = Letter {
            bytes: &claimed.message.bytes,
            priority: claimed.message.priority,
            // If this worker is killed now, the next one sends it again: the same message.
            identity: Some(&identity),
            ..Letter::default()
        };
        let ends = Ends { deadline, bell: Some(stop.as_fd()), sink: None };
        match dead_letter.send(letter, ends)? {
            Waited::Done(Sent::Stored | Sent::NameInUse) => {}
            Waited::TimedOut => return Ok(Waited::TimedOut),
        }
        self.acknowledge(Claim(claimed.claim.0))?;
        Ok(Waited::Done(()))
    }

    fn give_up(&mut self, claimed: Claimed) -> Result<&'static str, Failure> {
        if self.kind == QueueKind::Spool {
            self.queue.fail(claimed.claim, &claimed.failure)?;
            return Ok("is set aside as failed");
        }
        let attempts = claimed.deliveries().saturating_add(claimed.starts.saturating_sub(1));
        self.queue.release(claimed.claim, self.delay(attempts))?;
        Ok("stays in the queue")
    }

    fn close(&mut self, _: &Bell) -> Result<(), Failure> {
        Ok(self.queue.give_back()?)
    }
}
