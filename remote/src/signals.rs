//! Signals: messages to a subject, which all that have subscribed to it get.

use async_nats::header::HeaderMap;
use async_nats::{Client, StatusCode, Subscriber};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use ipc_suite::remote::signal::{Listener, Notice, Signals};
use ipc_suite::remote::{Deadline, Error, Waited, escape};

use crate::connection::Connection;

const HOST: &str = "Ipc-Host";
const PID: &str = "Ipc-Pid";

/// The signals of a server.
pub struct RemoteSignals {
    connection: Connection,
}

fn subject(key: &str) -> String {
    format!("ipc.signal.{key}")
}

/// The error of a connection that has ended.
pub fn lost(error: impl std::fmt::Display) -> Error {
    Error::Server(escape(error.to_string().as_bytes()).into_owned())
}

/// Waits until the server has done all that was sent before; returns whether each request found a listener,
/// whose way back is this inbox.
async fn until_done(
    client: &Client,
    inbox: String,
    answers: &mut Subscriber,
) -> Result<bool, Error> {
    // It arrives after what the server has to say about earlier requests.
    client.publish(inbox, Bytes::new()).await.map_err(lost)?;
    let mut has_listener = true;
    while let Some(message) = answers.next().await {
        match message.status {
            Some(StatusCode::NO_RESPONDERS) => has_listener = false,
            _ if message.reply.is_none() => return Ok(has_listener),
            _ => {}
        }
    }
    Err(Error::Server("the connection has ended".to_owned()))
}

/// Waits until the server has done all that was sent before, such as subscriptions.
pub async fn round_trip(client: &Client) -> Result<(), Error> {
    let inbox = client.new_inbox();
    let mut answers = client.subscribe(inbox.clone()).await.map_err(lost)?;
    until_done(client, inbox, &mut answers).await.map(drop)
}

impl RemoteSignals {
    /// The signals of the server of a connection.
    pub fn new(connection: Connection) -> Self {
        Self { connection }
    }
}

impl Signals for RemoteSignals {
    fn send(
        &mut self,
        key: &str,
        notice: &Notice,
        deadline: Deadline,
    ) -> Result<Waited<bool>, Error> {
        let client = self.connection.client();
        self.connection.run(deadline, async {
            let inbox = client.new_inbox();
            let mut answers = client.subscribe(inbox.clone()).await.map_err(lost)?;
            let mut headers = HeaderMap::new();
            headers.insert(HOST, notice.host.as_str());
            headers.insert(PID, notice.pid.to_string());
            let (subject, payload) = (subject(key), notice.signal.clone().into());
            let inbox_of = inbox.clone();
            let sent = client.publish_with_reply_and_headers(subject, inbox_of, headers, payload);
            sent.await.map_err(lost)?;
            until_done(client, inbox, &mut answers).await
        })
    }

    fn listen(
        self: Box<Self>,
        key: &str,
        deadline: Deadline,
    ) -> Result<Waited<Box<dyn Listener>>, Error> {
        let client = self.connection.client();
        let subscribed = self.connection.run(deadline, async {
            let arrivals = client.subscribe(subject(key)).await.map_err(lost)?;
            round_trip(client).await?;
            Ok(arrivals)
        });
        Ok(subscribed?.map(|arrivals| -> Box<dyn Listener> {
            Box::new(Listening { connection: self.connection, arrivals })
        }))
    }
}

/// A subscription. It is dropped before its connection.
struct Listening {
    arrivals: Subscriber,
    connection: Connection,
}

impl Listener for Listening {
    fn next(&mut self, deadline: Deadline) -> Result<Waited<Notice>, Error> {
        let Self { connection, arrivals } = self;
        let message = match arrivals.next().now_or_never() {
            Some(message) => Waited::Done(message),
            None => connection.wait(deadline, async { Ok(arrivals.next().await) })?,
        };
        let Waited::Done(message) = message else { return Ok(Waited::TimedOut) };
        let message = message.ok_or(Error::Server("the connection has ended".to_owned()))?;
        let headers = message.headers.unwrap_or_default();
        let text = |name: &str| headers.get(name).map(ToString::to_string).unwrap_or_default();
        Ok(Waited::Done(Notice {
            signal: String::from_utf8_lossy(&message.payload).trim().to_owned(),
            host: text(HOST),
            pid: text(PID).parse().unwrap_or(0),
        }))
    }
}
