//! Streams: created, described, listed, removed.

use ipc_suite::remote::{Deadline, Waited};
use serde_json::{Value, json};

use super::{Api, Error, HEADERS};

/// The shape of a work queue to create: a stream that messages leave when they are acknowledged, and that
/// refuses new ones when it is full.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Its name.
    pub name: String,
    /// The subject of its messages, with a wildcard.
    pub subject: String,
    /// The maximum number of messages.
    pub max_msgs: Option<u64>,
    /// The maximum number of bytes.
    pub max_bytes: Option<u64>,
    /// The maximum length of a message.
    pub msg_size: Option<u64>,
    /// Whether a subject has room for one message only.
    pub one_per_subject: bool,
    /// The number of servers that store it.
    pub replicas: u32,
}

/// A description of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Info(Value);

impl Info {
    fn of_config(&self, key: &str) -> &Value {
        &self.0["config"][key]
    }

    /// A limit; `None` is no limit.
    fn limit(&self, key: &str) -> Option<u64> {
        self.of_config(key).as_u64().filter(|&limit| limit > 0)
    }

    /// The name of the stream.
    pub fn name(&self) -> &str {
        self.of_config("name").as_str().unwrap_or_default()
    }

    /// The maximum number of messages.
    pub fn max_msgs(&self) -> Option<u64> {
        self.limit("max_msgs")
    }

    /// The maximum number of bytes.
    pub fn max_bytes(&self) -> Option<u64> {
        self.limit("max_bytes")
    }

    /// The maximum length of a message.
    pub fn msg_size(&self) -> Option<u64> {
        let headers = if self.of_config("metadata")[CREATION].is_string() { HEADERS } else { 0 };
        self.limit("max_msg_size").map(|limit| limit.saturating_sub(headers as u64))
    }

    /// The number of servers that store it.
    pub fn replicas(&self) -> u64 {
        self.of_config("num_replicas").as_u64().unwrap_or(1)
    }

    /// Whether messages leave it when they are acknowledged, and new ones are refused if it is full.
    pub fn is_work_queue(&self) -> bool {
        self.of_config("retention") == "workqueue" && self.of_config("discard") == "new"
    }

    fn of_state(&self, key: &str) -> u64 {
        self.0["state"][key].as_u64().unwrap_or_default()
    }

    /// The number of messages.
    pub fn messages(&self) -> u64 {
        self.of_state("messages")
    }

    /// The bytes of all messages.
    pub fn bytes(&self) -> u64 {
        self.of_state("bytes")
    }

    /// The number of consumers.
    pub fn consumers(&self) -> u64 {
        self.of_state("consumer_count")
    }

    /// The subjects that have messages, and how many each has.
    pub fn subjects(&self) -> impl Iterator<Item = (&str, u64)> {
        let subjects = self.0["state"]["subjects"].as_object();
        subjects
            .into_iter()
            .flatten()
            .map(|(name, count)| (name.as_str(), count.as_u64().unwrap_or_default()))
    }

    /// The server that leads it, in a cluster.
    pub fn leader(&self) -> Option<&str> {
        let cluster = &self.0["cluster"];
        // A server that is alone leads itself, and has no cluster.
        cluster["name"].as_str()?;
        cluster["leader"].as_str().filter(|leader| !leader.is_empty())
    }
}

/// The key of what shows that `ipc` has created a stream.
const CREATION: &str = "ipc-creation";

/// The time in which a second message with the same identity is none.
const DUPLICATES: u64 = 120 * 1_000_000_000;

impl Api {
    /// Creates a work queue.
    ///
    /// # Errors
    /// [`Error::Exists`] if there is a stream of this name.
    pub async fn create(&self, shape: &Shape, deadline: Deadline) -> Result<Waited, Error> {
        let limit = |limit: Option<u64>| limit.map_or(-1, |limit| limit as i64);
        let body = json!({
            "name": shape.name,
            "subjects": [shape.subject],
            "retention": "workqueue",
            "discard": "new",
            "discard_new_per_subject": shape.one_per_subject,
            "max_msgs": limit(shape.max_msgs),
            "max_bytes": limit(shape.max_bytes),
            // The server counts the headers as well.
            "max_msg_size": limit(shape.msg_size.map(|size| size.saturating_add(HEADERS as u64))),
            "max_msgs_per_subject": if shape.one_per_subject { 1 } else { -1 },
            "max_consumers": -1,
            "max_age": 0,
            "storage": "file",
            "num_replicas": shape.replicas,
            "duplicate_window": DUPLICATES,
            // A stream with exactly the same configuration counts as created. So a request that is sent
            // again succeeds, and that of another process does not.
            "metadata": { CREATION: self.unique_id() },
        });
        let subject = format!("STREAM.CREATE.{}", shape.name);
        Ok(self.ask(&subject, &body, deadline).await?.map(drop))
    }

    /// Describes a stream; with the messages of each subject that the pattern matches.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it does not exist.
    pub async fn info(
        &self,
        stream: &str,
        subjects: Option<&str>,
        deadline: Deadline,
    ) -> Result<Waited<Info>, Error> {
        let body = subjects.map_or(Value::Null, |pattern| json!({ "subjects_filter": pattern }));
        let answer = self.ask(&format!("STREAM.INFO.{stream}"), &body, deadline).await?;
        Ok(answer.map(Info))
    }

    /// Describes all streams whose subjects match this pattern.
    ///
    /// # Errors
    /// [`Error::NoJetStream`].
    pub async fn list(
        &self,
        subject: &str,
        deadline: Deadline,
    ) -> Result<Waited<Vec<Info>>, Error> {
        let mut streams = Vec::new();
        loop {
            let body = json!({ "subject": subject, "offset": streams.len() });
            let Waited::Done(mut answer) = self.ask("STREAM.LIST", &body, deadline).await? else {
                return Ok(Waited::TimedOut);
            };
            let Value::Array(page) = answer["streams"].take() else { break };
            let is_last = page.is_empty();
            streams.extend(page.into_iter().map(Info));
            let total = answer["total"].as_u64().unwrap_or_default();
            if is_last || streams.len() as u64 >= total {
                break;
            }
        }
        Ok(Waited::Done(streams))
    }

    /// Removes a stream, with its messages.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it does not exist.
    pub async fn remove(&self, stream: &str, deadline: Deadline) -> Result<Waited, Error> {
        let answer = self.ask(&format!("STREAM.DELETE.{stream}"), &Value::Null, deadline).await?;
        Ok(answer.map(drop))
    }

    /// The first message with at least this sequence and such a subject: its sequence, subject and bytes;
    /// `None` if there is none.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the stream does not exist.
    pub async fn next_stored(
        &self,
        stream: &str,
        sequence: u64,
        subject: &str,
        deadline: Deadline,
    ) -> Result<Waited<Option<Stored>>, Error> {
        const NO_MESSAGE: &str = "no message found";
        let body = json!({ "seq": sequence, "next_by_subj": subject });
        match self.ask(&format!("STREAM.MSG.GET.{stream}"), &body, deadline).await {
            Ok(answer) => Ok(answer.map(|answer| Stored::read(&answer["message"]))),
            Err(Error::Refused(words)) if words == NO_MESSAGE => Ok(Waited::Done(None)),
            // The stream has no such message, or does not exist; opening it has told that.
            Err(Error::NotFound) => Ok(Waited::Done(None)),
            Err(error) => Err(error),
        }
    }
}

impl Api {
    /// Removes a message.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the stream does not exist.
    pub async fn erase(
        &self,
        stream: &str,
        sequence: u64,
        deadline: Deadline,
    ) -> Result<Waited, Error> {
        const NO_MESSAGE: &str = "no message found";
        let body = json!({ "seq": sequence, "no_erase": true });
        match self.ask(&format!("STREAM.MSG.DELETE.{stream}"), &body, deadline).await {
            Ok(answer) => Ok(answer.map(drop)),
            // An earlier attempt has removed it.
            Err(Error::Refused(words)) if words == NO_MESSAGE => Ok(Waited::Done(())),
            Err(error) => Err(error),
        }
    }
}

/// A message that stays in its stream.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its sequence.
    pub sequence: u64,
    /// Its subject.
    pub subject: String,
    /// The message.
    pub bytes: Vec<u8>,
    /// When it was sent, in nanoseconds since 1970.
    pub sent: u64,
    /// Its headers, as they are on the wire.
    headers: String,
}

impl Stored {
    fn read(message: &Value) -> Option<Self> {
        let text = |key: &str| message[key].as_str().unwrap_or_default();
        Some(Self {
            sequence: message["seq"].as_u64()?,
            subject: text("subject").to_owned(),
            bytes: base64(text("data"))?,
            sent: nanoseconds(text("time")),
            headers: String::from_utf8_lossy(&base64(text("hdrs"))?).into_owned(),
        })
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.headers.split("\r\n").filter_map(|line| line.split_once(':'));
        let mut values = lines.filter(|(key, _)| *key == name).map(|(_, value)| value.trim());
        values.next()
    }
}

/// A time of RFC 3339 in nanoseconds since 1970; 0 if it is none.
fn nanoseconds(text: &str) -> u64 {
    let time = humantime::parse_rfc3339(text).ok();
    let since = time.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    since.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or(0)
}

/// The bytes of a text in base64.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes().filter(|&byte| byte != b'=') {
        bits = bits << 6 | u32::from(digit(byte)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read() {
        assert_eq!(base64(""), Some(Vec::new()));
        assert_eq!(base64("Zg=="), Some(b"f".to_vec()));
        assert_eq!(base64("Zm9vYmE="), Some(b"fooba".to_vec()));
        assert_eq!(base64("//79"), Some(vec![0xff, 0xfe, 0xfd]));
        assert_eq!(base64("Z*=="), None);
    }
}
