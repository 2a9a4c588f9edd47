//! A queue whose messages have priorities: a work-queue stream, with one subject and one consumer for each
//! priority that is in use.
//!
//! A work queue allows one consumer for a subject, and a consumer delivers in the order of the stream. So
//! the highest priority first is a question to the consumers in this order. Most queues have one priority,
//! and then it is one question. A receiver learns from the state of the stream that there are more, and
//! from an advisory of the server, which reports a new consumer, while it waits.

use std::collections::BTreeSet;

use async_nats::Subscriber;
use async_nats::header::HeaderMap;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use ipc_suite::remote::queue::Progress;
use ipc_suite::remote::{Deadline, Waited};

use crate::stream::{
    Api, Consumer, Delivery, Draft, Error, HEADERS, Info, Published, Pull, Pulled, Shape, Stored,
    Verdict, WINDOW,
};

/// The kinds of queues, each with names of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A message queue.
    Mq,
    /// A spool. Its messages have names.
    Spool,
}

/// Where a queue is on its server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    kind: Kind,
    key: String,
}

impl Place {
    /// The place of the queue with this name.
    pub fn new(kind: Kind, key: &str) -> Self {
        Self { kind, key: key.to_owned() }
    }

    /// The place of the queue that a stream stores; `None` if it is that of another program.
    pub fn of_stream(kind: Kind, stream: &str) -> Option<Self> {
        let key = stream.strip_prefix(kind.stream_prefix())?;
        Some(Self { kind, key: key.replace("~1", ".").replace("~0", "~") })
    }

    /// The name of the queue.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The name of the stream, which has no dots.
    pub fn stream(&self) -> String {
        let key = self.key.replace('~', "~0").replace('.', "~1");
        format!("{}{key}", self.kind.stream_prefix())
    }

    /// The subject of all its messages.
    pub fn subjects(&self) -> String {
        match self.kind {
            Kind::Mq => format!("{}{}.*", self.kind.subject_prefix(), self.key),
            Kind::Spool => format!("{}{}.*.*", self.kind.subject_prefix(), self.key),
        }
    }

    /// The subject of a message; `name` is that of a message of a spool.
    pub fn subject(&self, priority: u32, name: &str) -> String {
        let (prefix, key) = (self.kind.subject_prefix(), &self.key);
        match self.kind {
            Kind::Mq => format!("{prefix}{key}.{priority}"),
            Kind::Spool => format!("{prefix}{key}.{priority}.{}", token(name)),
        }
    }

    /// The subject of a message of a spool that failed; no consumer has it.
    pub fn subject_of_failed(&self, name: &str) -> String {
        format!("{}{}.{FAILED}.{}", self.kind.subject_prefix(), self.key, token(name))
    }

    /// The priority in the subject of a message, and its name in a spool; one that failed has no priority.
    pub fn parts(&self, subject: &str) -> Option<(Option<u32>, String)> {
        let rest = subject.strip_prefix(self.kind.subject_prefix())?.strip_prefix(&self.key)?;
        let mut tokens = rest.strip_prefix('.')?.splitn(2, '.');
        let priority = match tokens.next()? {
            FAILED => None,
            priority => Some(priority.parse().ok()?),
        };
        Some((priority, tokens.next().unwrap_or_default().replace("%2e", ".")))
    }

    /// The priority in the subject of a message that has not failed.
    pub fn priority(&self, subject: &str) -> Option<u32> {
        self.parts(subject)?.0
    }

    /// The consumer for a priority.
    fn consumer(&self, priority: u32) -> Consumer {
        Consumer {
            stream: self.stream(),
            name: format!("p{priority}"),
            filter: self.subject(priority, "*"),
        }
    }
}

impl Kind {
    fn stream_prefix(self) -> &'static str {
        match self {
            Self::Mq => "IPC-MQ-",
            Self::Spool => "IPC-SPOOL-",
        }
    }

    /// The beginning of all subjects of this kind.
    pub fn subject_prefix(self) -> &'static str {
        match self {
            Self::Mq => "ipc.mq.",
            Self::Spool => "ipc.spool.",
        }
    }
}

/// The maximum number of messages that are received by one request.
const BATCH: usize = 64;

/// The place of a priority in the subject of a message that failed.
const FAILED: &str = "failed";

/// The name of a message as a part of a subject. Its encoded form has no other dots.
fn token(name: &str) -> String {
    // The consumers of all names.
    if name == "*" { name.to_owned() } else { name.replace('.', "%2e") }
}

/// An open queue.
#[derive(Debug)]
pub struct WorkQueue {
    api: Api,
    place: Place,
    limit: usize,
    /// Whether several servers store it.
    is_replicated: bool,
    /// The priorities that have a consumer, as far as is known.
    consumers: BTreeSet<u32>,
    /// Whether messages have other priorities than 0.
    is_prioritized: bool,
    /// The reports of new consumers.
    advisories: Option<Subscriber>,
    /// Messages that were received and not taken: by a wait, or as more are expected.
    received: Vec<Delivery>,
    /// The number of messages that are taken next, if there are as many.
    expected: u64,
}

/// The shape of a queue to create.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// The maximum number of messages.
    pub max_msgs: Option<u64>,
    /// The maximum number of bytes.
    pub max_bytes: Option<u64>,
    /// The maximum length of a message.
    pub msg_size: Option<u64>,
    /// The number of servers that store it.
    pub replicas: u32,
}

impl WorkQueue {
    /// Creates a queue; returns `false` if there is one with these limits.
    ///
    /// # Errors
    /// [`Error::Exists`] if there is one with others.
    pub async fn create(
        api: &Api,
        place: &Place,
        limits: Limits,
        deadline: Deadline,
    ) -> Result<Waited<bool>, Error> {
        let Limits { max_msgs, max_bytes, msg_size, replicas } = limits;
        let shape = Shape {
            name: place.stream(),
            subject: place.subjects(),
            max_msgs,
            max_bytes,
            msg_size,
            one_per_subject: place.kind == Kind::Spool,
            replicas,
        };
        match api.create(&shape, deadline).await {
            Ok(Waited::Done(())) => {}
            Ok(Waited::TimedOut) => return Ok(Waited::TimedOut),
            Err(Error::Exists) => {
                let Waited::Done(info) = api.info(&shape.name, None, deadline).await? else {
                    return Ok(Waited::TimedOut);
                };
                let is_same = info.is_work_queue()
                    && (info.max_msgs(), info.max_bytes()) == (max_msgs, max_bytes)
                    && (info.msg_size(), info.replicas()) == (msg_size, replicas.into());
                return if is_same { Ok(Waited::Done(false)) } else { Err(Error::Exists) };
            }
            Err(error) => return Err(error),
        }
        Ok(api.consumer(&place.consumer(0), deadline).await?.map(|()| true))
    }

    /// Opens a queue that exists.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Refused`] if the stream was made for something else.
    pub async fn open(api: &Api, place: &Place, deadline: Deadline) -> Result<Waited<Self>, Error> {
        let info = api.info(&place.stream(), Some(&place.subjects()), deadline).await?;
        let Waited::Done(info) = info else { return Ok(Waited::TimedOut) };
        if !info.is_work_queue() {
            return Err(Error::Refused(
                "its stream is not a work queue that refuses new messages".into(),
            ));
        }
        let most = api.client().server_info().max_payload.saturating_sub(HEADERS);
        let limit = info.msg_size().map_or(most, |size| most.min(size as usize));
        let mut queue = Self {
            api: api.clone(),
            place: place.clone(),
            limit,
            is_replicated: info.replicas() > 1,
            consumers: BTreeSet::new(),
            is_prioritized: info.consumers() > 1,
            advisories: None,
            received: Vec::new(),
            expected: 1,
        };
        queue.note_priorities(&info);
        Ok(Waited::Done(queue))
    }

    /// The place of the queue.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The length of the longest message that can be sent.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Sends a message that was delivered to those that failed. Sent again, it is no second one.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn set_aside(
        &self,
        delivery: &Delivery,
        headers: HeaderMap,
        deadline: Deadline,
    ) -> Result<Waited<Published>, Error> {
        let name = self.place.parts(&delivery.subject).map(|(_, name)| name).unwrap_or_default();
        let draft = Draft {
            stream: self.place.stream(),
            subject: self.place.subject_of_failed(&name),
            id: format!("{} {}", self.place.stream(), delivery.sequence),
            headers,
            payload: delivery.payload.clone(),
        };
        self.api.publish(&draft, deadline).await
    }

    /// Removes a stored message.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn erase(&self, sequence: u64, deadline: Deadline) -> Result<Waited, Error> {
        self.api.erase(&self.place.stream(), sequence, deadline).await
    }

    /// The number of messages that failed.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the queue was removed.
    pub async fn failed(&self, deadline: Deadline) -> Result<Waited<u64>, Error> {
        let (stream, subjects) = (self.place.stream(), self.place.subject_of_failed("*"));
        let info = self.api.info(&stream, Some(&subjects), deadline).await?;
        Ok(info.map(|info| info.subjects().map(|(_, count)| count).sum()))
    }

    /// Its state.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it was removed.
    pub async fn info(&self, deadline: Deadline) -> Result<Waited<Info>, Error> {
        self.api.info(&self.place.stream(), None, deadline).await
    }

    /// Sends a message, waiting for room; `name` is that of a message of a spool. The same identity sent
    /// again is no second message.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::TooLong`].
    pub async fn send(
        &mut self,
        letter: Letter<'_>,
        deadline: Deadline,
    ) -> Result<Waited<Published>, Error> {
        if self.prepare(letter.priority, deadline).await? == Waited::TimedOut {
            return Ok(Waited::TimedOut);
        }
        self.api.publish(&self.draft(letter), deadline).await
    }

    /// Sends messages in this order, up to the first one that is not stored.
    ///
    /// # Errors
    /// As [`WorkQueue::send`].
    pub async fn send_all(
        &mut self,
        letters: impl Iterator<Item = Letter<'_>>,
        progress: &mut dyn Progress,
    ) -> Result<Waited<Published>, Error> {
        let mut drafts = Vec::new();
        for letter in letters {
            if self.prepare(letter.priority, progress.deadline()).await? == Waited::TimedOut {
                return Ok(Waited::TimedOut);
            }
            drafts.push(self.draft(letter));
        }
        let most = if self.is_replicated { 1 } else { WINDOW };
        self.api.publish_all(&drafts, most, progress).await
    }

    /// Makes the consumer for a priority.
    async fn prepare(&mut self, priority: u32, deadline: Deadline) -> Result<Waited, Error> {
        if priority == 0 || self.consumers.contains(&priority) {
            return Ok(Waited::Done(()));
        }
        let made = self.api.consumer(&self.place.consumer(priority), deadline).await?;
        if made == Waited::Done(()) {
            self.consumers.insert(priority);
        }
        Ok(made)
    }

    fn draft(&self, letter: Letter<'_>) -> Draft {
        let Letter { priority, name, id, headers, bytes } = letter;
        Draft {
            stream: self.place.stream(),
            subject: self.place.subject(priority, name),
            id: id.unwrap_or_else(|| self.api.unique_id()),
            headers,
            payload: bytes.to_vec().into(),
        }
    }

    /// Takes the next message, if there is one: the oldest of the highest priority.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the queue was removed.
    pub async fn take(&mut self, deadline: Deadline) -> Result<Waited<Option<Delivery>>, Error> {
        self.received.retain(|delivery| !delivery.left().is_zero());
        let place = self.place.clone();
        let priority = |delivery: &Delivery| place.priority(&delivery.subject);
        let best = (0..self.received.len())
            .max_by_key(|&index| (priority(&self.received[index]), std::cmp::Reverse(index)));
        if let Some(index) = best {
            return Ok(Waited::Done(Some(self.received.remove(index))));
        }
        self.hear_of_consumers();
        let mut priorities = vec![0];
        if self.is_prioritized {
            let (stream, subjects) = (self.place.stream(), self.place.subjects());
            let Waited::Done(info) = self.api.info(&stream, Some(&subjects), deadline).await?
            else {
                return Ok(Waited::TimedOut);
            };
            priorities = self.note_priorities(&info).into_iter().rev().collect();
        }
        for priority in priorities {
            let Waited::Done(taken) = self.take_of(priority, deadline).await? else {
                return Ok(Waited::TimedOut);
            };
            let mut taken = taken.into_iter();
            if let Some(first) = taken.next() {
                self.received.extend(taken);
                return Ok(Waited::Done(Some(first)));
            }
        }
        Ok(Waited::Done(None))
    }

    /// Records how many messages are taken next, if there are as many.
    pub fn expect(&mut self, count: u64) {
        self.expected = count;
    }

    /// Returns the messages that were received and not taken.
    pub async fn leave(&mut self) {
        if !self.received.is_empty() {
            self.api.return_all(std::mem::take(&mut self.received)).await;
        }
    }

    async fn take_of(
        &mut self,
        priority: u32,
        deadline: Deadline,
    ) -> Result<Waited<Vec<Delivery>>, Error> {
        let consumer = self.place.consumer(priority);
        let most = usize::try_from(self.expected).unwrap_or(BATCH).clamp(1, BATCH);
        match self.api.next_now(&consumer, most, deadline).await {
            // Another program has sent with this priority.
            Err(Error::NotFound) => {}
            taken => return taken,
        }
        if self.api.consumer(&consumer, deadline).await? == Waited::TimedOut {
            return Ok(Waited::TimedOut);
        }
        self.api.next_now(&consumer, most, deadline).await
    }

    /// Waits until there is a message, and receives it: [`WorkQueue::take`] takes it next, or
    /// [`WorkQueue::give_back`] gives it back.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the queue was removed.
    pub async fn wait(&mut self, deadline: Deadline) -> Result<Waited, Error> {
        if !self.received.is_empty() {
            return Ok(Waited::Done(()));
        }
        if self.advisories.is_none() {
            let stream = self.place.stream();
            let subject = format!("$JS.EVENT.ADVISORY.CONSUMER.CREATED.{stream}.*");
            self.advisories = self.api.client().subscribe(subject).await.ok();
        }
        while !deadline.has_passed() {
            let Waited::Done(names) = self.api.consumers(&self.place.stream(), deadline).await?
            else {
                return Ok(Waited::TimedOut);
            };
            self.consumers.extend(names.iter().filter_map(|name| priority_of(name)));
            if !self.consumers.contains(&0) {
                let consumer = self.place.consumer(0);
                if self.api.consumer(&consumer, deadline).await? == Waited::TimedOut {
                    return Ok(Waited::TimedOut);
                }
                self.consumers.insert(0);
            }
            self.is_prioritized |= self.consumers.len() > 1;
            self.pull_from_all(deadline).await?;
            if !self.received.is_empty() {
                return Ok(Waited::Done(()));
            }
        }
        Ok(Waited::TimedOut)
    }

    /// Asks all consumers for a message, until one has one, or for some seconds, or until there is another
    /// consumer.
    async fn pull_from_all(&mut self, deadline: Deadline) -> Result<(), Error> {
        let mut pulls = Vec::new();
        for &priority in &self.consumers {
            pulls.push(Pull::waiting(&self.api, &self.place.consumer(priority), deadline).await?);
        }
        let mut is_lost = false;
        {
            let mut waits: FuturesUnordered<_> = pulls.iter_mut().map(Pull::next).collect();
            let mut advisory = match &mut self.advisories {
                Some(advisories) => advisories.next().boxed_local(),
                None => futures_util::future::pending().boxed_local(),
            };
            loop {
                tokio::select! {
                    _ = &mut advisory => break,
                    pulled = waits.next() => match pulled {
                        Some(Pulled::Message(delivery)) => {
                            self.received.push(delivery);
                            break;
                        }
                        Some(Pulled::Nothing) => {}
                        Some(Pulled::NoListener | Pulled::Interrupted) => {
                            is_lost = true;
                            break;
                        }
                        None => break,
                    },
                }
            }
        }
        // A second message that came at the same moment goes back.
        let api = &self.api;
        futures_util::future::join_all(pulls.into_iter().map(|pull| pull.cancel(api))).await;
        if is_lost {
            // The queue was removed, or its servers elect a leader.
            let pause = std::time::Duration::from_millis(100);
            tokio::time::sleep(deadline.remaining().map_or(pause, |left| left.min(pause))).await;
            let _: Waited<Info> = self.info(deadline).await?;
        }
        Ok(())
    }

    /// Gives back what a wait has received.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub async fn give_back(&mut self) -> Result<(), Error> {
        for delivery in self.received.drain(..) {
            let again = Verdict::Again(std::time::Duration::ZERO);
            let _: Waited = self.api.answer(&delivery, again, delivery.left()).await?;
        }
        Ok(())
    }

    /// The first message with at least this sequence; the message stays.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the queue was removed.
    pub async fn copy(
        &self,
        sequence: u64,
        deadline: Deadline,
    ) -> Result<Waited<Option<Stored>>, Error> {
        let (stream, subjects) = (self.place.stream(), self.place.subjects());
        self.api.next_stored(&stream, sequence, &subjects, deadline).await
    }

    /// The number of messages that were delivered and have no answer yet.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the queue was removed.
    pub async fn in_hand(&self, deadline: Deadline) -> Result<Waited<u64>, Error> {
        let stream = self.place.stream();
        let Waited::Done(names) = self.api.consumers(&stream, deadline).await? else {
            return Ok(Waited::TimedOut);
        };
        let mut sum = 0;
        for name in names {
            match self.api.in_hand(&stream, &name, deadline).await? {
                Waited::Done(count) => sum += count,
                Waited::TimedOut => return Ok(Waited::TimedOut),
            }
        }
        Ok(Waited::Done(sum))
    }

    /// Records the priorities of messages that are in the stream.
    fn note_priorities(&mut self, info: &Info) -> BTreeSet<u32> {
        let subjects = info.subjects().map(|(subject, _)| self.place.priority(subject));
        let priorities: BTreeSet<u32> = subjects.flatten().collect();
        self.is_prioritized |= priorities.iter().any(|&priority| priority != 0);
        priorities
    }

    /// Reads the reports of new consumers that have arrived.
    fn hear_of_consumers(&mut self) {
        let Some(advisories) = &mut self.advisories else { return };
        while let Some(Some(_)) = advisories.next().now_or_never() {
            self.is_prioritized = true;
        }
    }
}

/// A message to send.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    /// Its priority.
    pub priority: u32,
    /// Its name, in a spool.
    pub name: &'a str,
    /// Its identity; a new one if it has none.
    pub id: Option<String>,
    /// Its headers.
    pub headers: HeaderMap,
    /// The message.
    pub bytes: &'a [u8],
}

/// The priority of a consumer, by its name.
fn priority_of(consumer: &str) -> Option<u32> {
    consumer.strip_prefix('p')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_stream_of_its_own() {
        for key in ["jobs", "eu.jobs", "a~b", "a~.b", "a.~b", "a~1b"] {
            let stream = Place::new(Kind::Mq, key).stream();
            assert!(!stream.contains('.'), "{stream}");
            assert_eq!(Place::of_stream(Kind::Mq, &stream).unwrap().key(), key);
        }
        assert_eq!(Place::new(Kind::Mq, "eu.jobs").stream(), "IPC-MQ-eu~1jobs");
        assert_eq!(Place::of_stream(Kind::Mq, "ORDERS"), None);
    }

    #[test]
    fn a_subject_has_the_priority_of_its_message() {
        let queue = Place::new(Kind::Mq, "eu.jobs");
        assert_eq!(queue.subject(9, ""), "ipc.mq.eu.jobs.9");
        assert_eq!(queue.priority("ipc.mq.eu.jobs.9"), Some(9));
        assert_eq!(queue.priority("ipc.mq.eu.9"), None);
        let spool = Place::new(Kind::Spool, "in");
        assert_eq!(spool.subject(0, "a.pdf"), "ipc.spool.in.0.a%2epdf");
        assert_eq!(spool.parts("ipc.spool.in.0.a%2epdf"), Some((Some(0), "a.pdf".to_owned())));
        assert_eq!(spool.subject_of_failed("a"), "ipc.spool.in.failed.a");
        assert_eq!(spool.parts("ipc.spool.in.failed.a"), Some((None, "a".to_owned())));
    }
}
