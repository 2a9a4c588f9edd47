//! Requests to the API of JetStream.

use async_nats::client::RequestErrorKind;
use async_nats::{Client, Message, Request};
use bytes::Bytes;
use ipc_suite::remote::{Deadline, Waited};
use serde_json::Value;

use super::{Error, Patience};

/// A client, as the requests use it.
#[derive(Clone, Debug)]
pub struct Api {
    pub(super) client: Client,
}

/// The error of an answer.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    /// Its number, as in HTTP.
    code: u64,
    /// The number of the reason.
    reason: u64,
    words: String,
}

impl Refusal {
    /// The error that an answer has.
    pub(super) fn of(answer: &Value) -> Option<Self> {
        let error = answer.get("error")?;
        let number = |key: &str| error.get(key).and_then(Value::as_u64).unwrap_or_default();
        let words = error.get("description").and_then(Value::as_str).unwrap_or("no reason");
        Some(Self { code: number("code"), reason: number("err_code"), words: words.to_owned() })
    }

    /// Whether the same request may succeed later: no leader, or a duplicate that is still being stored.
    pub(super) fn is_transient(&self) -> bool {
        const CLUSTER_NOT_AVAILABLE: u64 = 10008;
        const DUPLICATE_IN_PROGRESS: u64 = 10158;
        const TOO_MANY_REQUESTS: u64 = 10167;
        const STREAM_OFFLINE: u64 = 10118;
        const CONSUMER_OFFLINE: u64 = 10119;
        matches!(
            self.reason,
            CLUSTER_NOT_AVAILABLE
                | DUPLICATE_IN_PROGRESS
                | TOO_MANY_REQUESTS
                | STREAM_OFFLINE
                | CONSUMER_OFFLINE
        )
    }

    /// Whether a stream has no room for another message.
    pub(super) fn is_full(&self) -> bool {
        matches!(self.words.as_str(), "maximum messages exceeded" | "maximum bytes exceeded")
    }

    /// Whether the last message of the stream is not the one that a message names as its predecessor.
    pub(super) fn is_behind_another(&self) -> bool {
        self.reason == 10070
    }

    /// Whether the subject of a message has one already, and room for one only.
    pub(super) fn is_subject_taken(&self) -> bool {
        self.words == "maximum messages per subject exceeded"
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal.reason {
            // A stream, a consumer, a message.
            10059 | 10014 | 10037 => Self::NotFound,
            10058 | 10065 => Self::Exists,
            10054 | 10097 => Self::TooLong,
            10039 | 10076 => Self::NoJetStream,
            _ if refusal.code == 404 => Self::NotFound,
            _ => Self::Refused(refusal.words),
        }
    }
}

/// How often nobody may be there to answer, before JetStream counts as absent.
const ABSENCES: u32 = 6;

/// The outcome of one attempt.
pub(super) enum Attempt {
    Answer(Message),
    /// No process listens at the subject.
    NoListener,
    /// There was no answer in time.
    Silence,
}

impl Api {
    /// Requests through this client.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Sends one request, and waits for its answer as long as an attempt may take.
    pub(super) async fn attempt(
        &self,
        subject: &str,
        request: Request,
        patience: &Patience,
    ) -> Result<Attempt, Error> {
        let request = request.timeout(Some(patience.attempt()));
        match self.client.send_request(subject.to_owned(), request).await {
            Ok(message) => Ok(Attempt::Answer(message)),
            Err(error) => match error.kind() {
                RequestErrorKind::NoResponders => Ok(Attempt::NoListener),
                RequestErrorKind::TimedOut => Ok(Attempt::Silence),
                RequestErrorKind::MaxPayloadExceeded => Err(Error::TooLong),
                RequestErrorKind::InvalidSubject => Err(Error::Refused("invalid subject".into())),
                RequestErrorKind::Other => Err(Error::Closed),
            },
        }
    }

    /// Sends a request of the API, again and again while no leader can answer it.
    ///
    /// # Errors
    /// The error of the answer.
    pub async fn ask(
        &self,
        subject: &str,
        body: &Value,
        deadline: Deadline,
    ) -> Result<Waited<Value>, Error> {
        let subject = format!("$JS.API.{subject}");
        let payload = match body {
            Value::Null => Bytes::new(),
            body => body.to_string().into(),
        };
        let mut patience = Patience::new(deadline);
        let mut absences = 0;
        loop {
            let request = Request::new().payload(payload.clone());
            match self.attempt(&subject, request, &patience).await? {
                Attempt::Answer(message) => {
                    let answer: Value = serde_json::from_slice(&message.payload)
                        .map_err(|_| Error::Refused("the answer is not JSON".into()))?;
                    match Refusal::of(&answer) {
                        None => return Ok(Waited::Done(answer)),
                        Some(refusal) if refusal.is_transient() => {}
                        Some(refusal) => return Err(refusal.into()),
                    }
                }
                // Every server with JetStream listens to these subjects, soon after its start.
                Attempt::NoListener if absences == ABSENCES => return Err(Error::NoJetStream),
                Attempt::NoListener => absences += 1,
                Attempt::Silence => {}
            }
            if let Some(ended) = patience.ended() {
                return ended;
            }
            patience.pause().await;
        }
    }
}
