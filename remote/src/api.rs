//! Requests to JetStream, and what its errors mean.

use std::time::Duration;

use async_nats::{Client, HeaderMap, RequestErrorKind};
use bytes::Bytes;
use ipc_suite::remote::{Error, escape};
use serde_json::Value;

/// What is needed instead of a server without JetStream, or of an older one.
pub const HINT: &str = "needs nats-server 2.11 or later with JetStream ('nats-server -js')";

/// The pause before a request is sent again that nobody was there to answer, as while a cluster elects.
pub const PAUSE: Duration = Duration::from_millis(100);

/// How often nobody may be there to answer a request about a stream, before JetStream counts as absent.
const ABSENCES: u32 = 20;

/// How long the first attempt of a request waits for its answer; each further one waits twice as long. An
/// answer is lost with a connection, which the client replaces.
const FIRST_ATTEMPT: Duration = Duration::from_millis(500);

/// An error of JetStream: its number, and its description.
#[derive(Clone, Debug)]
pub struct Refused {
    pub number: u64,
    pub text: String,
}

impl Refused {
    /// There is no such stream.
    pub const NO_STREAM: u64 = 10059;
    /// A stream of that name exists with other properties.
    pub const OTHER_STREAM: u64 = 10058;

    /// The last message of a subject is another one than expected.
    pub fn is_conflict(&self) -> bool {
        matches!(self.number, 10071 | 10164)
    }

    /// It may go well a moment later.
    fn is_transient(&self) -> bool {
        matches!(self.number, 10008)
    }
}

impl From<Refused> for Error {
    fn from(Refused { number, text }: Refused) -> Self {
        match number {
            10039 | 10076 => absent(),
            Refused::NO_STREAM => Self::NotFound,
            10054 => Self::Server(text),
            _ => Self::Server(format!("{text} (error {number} of JetStream)")),
        }
    }
}

fn absent() -> Error {
    Error::Refused { reason: "the server has no JetStream".to_owned(), hint: HINT }
}

/// The answer to a request about a stream: `$JS.API.WORDS`.
pub async fn request(
    client: &Client,
    words: &str,
    parameters: &Value,
) -> Result<Result<Value, Refused>, Error> {
    let subject = format!("$JS.API.{words}");
    let payload = Bytes::from(parameters.to_string());
    let mut absences = 0;
    loop {
        match send(client, subject.clone(), HeaderMap::new(), payload.clone()).await? {
            Some(answer) => return Ok(answer),
            None if absences == ABSENCES => return Err(absent()),
            None => absences += 1,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Publishes a message to a stream that exists; returns its sequence. The headers have an ID for the
/// message, so that a further attempt adds no second one.
pub async fn publish(
    client: &Client,
    subject: &str,
    headers: HeaderMap,
    payload: Bytes,
) -> Result<Result<u64, Refused>, Error> {
    loop {
        match send(client, subject.to_owned(), headers.clone(), payload.clone()).await? {
            Some(answer) => {
                return Ok(answer.map(|answer| answer["seq"].as_u64().unwrap_or_default()));
            }
            // No leader is there.
            None => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Repeats a request that changes nothing, or the same each time, until it is answered.
pub async fn repeat<T, F: Future<Output = Result<T, Error>>>(
    mut attempt: impl FnMut() -> F,
) -> Result<T, Error> {
    let mut limit = FIRST_ATTEMPT;
    loop {
        match tokio::time::timeout(limit, attempt()).await {
            Ok(Err(Error::Unanswered)) => tokio::time::sleep(PAUSE).await,
            Ok(answered) => return answered,
            Err(_) => limit *= 2,
        }
    }
}

/// Sends a request, again if the answer is lost; `None` if nobody was there to answer it.
async fn send(
    client: &Client,
    subject: String,
    headers: HeaderMap,
    payload: Bytes,
) -> Result<Option<Result<Value, Refused>>, Error> {
    repeat(|| send_once(client, subject.clone(), headers.clone(), payload.clone())).await
}

async fn send_once(
    client: &Client,
    subject: String,
    headers: HeaderMap,
    payload: Bytes,
) -> Result<Option<Result<Value, Refused>>, Error> {
    let request = async_nats::Request::new().payload(payload).headers(headers);
    let answer = match client.send_request(subject, request).await {
        Ok(answer) => answer,
        Err(error) => {
            return match error.kind() {
                RequestErrorKind::NoResponders => Ok(None),
                RequestErrorKind::MaxPayloadExceeded => {
                    Err(Error::TooLarge { limit: client.server_info().max_payload })
                }
                RequestErrorKind::TimedOut => Err(Error::Unanswered),
                _ => Err(Error::Server(escape(error.to_string().as_bytes()).into_owned())),
            };
        }
    };
    let answer: Value = serde_json::from_slice(&answer.payload)
        .map_err(|_| Error::Server("an answer that is no JSON".to_owned()))?;
    let Some(error) = answer.get("error") else { return Ok(Some(Ok(answer))) };
    let text = error["description"].as_str().unwrap_or("an error without a description");
    let number = error["err_code"].as_u64().unwrap_or_default();
    let refused = Refused { number, text: escape(text.as_bytes()).into_owned() };
    Ok(if refused.is_transient() { None } else { Some(Err(refused)) })
}
