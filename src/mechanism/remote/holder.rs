//! Who holds something on a server: the value of the record, which other machines read.

use std::time::Duration;

use serde_json::{Value, json};

use super::Record;
use crate::sys::{process, time};

/// A holder.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Holder {
    /// The name of its machine.
    pub host: String,
    /// Its process ID there.
    pub pid: i64,
    /// The name of its COMMAND.
    pub command: String,
    /// The time of day of the acquisition, in seconds since 1970.
    pub since: i64,
    /// The time for which it is held after a renewal.
    pub lifetime: Duration,
    /// A number of this acquisition that no other one has.
    pub nonce: String,
    /// The fencing token; `None` in the first value, whose revision it is.
    pub token: Option<u64>,
}

impl Holder {
    /// This process, which runs a COMMAND of this name.
    pub fn of_process(command: &str, lifetime: Duration) -> Self {
        let host = process::host_name();
        let pid = std::process::id().into();
        let nonce = format!("{:x}.{pid}.{host}", time::now());
        let command = command.to_owned();
        Self { host, pid, command, since: time::seconds(), lifetime, nonce, token: None }
    }

    /// The value of its record.
    pub fn encode(&self) -> Vec<u8> {
        let mut value = json!({
            "host": self.host,
            "pid": self.pid,
            "command": self.command,
            "since": self.since,
            "ttl": self.lifetime.as_secs_f64(),
            "nonce": self.nonce,
        });
        if let Some(token) = self.token {
            value["token"] = token.into();
        }
        value.to_string().into_bytes()
    }

    /// The holder that a record names. What another program has written leaves parts empty.
    pub fn decode(record: &Record) -> Self {
        let value: Value = serde_json::from_slice(&record.value).unwrap_or_default();
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let lifetime = value["ttl"].as_f64().unwrap_or_default();
        Self {
            host: text("host"),
            pid: value["pid"].as_i64().unwrap_or_default(),
            command: text("command"),
            since: value["since"].as_i64().unwrap_or_default(),
            lifetime: Duration::try_from_secs_f64(lifetime).unwrap_or_default(),
            nonce: text("nonce"),
            token: value["token"].as_u64(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(value: Vec<u8>) -> Record {
        Record { key: "jobs".into(), value, revision: 7, fence: 0 }
    }

    #[test]
    fn a_holder_is_read_as_it_was_written() {
        let mut holder = Holder::of_process("a \"b\"\n", Duration::from_millis(1500));
        assert_eq!(Holder::decode(&record(holder.encode())), holder);
        holder.token = Some(7);
        assert_eq!(Holder::decode(&record(holder.encode())), holder);
    }

    #[test]
    fn a_value_of_another_program_names_nobody() {
        for value in ["", "taken", "[1]", "{\"pid\": \"x\", \"ttl\": -1}"] {
            assert_eq!(Holder::decode(&record(value.into())), Holder::default(), "{value}");
        }
    }
}
