//! Consumers: messages that are pulled from a stream, and acknowledged.
//!
//! A message that was delivered belongs to its receiver until it is acknowledged, refused, or the time for
//! that has passed. Then the server delivers it again, to any receiver. A receiver that was stopped
//! meanwhile must not believe that the message is still its own. So a message remembers the time before it
//! was asked for, on a clock that also counts while the machine sleeps.

use std::time::Duration;

use async_nats::{HeaderMap, Request, StatusCode, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use ipc_suite::remote::{Deadline, Waited, since_boot};
use serde_json::{Value, json};

use super::api::Attempt;
use super::{Api, Error, Patience};

/// The time after which a message that was not acknowledged is delivered again.
pub const ACK_WAIT: Duration = Duration::from_secs(30);

/// How long one pull waits for a message at most. A message is delivered within that time of its pull, so
/// the rest of [`ACK_WAIT`] is left to acknowledge it.
const PULL: Duration = Duration::from_secs(10);

/// The interval in which the server shows that it remembers a pull.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// The consumer of a stream for one subject.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Consumer {
    /// The stream.
    pub stream: String,
    /// Its name.
    pub name: String,
    /// The subjects of its messages.
    pub filter: String,
}

/// A message that was delivered.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The message.
    pub payload: Bytes,
    /// Its subject.
    pub subject: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// The number of times that it was delivered.
    pub deliveries: u64,
    /// Its sequence in the stream.
    pub sequence: u64,
    /// The subject of its acknowledgement.
    acknowledgement: String,
    /// The time before it was asked for.
    asked: Duration,
}

/// The answer to a delivery.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It is done, and leaves a work queue.
    Done,
    /// It is to be delivered again, after this time.
    Again(Duration),
    /// It is still being processed.
    InProgress,
}

impl Delivery {
    fn read(message: async_nats::Message, asked: Duration) -> Option<Self> {
        let acknowledgement = message.reply?.into_string();
        let Numbers { deliveries, sequence, .. } = numbers(&acknowledgement)?;
        Some(Self {
            payload: message.payload,
            subject: message.subject.into_string(),
            headers: message.headers.unwrap_or_default(),
            deliveries,
            sequence,
            acknowledgement,
            asked,
        })
    }

    /// The time for which the message surely belongs to its receiver.
    pub fn left(&self) -> Duration {
        (self.asked + ACK_WAIT).saturating_sub(since_boot())
    }

    /// Records that the server knew at this time that the message is being processed.
    pub fn renewed(&mut self, at: Duration) {
        self.asked = self.asked.max(at);
    }

    /// The time when it was sent, in nanoseconds since 1970.
    pub fn sent(&self) -> u64 {
        numbers(&self.acknowledgement).map_or(0, |numbers| numbers.sent)
    }
}

/// What the subject of an acknowledgement says of its message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Numbers {
    deliveries: u64,
    sequence: u64,
    sent: u64,
}

/// The numbers in `$JS.ACK.STREAM.CONSUMER.DELIVERIES.SEQUENCE.CONSUMER_SEQUENCE.TIME.PENDING`; some servers
/// have a domain and an account before the stream.
fn numbers(subject: &str) -> Option<Numbers> {
    let tokens: Vec<&str> = subject.split('.').collect();
    let first = match tokens.len() {
        9 => 4,
        11.. => 6,
        _ => return None,
    };
    let number = |index: usize| tokens.get(first + index)?.parse().ok();
    Some(Numbers { deliveries: number(0)?, sequence: number(1)?, sent: number(3)? })
}

impl Api {
    /// Creates a consumer, unless it exists.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the stream does not exist.
    pub async fn consumer(&self, consumer: &Consumer, deadline: Deadline) -> Result<Waited, Error> {
        let Consumer { stream, name, filter } = consumer;
        let body = json!({
            "stream_name": stream,
            "action": "",
            "config": {
                "durable_name": name,
                "name": name,
                "filter_subject": filter,
                "ack_policy": "explicit",
                "ack_wait": u64::try_from(ACK_WAIT.as_nanos()).unwrap_or(u64::MAX),
                "deliver_policy": "all",
                "replay_policy": "instant",
                "max_deliver": -1,
                "max_ack_pending": -1,
                "max_waiting": 16384,
            },
        });
        let subject = format!("CONSUMER.CREATE.{stream}.{name}.{filter}");
        Ok(self.ask(&subject, &body, deadline).await?.map(drop))
    }

    /// The names of the consumers of a stream.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the stream does not exist.
    pub async fn consumers(
        &self,
        stream: &str,
        deadline: Deadline,
    ) -> Result<Waited<Vec<String>>, Error> {
        let mut names: Vec<String> = Vec::new();
        loop {
            let (subject, body) =
                (format!("CONSUMER.NAMES.{stream}"), json!({ "offset": names.len() }));
            let Waited::Done(answer) = self.ask(&subject, &body, deadline).await? else {
                return Ok(Waited::TimedOut);
            };
            let page = answer["consumers"].as_array().map_or(&[][..], Vec::as_slice);
            names.extend(page.iter().filter_map(Value::as_str).map(str::to_owned));
            if page.is_empty() || names.len() as u64 >= answer["total"].as_u64().unwrap_or(0) {
                return Ok(Waited::Done(names));
            }
        }
    }

    /// The number of messages of a consumer that were delivered and have no answer yet.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it does not exist.
    pub async fn in_hand(
        &self,
        stream: &str,
        consumer: &str,
        deadline: Deadline,
    ) -> Result<Waited<u64>, Error> {
        let subject = format!("CONSUMER.INFO.{stream}.{consumer}");
        let answer = self.ask(&subject, &Value::Null, deadline).await?;
        Ok(answer.map(|answer| answer["num_ack_pending"].as_u64().unwrap_or(0)))
    }

    /// Asks for the next messages, at most so many, if there are some now.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the consumer or the stream does not exist.
    pub async fn next_now(
        &self,
        consumer: &Consumer,
        most: usize,
        deadline: Deadline,
    ) -> Result<Waited<Vec<Delivery>>, Error> {
        let mut patience = Patience::new(deadline);
        loop {
            let mut pull = Pull::now(self, consumer, most).await?;
            let mut received = Vec::new();
            let end = loop {
                match tokio::time::timeout(patience.attempt(), pull.next()).await {
                    Ok(Pulled::Message(delivery)) => received.push(delivery),
                    end => break end.unwrap_or(Pulled::Interrupted),
                }
                if received.len() == most {
                    break Pulled::Nothing;
                }
            };
            match end {
                Pulled::Message(_) | Pulled::Nothing => return Ok(Waited::Done(received)),
                Pulled::Interrupted => pull.cancel(self).await,
                Pulled::NoListener => {
                    let subject = format!("CONSUMER.INFO.{}.{}", consumer.stream, consumer.name);
                    if self.ask(&subject, &Value::Null, deadline).await? == Waited::TimedOut {
                        return Ok(Waited::TimedOut);
                    }
                }
            }
            if !received.is_empty() {
                return Ok(Waited::Done(received));
            }
            if let Some(ended) = patience.ended() {
                return ended;
            }
            patience.pause().await;
        }
    }

    /// Returns deliveries, without waiting until the server has that: it would deliver them again after
    /// [`ACK_WAIT`] anyway.
    pub async fn return_all(&self, deliveries: Vec<Delivery>) {
        /// The time for the server to read the last one.
        const LIMIT: Duration = Duration::from_millis(500);
        for delivery in deliveries {
            let _ = self.client.publish(delivery.acknowledgement, "-NAK".into()).await;
        }
        let _ = tokio::time::timeout(LIMIT, self.client.flush()).await;
    }

    /// Answers a delivery, and waits for this long until the server has the answer.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub async fn answer(
        &self,
        delivery: &Delivery,
        verdict: Verdict,
        limit: Duration,
    ) -> Result<Waited, Error> {
        let words: Bytes = match verdict {
            Verdict::Done => "+ACK".into(),
            Verdict::InProgress => "+WPI".into(),
            Verdict::Again(Duration::ZERO) => "-NAK".into(),
            Verdict::Again(delay) => {
                let delay = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX / 2);
                format!("-NAK {}", json!({ "delay": delay })).into()
            }
        };
        let end = since_boot() + limit;
        let mut patience = Patience::new(Deadline::after(limit));
        loop {
            let request = Request::new().payload(words.clone());
            match self.attempt(&delivery.acknowledgement, request, &patience).await? {
                // The answer may be one that was on its way while this process was stopped.
                Attempt::Answer(_) if since_boot() < end => return Ok(Waited::Done(())),
                Attempt::Answer(_) | Attempt::NoListener | Attempt::Silence => {}
            }
            if since_boot() >= end {
                return Ok(Waited::TimedOut);
            }
            patience.pause().await;
        }
    }
}

/// What became of a pull.
#[derive(Debug)]
pub enum Pulled {
    /// A message.
    Message(Delivery),
    /// There is none, or there was none in its time.
    Nothing,
    /// The consumer has no leader, or does not exist.
    NoListener,
    /// The server has forgotten it, as at a change of the leader.
    Interrupted,
}

/// A request for messages that the server has not answered yet.
#[derive(Debug)]
pub struct Pull {
    answers: Subscriber,
    asked: Duration,
    /// The time without a sign of the server after which it has forgotten the pull.
    silence: Duration,
}

impl Pull {
    async fn now(api: &Api, consumer: &Consumer, most: usize) -> Result<Self, Error> {
        Self::start(api, consumer, json!({ "batch": most, "no_wait": true }), Duration::MAX).await
    }

    /// Asks for the next message, which may arrive until the deadline, or for some seconds.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub async fn waiting(
        api: &Api,
        consumer: &Consumer,
        deadline: Deadline,
    ) -> Result<Self, Error> {
        let time = deadline.remaining().map_or(PULL, |left| left.min(PULL));
        let time = time.max(Duration::from_millis(1));
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let mut body = json!({ "batch": 1, "expires": nanoseconds(time) });
        let has_heartbeat = time >= 2 * HEARTBEAT;
        if has_heartbeat {
            body["idle_heartbeat"] = nanoseconds(HEARTBEAT).into();
        }
        let silence = if has_heartbeat { 2 * HEARTBEAT } else { time + Duration::from_secs(1) };
        Self::start(api, consumer, body, silence).await
    }

    async fn start(
        api: &Api,
        consumer: &Consumer,
        body: Value,
        silence: Duration,
    ) -> Result<Self, Error> {
        let client = &api.client;
        let inbox = client.new_inbox();
        let answers = client.subscribe(inbox.clone()).await.map_err(|_| Error::Closed)?;
        let asked = since_boot();
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", consumer.stream, consumer.name);
        let sent = client.publish_with_reply(subject, inbox, body.to_string().into()).await;
        sent.map_err(|_| Error::Closed)?;
        Ok(Self { answers, asked, silence })
    }

    /// Waits for the message, or for the end of the pull.
    pub async fn next(&mut self) -> Pulled {
        loop {
            let next = self.answers.next();
            let message = match tokio::time::timeout(self.silence, next).await {
                Ok(Some(message)) => message,
                Ok(None) | Err(_) => return Pulled::Interrupted,
            };
            match message.status {
                None | Some(StatusCode::OK) => {
                    return Delivery::read(message, self.asked)
                        .map_or(Pulled::Interrupted, Pulled::Message);
                }
                Some(StatusCode::IDLE_HEARTBEAT) => {}
                Some(StatusCode::NO_RESPONDERS) => return Pulled::NoListener,
                Some(StatusCode::NOT_FOUND | StatusCode::TIMEOUT) => return Pulled::Nothing,
                Some(_) => return Pulled::Interrupted,
            }
        }
    }

    /// Ends the pull. A message that is on its way already goes back.
    pub async fn cancel(mut self, api: &Api) {
        /// The time for the server to say that it delivers nothing more.
        const LIMIT: Duration = Duration::from_millis(500);
        if self.answers.drain().await.is_err() {
            return;
        }
        let give_back = async {
            while let Some(message) = self.answers.next().await {
                if message.status.is_none()
                    && let Some(delivery) = Delivery::read(message, self.asked)
                {
                    let _ = api.client.publish(delivery.acknowledgement, "-NAK".into()).await;
                }
            }
            let _ = api.client.flush().await;
        };
        let _ = tokio::time::timeout(LIMIT, give_back).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_of_an_acknowledgement_has_the_numbers_of_the_delivery() {
        let numbers_of = |deliveries, sequence, sent| Some(Numbers { deliveries, sequence, sent });
        let old = "$JS.ACK.IPC-MQ-jobs.p0.3.17.40.1700000000000000000.5";
        assert_eq!(numbers(old), numbers_of(3, 17, 1_700_000_000_000_000_000));
        let new = "$JS.ACK._.ACCHASH.IPC-MQ-jobs.p0.1.9.9.42.0.token";
        assert_eq!(numbers(new), numbers_of(1, 9, 42));
        assert_eq!(numbers("_INBOX.x"), None);
    }
}
