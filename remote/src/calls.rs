//! Procedures: requests to a subject whose servers are one queue group, so that one of them gets each.
//!
//! While a procedure runs, its server tells the caller so every second, if the caller asks for that by a
//! header. A caller that hears nothing knows that the server has ended. The note is a request itself: if
//! nobody is there to get it, the caller has left, and the procedure is ended. Other clients see a usual
//! request and its answer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::header::HeaderMap;
use async_nats::{Client, Message, RequestErrorKind, StatusCode, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use ipc_suite::remote::call::{Answer, Calls, Reply, Request, Requests};
use ipc_suite::remote::{Bell, Deadline, Error, Waited, escape};

use crate::connection::Connection;
use crate::descriptor::rung;
use crate::signals::{lost, round_trip};
use crate::stream::HEADERS;

/// The headers of requests and answers.
mod header {
    /// In a request: the caller wants notes. Some clients copy the headers of a request to the answer.
    pub const NOTES: &str = "Ipc-Notes";
    /// In a note: the procedure runs.
    pub const RUNNING: &str = "Ipc-Running";
    /// The status of the procedure.
    pub const STATUS: &str = "Ipc-Status";
    /// The number of bytes of stdout, which stderr follows.
    pub const STDOUT: &str = "Ipc-Stdout";
    /// The number of the reason of a refusal.
    pub const REFUSAL: &str = "Ipc-Refusal";
}

/// The group of the servers of a procedure.
const GROUP: &str = "ipc";

/// The interval of the notes.
const NOTE: Duration = Duration::from_secs(1);

/// How long a caller that has had a note waits for the next.
const SILENCE: Duration = Duration::from_secs(10);

/// The procedures of a server.
pub struct RemoteCalls {
    connection: Connection,
}

fn subject(key: &str) -> String {
    format!("ipc.door.{key}")
}

impl RemoteCalls {
    /// The procedures of the server of a connection.
    pub fn new(connection: Connection) -> Self {
        Self { connection }
    }
}

impl Calls for RemoteCalls {
    fn limit(&self) -> usize {
        self.connection.client().server_info().max_payload.saturating_sub(HEADERS)
    }

    fn call(
        &mut self,
        key: &str,
        argument: &[u8],
        deadline: Deadline,
    ) -> Result<Waited<Answer>, Error> {
        let limit = self.limit();
        if argument.len() > limit {
            return Err(Error::TooLarge { limit });
        }
        let client = self.connection.client();
        self.connection.wait(deadline, async {
            let inbox = client.new_inbox();
            let mut answers = client.subscribe(inbox.clone()).await.map_err(lost)?;
            let mut headers = HeaderMap::new();
            headers.insert(header::NOTES, "1");
            let (subject, payload) = (subject(key), Bytes::copy_from_slice(argument));
            let sent = client.publish_with_reply_and_headers(subject, inbox, headers, payload);
            sent.await.map_err(lost)?;
            let mut has_note = false;
            loop {
                let next = answers.next();
                let message = match has_note {
                    true => tokio::time::timeout(SILENCE, next).await.unwrap_or(None),
                    false => next.await,
                };
                let Some(message) = message else { return Ok(Answer::Ended) };
                if message.status == Some(StatusCode::NO_RESPONDERS) {
                    return Err(Error::NotFound);
                }
                match message.headers.as_ref().and_then(|headers| headers.get(header::RUNNING)) {
                    Some(_) => has_note = true,
                    None => return Ok(read(&message)),
                }
            }
        })
    }

    fn serve(self: Box<Self>, key: &str) -> Result<Box<dyn Requests>, Error> {
        let connection = Arc::new(self.connection);
        let client = connection.client().clone();
        let subject = subject(key);
        let subscribe = async {
            let calls = client.queue_subscribe(subject, GROUP.to_owned()).await.map_err(lost)?;
            // Callers find this server when the other one has got the request.
            round_trip(&client).await?;
            Ok(calls)
        };
        match connection.run(Deadline::NEVER, subscribe)? {
            Waited::Done(calls) => Ok(Box::new(Served { connection, calls })),
            Waited::TimedOut => Err(Error::Unanswered),
        }
    }
}

/// The answer in a message; that of another program has no headers.
fn read(message: &Message) -> Answer {
    let headers = message.headers.clone().unwrap_or_default();
    let number = |name: &str| headers.get(name).and_then(|value| value.as_str().parse().ok());
    if let Some(reason) = number(header::REFUSAL) {
        let words = escape(&message.payload).into_owned();
        return Answer::Refusal { reason, words };
    }
    let length = message.payload.len();
    let end = number(header::STDOUT).map_or(length, |end: u32| length.min(end as usize));
    let (stdout, stderr) = message.payload.split_at(end);
    let status = number(header::STATUS).unwrap_or(0).min(255) as u8;
    Answer::Answer { status, outputs: [stdout.to_vec(), stderr.to_vec()] }
}

/// The calls of a procedure that this process serves.
struct Served {
    connection: Arc<Connection>,
    calls: Subscriber,
}

impl Requests for Served {
    fn next(&mut self, stop: &Bell) -> Result<Option<Request>, Error> {
        let Self { connection, calls } = self;
        let next = async {
            loop {
                let message = tokio::select! {
                    message = calls.next() => message,
                    () = rung(Some(stop)) => return Ok(None),
                };
                let Some(message) = message else {
                    return Err(Error::Server("the connection has ended".to_owned()));
                };
                // A message without a way back is no call.
                if message.reply.is_some() {
                    return accept(connection, message).map(Some);
                }
            }
        };
        match connection.wait(Deadline::NEVER, next)? {
            Waited::Done(request) => Ok(request),
            Waited::TimedOut => Ok(None),
        }
    }

    fn close(&mut self) -> Result<(), Error> {
        let Self { connection, calls } = self;
        let client = connection.client();
        let close = async {
            calls.unsubscribe().await.map_err(lost)?;
            round_trip(client).await
        };
        connection.run(Deadline::NEVER, close).map(drop)
    }
}

/// Begins a call.
fn accept(connection: &Arc<Connection>, message: Message) -> Result<Request, Error> {
    let left = Arc::new(Bell::new().map_err(lost)?);
    let wants_notes = message.headers.as_ref().is_some_and(|it| it.get(header::NOTES).is_some());
    let notes = wants_notes.then(|| {
        let client = connection.client().clone();
        let inbox = message.reply.clone().map(|reply| reply.to_string()).unwrap_or_default();
        tokio::spawn(note(client, inbox, Arc::clone(&left)))
    });
    let argument = message.payload.to_vec();
    let reply = Caller { connection: Arc::clone(connection), message, notes: Mutex::new(notes) };
    Ok(Request { argument, left, reply: Box::new(reply) })
}

/// Tells a caller every second that its procedure runs, until the caller has left.
async fn note(client: Client, inbox: String, left: Arc<Bell>) {
    loop {
        let mut headers = HeaderMap::new();
        headers.insert(header::RUNNING, "1");
        let request = async_nats::Request::new().headers(headers).timeout(Some(NOTE));
        match client.send_request(inbox.clone(), request).await {
            Err(error) if error.kind() == RequestErrorKind::NoResponders => {
                left.ring();
                return;
            }
            // A caller does not answer.
            Err(error) if error.kind() == RequestErrorKind::TimedOut => {}
            Ok(_) | Err(_) => tokio::time::sleep(NOTE).await,
        }
    }
}

/// The way back to a caller.
struct Caller {
    connection: Arc<Connection>,
    message: Message,
    notes: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Caller {
    fn send(&self, subject: String, headers: HeaderMap, payload: Bytes) -> Result<(), Error> {
        let client = self.connection.client();
        let sent = self.connection.run(Deadline::NEVER, async {
            client.publish_with_headers(subject, headers, payload).await.map_err(lost)?;
            round_trip(client).await
        });
        sent.map(drop)
    }

    fn end_notes(&self) {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner).take();
        notes.iter().for_each(tokio::task::JoinHandle::abort);
    }

    fn inbox(&self) -> String {
        self.message.reply.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.end_notes();
    }
}

impl Reply for Caller {
    fn answer(&self, answer: &Answer) -> Result<(), Error> {
        self.end_notes();
        let mut headers = HeaderMap::new();
        let payload = match answer {
            Answer::Answer { status, outputs: [stdout, stderr] } => {
                headers.insert(header::STATUS, status.to_string());
                if !stderr.is_empty() {
                    headers.insert(header::STDOUT, stdout.len().to_string());
                }
                [stdout.as_slice(), stderr].concat()
            }
            Answer::Refusal { reason, words } => {
                headers.insert(header::REFUSAL, reason.to_string());
                words.clone().into_bytes()
            }
            Answer::Ended => return Ok(()),
        };
        let most = self.connection.client().server_info().max_payload;
        if payload.len() + HEADERS > most {
            return Err(Error::TooLarge { limit: most.saturating_sub(HEADERS) });
        }
        self.send(self.inbox(), headers, payload.into())
    }

    fn pass_on(&self) -> Result<(), Error> {
        self.end_notes();
        let client = self.connection.client();
        let Message { subject, payload, headers, .. } = self.message.clone();
        let headers = headers.unwrap_or_default();
        let sent = self.connection.run(Deadline::NEVER, async {
            let sent =
                client.publish_with_reply_and_headers(subject, self.inbox(), headers, payload);
            sent.await.map_err(lost)?;
            round_trip(client).await
        });
        sent.map(drop)
    }
}
