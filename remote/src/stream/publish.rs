//! Messages that are stored in a stream.
//!
//! Several messages are published before the answers for the first have come. The server stores each of
//! them only directly behind the one before it (`Nats-Expected-Last-Msg-Id`). So if one is refused, as in a
//! full queue, those behind it are refused as well, and the stored ones are the first ones without a gap.
//! Without that, the server would store a later message if room appeared between the two. A message whose
//! predecessors are known to be stored needs no such condition, so another sender's message in between
//! costs a repetition, and does not stop the sender.
//!
//! A stream with replicas gets one message after the other: nats-server 2.15 takes the refusal of such a
//! condition there for an error of its disk ("critical write error: last msgid mismatch"), and the stream
//! answers no more. Its other conditions compare sequences, which the message of another sender can have.

use async_nats::client::PublishErrorKind;
use async_nats::header::{
    HeaderMap, NATS_EXPECTED_LAST_MESSAGE_ID, NATS_EXPECTED_STREAM, NATS_MESSAGE_ID,
};
use async_nats::{Message, Request, StatusCode};
use bytes::Bytes;
use futures_util::StreamExt;
use ipc_suite::remote::queue::Progress;
use ipc_suite::remote::{Deadline, Waited};
use serde_json::Value;

use super::api::{Attempt, Refusal};
use super::{Api, Error, Patience};

/// The maximum number of messages of a stream without replicas that wait for their answers.
pub const WINDOW: usize = 64;

/// The maximum of their bytes, if there are several.
const WINDOW_BYTES: usize = 1 << 20;

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
        let headers = draft.all_headers();
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
                Attempt::NoListener => {
                    if self.look_for(draft, deadline).await? == Waited::TimedOut {
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

    /// Finds out why nobody listens to a message: its stream does not exist, or its servers elect a leader.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    async fn look_for(&self, draft: &Draft, deadline: Deadline) -> Result<Waited, Error> {
        Ok(self.info(&draft.stream, None, deadline).await?.map(drop))
    }

    /// Publishes messages to one stream in this order, `most` at a time; waits for room. It ends at the first
    /// one that is not stored, and then none behind it is. If the wait times out without an answer, those
    /// that were sent may be stored nevertheless.
    ///
    /// # Errors
    /// As [`Api::publish`].
    pub async fn publish_all(
        &self,
        drafts: &[Draft],
        most: usize,
        progress: &mut dyn Progress,
    ) -> Result<Waited<Published>, Error> {
        let inbox = self.client.new_inbox();
        let answers = self.client.subscribe(format!("{inbox}.*")).await;
        let mut answers = answers.map_err(|_| Error::Closed)?;
        let mut window = Window { first: 0, next: 0, size: most, round: 0, refused: None };
        let (mut deadline, mut is_told) = (progress.deadline(), false);
        let mut patience = Patience::new(deadline);
        while window.first < drafts.len() {
            let exchange = async {
                while window.has_room(drafts) {
                    self.transmit(drafts, &window, &inbox).await?;
                    window.next += 1;
                }
                answers.next().await.ok_or(Error::Closed)
            };
            let answer = match tokio::time::timeout(patience.attempt(), exchange).await {
                Ok(message) => window.read(&message?)?,
                // Messages or answers were lost with a connection. One message shows when there is another.
                Err(_) => {
                    window.restart();
                    window.size = 1;
                    None
                }
            };
            if answer.is_some_and(|index| window.first <= index) {
                window.first = answer.map_or(window.first, |index| index + 1);
                window.next = window.next.max(window.first);
                window.size = (window.size + 1).min(most);
                progress.stored(window.first);
                (deadline, is_told) = (progress.deadline(), false);
                patience = Patience::new(deadline);
            }
            match window.trouble() {
                None => {}
                Some(Trouble::Behind) => {
                    window.restart();
                    window.size = (window.size / 2).max(1);
                    continue;
                }
                Some(Trouble::Taken) => return Ok(Waited::Done(Published::Taken)),
                Some(Trouble::Refused(error)) => return Err(error),
                Some(Trouble::Full) if patience.is_at_once() => {
                    return Ok(Waited::Done(Published::Full));
                }
                Some(trouble) => {
                    if let Trouble::Full = trouble
                        && !std::mem::replace(&mut is_told, true)
                    {
                        progress.full();
                    }
                    if let Trouble::NoListener = trouble
                        && self.look_for(&drafts[window.first], deadline).await? == Waited::TimedOut
                    {
                        return Ok(Waited::TimedOut);
                    }
                    window.restart();
                    window.size = 1;
                    if !patience.has_ended() {
                        patience.pause().await;
                    }
                }
            }
            if let Some(ended) = patience.ended() {
                return ended;
            }
        }
        Ok(Waited::Done(Published::Stored(0)))
    }

    /// Sends the next message of a window.
    async fn transmit(&self, drafts: &[Draft], window: &Window, inbox: &str) -> Result<(), Error> {
        let (draft, index) = (&drafts[window.next], window.next);
        let mut headers = draft.all_headers();
        if index > window.first {
            headers.insert(NATS_EXPECTED_LAST_MESSAGE_ID, drafts[index - 1].id.as_str());
        }
        let reply = format!("{inbox}.{}-{index}", window.round);
        let (subject, payload) = (draft.subject.clone(), draft.payload.clone());
        let sent = self.client.publish_with_reply_and_headers(subject, reply, headers, payload);
        sent.await.map_err(|error| match error.kind() {
            PublishErrorKind::MaxPayloadExceeded => Error::TooLong,
            PublishErrorKind::InvalidSubject => Error::Refused("invalid subject".into()),
            _ => Error::Closed,
        })
    }
}

impl Draft {
    fn all_headers(&self) -> HeaderMap {
        let mut headers = self.headers.clone();
        headers.insert(NATS_MESSAGE_ID, self.id.as_str());
        headers.insert(NATS_EXPECTED_STREAM, self.stream.as_str());
        headers
    }
}

/// Why a message is not stored.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Trouble {
    /// The last message of the stream is not the one before it.
    Behind,
    Full,
    Taken,
    /// A moment later it may be.
    Transient,
    NoListener,
    Refused(Error),
}

/// The messages that wait for their answers.
#[derive(Debug)]
struct Window {
    /// The first one that is not known to be stored.
    first: usize,
    /// The next one to send.
    next: usize,
    /// The maximum of their number.
    size: usize,
    /// How often sending began again at `first`. Refusals of earlier rounds do not count.
    round: u64,
    /// The first one that was refused in this round.
    refused: Option<(usize, Trouble)>,
}

impl Window {
    fn has_room(&self, drafts: &[Draft]) -> bool {
        if self.next == self.first {
            return self.refused.is_none();
        }
        let bytes = |drafts: &[Draft]| drafts.iter().map(|it| it.payload.len()).sum::<usize>();
        self.refused.is_none()
            && self.next < drafts.len()
            && self.next - self.first < self.size
            && bytes(&drafts[self.first..=self.next]) <= WINDOW_BYTES
    }

    /// Reads an answer; returns the index of the message if it is stored.
    fn read(&mut self, message: &Message) -> Result<Option<usize>, Error> {
        let number = message.subject.rsplit('.').next().and_then(|text| {
            let (round, index) = text.split_once('-')?;
            Some((round.parse::<u64>().ok()?, index.parse::<usize>().ok()?))
        });
        let Some((round, index)) = number else { return Ok(None) };
        let trouble = if message.status == Some(StatusCode::NO_RESPONDERS) {
            Trouble::NoListener
        } else {
            match stored(&message.payload)? {
                Ok(_) => return Ok(Some(index)),
                Err(refusal) if refusal.is_behind_another() => Trouble::Behind,
                Err(refusal) if refusal.is_subject_taken() => Trouble::Taken,
                Err(refusal) if refusal.is_full() => Trouble::Full,
                Err(refusal) if refusal.is_transient() => Trouble::Transient,
                Err(refusal) => Trouble::Refused(refusal.into()),
            }
        };
        let is_earlier = self.refused.as_ref().is_none_or(|&(other, _)| index < other);
        if round == self.round && is_earlier {
            self.refused = Some((index, trouble));
        }
        Ok(None)
    }

    /// Why the first message is not stored, once its answer has come.
    fn trouble(&self) -> Option<Trouble> {
        let (index, trouble) = self.refused.as_ref()?;
        (*index <= self.first).then(|| trouble.clone())
    }

    /// Sends the first message again, and those behind it.
    fn restart(&mut self) {
        self.next = self.first;
        self.round += 1;
        self.refused = None;
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
