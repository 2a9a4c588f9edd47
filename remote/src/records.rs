//! Records as a key-value bucket of JetStream: a stream whose subjects are the keys, and that keeps the
//! last message of each. Other clients of NATS read and write the same buckets.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::stream::{LastRawMessageErrorKind, Stream};
use async_nats::jetstream::{self, message::StreamMessage};
use bytes::Bytes;
use futures_util::StreamExt;
use ipc_suite::remote::{Change, Creation, Deadline, Error, Kind, Record, Records, Waited, escape};
use serde_json::{Value, json};

use crate::api::{HINT, PAUSE, Refused, publish, repeat, request};
use crate::connection::Connection;

/// How long a mark remains where a record was removed or has expired, so that those who wait see it.
const MARK: Duration = Duration::from_secs(600);

/// Headers of messages.
mod header {
    pub const EXPECTED: &str = "Nats-Expected-Last-Subject-Sequence";
    pub const ID: &str = "Nats-Msg-Id";
    pub const LIFETIME: &str = "Nats-TTL";
    /// How a key-value bucket marks that a key was removed.
    pub const OPERATION: &str = "KV-Operation";
    /// How the server marks that a message has expired.
    pub const MARKER: &str = "Nats-Marker-Reason";
    pub const FENCE: &str = "Ipc-Fence";
}

/// A bucket.
pub struct KeyValue {
    connection: Connection,
    stream: Stream<()>,
    /// The subject of a key without the key.
    prefix: String,
    watch: Option<Watch>,
}

/// The changes of some keys, from a revision on.
struct Watch {
    filter: String,
    changes: pull::Ordered,
}

impl KeyValue {
    /// Opens the bucket of a kind, and creates it if it is missing.
    pub fn open(
        connection: Connection,
        kind: Kind,
        creation: Option<Creation>,
        deadline: Deadline,
    ) -> Result<Waited<Self>, Error> {
        let bucket = format!("ipc-{}", kind.word());
        let name = format!("KV_{bucket}");
        let client = connection.client();
        let opened = connection.run(deadline, async {
            let found = request(client, &format!("STREAM.INFO.{name}"), &json!({})).await?;
            let info = match (found, creation) {
                (Ok(info), _) => info,
                (Err(Refused { number: Refused::NO_STREAM, .. }), Some(creation)) => {
                    create(client, &name, &bucket, creation).await?
                }
                (Err(refused), _) => return Err(refused.into()),
            };
            check(&info["config"], &name)?;
            let context = jetstream::new(client.clone());
            context.get_stream_no_info(&name).await.map_err(|error| failed(&error))
        });
        let prefix = format!("$KV.{bucket}.");
        Ok(opened?.map(|stream| Self { connection, stream, prefix, watch: None }))
    }

    fn subject(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The subjects of a key and of those below it.
    fn filters(&self, prefix: &str) -> Vec<String> {
        match prefix {
            "" => vec![format!("{}>", self.prefix)],
            prefix => {
                vec![self.subject(prefix), format!("{}>", self.subject(&format!("{prefix}.")))]
            }
        }
    }

    /// The last message of a key, which may be a mark. The leader answers, so it is no older one.
    async fn last(&self, subject: &str) -> Result<Option<StreamMessage>, Error> {
        repeat(|| self.last_once(subject)).await
    }

    async fn last_once(&self, subject: &str) -> Result<Option<StreamMessage>, Error> {
        match self.stream.get_last_raw_message_by_subject(subject).await {
            Ok(message) => Ok(Some(message)),
            Err(error) => match error.kind() {
                LastRawMessageErrorKind::NoMessageFound => Ok(None),
                LastRawMessageErrorKind::JetStream(error) => Err(failed(&error)),
                // Nobody is there to answer, as while a cluster elects.
                _ => Err(Error::Unanswered),
            },
        }
    }

    fn record(&self, message: StreamMessage) -> Option<Record> {
        if is_mark(&message) {
            return None;
        }
        let fence =
            message.headers.get(header::FENCE).and_then(|fence| fence.as_str().parse().ok());
        Some(Record {
            key: message.subject.strip_prefix(&self.prefix)?.to_owned(),
            value: message.payload.to_vec(),
            revision: message.sequence,
            fence: fence.unwrap_or_default(),
        })
    }

    /// Publishes a change. The key must not exist if `expected` is `None`.
    async fn put(&self, change: Change<'_>) -> Result<Option<u64>, Error> {
        let subject = self.subject(change.key);
        let mut headers = HeaderMap::new();
        headers.insert(header::ID, self.connection.client().new_inbox().as_str());
        if let Some(lifetime) = change.lifetime {
            headers.insert(header::LIFETIME, whole_seconds(lifetime).as_str());
        }
        if change.fence > 0 {
            headers.insert(header::FENCE, change.fence.to_string().as_str());
        }
        let payload = Bytes::copy_from_slice(change.value);
        let mut expected = change.expected.unwrap_or_default();
        loop {
            headers.insert(header::EXPECTED, expected.to_string().as_str());
            let client = self.connection.client();
            match publish(client, &subject, headers.clone(), payload.clone()).await? {
                Ok(revision) => return Ok(Some(revision)),
                Err(refused) if !refused.is_conflict() => return Err(refused.into()),
                Err(_) if change.expected.is_some() => return Ok(None),
                // A key that was removed or has expired leaves a mark, whose sequence is expected.
                Err(_) => match self.last(&subject).await? {
                    Some(last) if is_mark(&last) && last.sequence != expected => {
                        expected = last.sequence;
                    }
                    None if expected != 0 => expected = 0,
                    _ => return Ok(None),
                },
            }
        }
    }
}

impl Records for KeyValue {
    fn read(&mut self, key: &str, deadline: Deadline) -> Result<Waited<Option<Record>>, Error> {
        let subject = self.subject(key);
        let found = self.connection.run(deadline, self.last(&subject))?;
        Ok(found.map(|message| message.and_then(|message| self.record(message))))
    }

    fn change(
        &mut self,
        change: Change<'_>,
        deadline: Deadline,
    ) -> Result<Waited<Option<u64>>, Error> {
        self.connection.run(deadline, self.put(change))
    }

    fn remove(
        &mut self,
        key: &str,
        expected: u64,
        deadline: Deadline,
    ) -> Result<Waited<bool>, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ID, self.connection.client().new_inbox().as_str());
        headers.insert(header::OPERATION, "DEL");
        headers.insert(header::EXPECTED, expected.to_string().as_str());
        headers.insert(header::LIFETIME, whole_seconds(MARK).as_str());
        let subject = self.subject(key);
        let client = self.connection.client();
        self.connection.run(deadline, async {
            match publish(client, &subject, headers, Bytes::new()).await? {
                Ok(_) => Ok(true),
                Err(refused) if refused.is_conflict() => Ok(false),
                Err(refused) => Err(refused.into()),
            }
        })
    }

    fn list(&mut self, prefix: &str, deadline: Deadline) -> Result<Waited<Vec<Record>>, Error> {
        let (client, filters) = (self.connection.client(), self.filters(prefix));
        let list = async {
            let mut records = Vec::new();
            for filter in filters {
                let words = format!("STREAM.INFO.{}", self.name());
                let parameters = json!({ "subjects_filter": filter });
                let info = request(client, &words, &parameters).await??;
                let subjects = info["state"]["subjects"].as_object();
                for subject in subjects.into_iter().flat_map(serde_json::Map::keys) {
                    let last = self.last(subject).await?;
                    records.extend(last.and_then(|message| self.record(message)));
                }
            }
            Ok(records)
        };
        self.connection.run(deadline, list)
    }

    fn await_change(
        &mut self,
        prefix: &str,
        after: u64,
        deadline: Deadline,
    ) -> Result<Waited, Error> {
        // A watch that is dropped tells the server.
        let _entered = self.connection.enter();
        let mut watch = match self.watch.take() {
            Some(watch) if watch.filter == prefix => watch,
            _ => {
                let filters = self.filters(prefix);
                let Waited::Done(changes) =
                    self.connection.run(deadline, changes(&self.stream, filters, after))?
                else {
                    return Ok(Waited::TimedOut);
                };
                Watch { filter: prefix.to_owned(), changes }
            }
        };
        let change = async {
            // An error means that signs of the server are missing: the next wait begins again.
            while let Some(Ok(message)) = watch.changes.next().await {
                let info = message.info().map_err(|error| failed(&error))?;
                if info.stream_sequence > after {
                    return Ok(());
                }
            }
            Err(Error::Unanswered)
        };
        let waited = self.connection.wait(deadline, change);
        if waited.is_ok() {
            self.watch = Some(watch);
        }
        waited
    }
}

impl Drop for KeyValue {
    fn drop(&mut self) {
        let _entered = self.connection.enter();
        self.watch = None;
    }
}

impl KeyValue {
    fn name(&self) -> String {
        let bucket = self.prefix.trim_start_matches("$KV.").trim_end_matches('.');
        format!("KV_{bucket}")
    }
}

/// The changes of these subjects behind a revision. The leader of a cluster may be missing for a while.
async fn changes(
    stream: &Stream<()>,
    filters: Vec<String>,
    after: u64,
) -> Result<pull::Ordered, Error> {
    let consumer = stream
        .create_consumer(pull::OrderedConfig {
            filter_subjects: filters,
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: after + 1 },
            headers_only: true,
            ..Default::default()
        })
        .await;
    let changes = match consumer {
        Ok(consumer) => consumer.messages().await.ok(),
        Err(_) => None,
    };
    if changes.is_none() {
        tokio::time::sleep(PAUSE).await;
    }
    changes.ok_or(Error::Unanswered)
}

/// Creates the stream of a bucket.
async fn create(
    client: &async_nats::Client,
    name: &str,
    bucket: &str,
    creation: Creation,
) -> Result<Value, Error> {
    let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let config = json!({
        "name": name,
        "description": "records of ipc-suite",
        "subjects": [format!("$KV.{bucket}.>")],
        "retention": "limits",
        "storage": "file",
        "discard": "new",
        "max_consumers": -1,
        "max_msgs": -1,
        "max_bytes": -1,
        "max_msg_size": -1,
        "max_msgs_per_subject": 1,
        "num_replicas": creation.replicas,
        "allow_rollup_hdrs": true,
        "deny_delete": true,
        "allow_direct": true,
        "allow_msg_ttl": true,
        "subject_delete_marker_ttl": nanoseconds(MARK),
    });
    match request(client, &format!("STREAM.CREATE.{name}"), &config).await? {
        Ok(info) => Ok(info),
        // Another process was faster.
        Err(Refused { number: Refused::OTHER_STREAM, .. }) => {
            Ok(request(client, &format!("STREAM.INFO.{name}"), &json!({})).await??)
        }
        Err(refused) => Err(refused.into()),
    }
}

/// Refuses a bucket whose records do not expire. A server that does not know the property ignores it.
fn check(config: &Value, name: &str) -> Result<(), Error> {
    let expires = config["allow_msg_ttl"].as_bool().unwrap_or(false);
    let is_marked = config["subject_delete_marker_ttl"].as_u64().unwrap_or(0) > 0;
    let keeps_last = config["max_msgs_per_subject"].as_i64() == Some(1);
    if expires && is_marked && keeps_last {
        return Ok(());
    }
    let reason =
        format!("the stream {name} of the server does not expire what a lost holder leaves");
    Err(Error::Refused { reason, hint: HINT })
}

/// Whether a message stands for a key that was removed or has expired.
fn is_mark(message: &StreamMessage) -> bool {
    let is_removal =
        |operation: &async_nats::HeaderValue| matches!(operation.as_str(), "DEL" | "PURGE");
    message.headers.get(header::OPERATION).is_some_and(is_removal)
        || message.headers.get(header::MARKER).is_some()
}

/// A time as servers count it, and no less.
fn whole_seconds(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    format!("{}s", seconds.max(1))
}

fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::Server(escape(error.to_string().as_bytes()).into_owned())
}
