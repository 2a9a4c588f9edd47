//! Messages that are stored in a stream.

use async_nats::Request;
use async_nats::header::{HeaderMap, NATS_EXPECTED_STREAM, NATS_MESSAGE_ID};
use bytes::Bytes;
use ipc_suite::remote::{Deadline, Waited};
use serde_json::Value;

use super::api::{Attempt, Refusal};
use super::{Api, Error, Patience};

/// What became of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Published {
    /// It is stored, with this sequence.
    Stored(u64),
    /// The stream is full, and the caller does not wait.
    Full,
    /// The subject has a message, and room for one only.
    Taken,
}

/// A message to publish.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The stream that stores it.
    pub stream: String,
    /// Its subject.
    pub subject: String,
    /// Its identity: the server stores one message of each within two minutes, however often it is sent.
    pub id: String,
    /// More headers.
    pub headers: HeaderMap,
    /// The message.
    pub payload: Bytes,
}

impl Api {
    /// An identity that no other message has.
    pub fn unique_id(&self) -> String {
        let inbox = self.client.new_inbox();
        inbox.rsplit_once('.').map_or(inbox.clone(), |(_, unique)| unique.to_owned())
    }

    /// Publishes a message, and waits until the servers have it; waits for room too. If the wait times
    /// out, the message may be stored nevertheless.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such stream, [`Error::TooLong`].
    pub async fn publish(
        &self,
        draft: &Draft,
        deadline: Deadline,
    ) -> Result<Waited<Published>, Error> {
        let mut headers = draft.headers.clone();
        headers.insert(NATS_MESSAGE_ID, draft.id.as_str());
        headers.insert(NATS_EXPECTED_STREAM, draft.stream.as_str());
        let mut patience = Patience::new(deadline);
        loop {
            let request = Request::new().headers(headers.clone()).payload(draft.payload.clone());
            match self.attempt(&draft.subject, request, &patience).await? {
                Attempt::Answer(message) => match stored(&message.payload)? {
                    Ok(sequence) => return Ok(Waited::Done(Published::Stored(sequence))),
                    Err(refusal) if refusal.is_subject_taken() => {
                        return Ok(Waited::Done(Published::Taken));
                    }
                    Err(refusal) if refusal.is_full() => {
                        if patience.is_at_once() {
                            return Ok(Waited::Done(Published::Full));
                        }
                    }
                    Err(refusal) if refusal.is_transient() => {}
                    Err(refusal) => return Err(refusal.into()),
                },
                // The stream does not exist, or its servers elect a leader.
                Attempt::NoListener => {
                    let left = if patience.is_at_once() { Deadline::PASSED } else { deadline };
                    if self.info(&draft.stream, None, left).await? == Waited::TimedOut {
                        return Ok(Waited::TimedOut);
                    }
                }
                Attempt::Silence => {}
            }
            if let Some(ended) = patience.ended() {
                return ended;
            }
            patience.pause().await;
        }
    }
}

/// The sequence of a stored message, by the answer of the server.
fn stored(answer: &[u8]) -> Result<Result<u64, Refusal>, Error> {
    let unreadable = || Error::Refused("the answer is not that of a stream".into());
    let answer: Value = serde_json::from_slice(answer).map_err(|_| unreadable())?;
    match Refusal::of(&answer) {
        Some(refusal) => Ok(Err(refusal)),
        None => answer["seq"].as_u64().map(Ok).ok_or_else(unreadable),
    }
}
