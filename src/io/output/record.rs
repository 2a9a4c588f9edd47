//! The properties of an object, as text and as JSON.

use std::borrow::Cow;
use std::fmt::Display;

use serde::Serialize;
use serde::ser::SerializeMap;
use serde_json::Value;

use super::medium::Medium;
use crate::base::text::{json_bytes, rfc3339};

/// The properties of one object, as text and as JSON.
#[derive(Clone, Debug, Default)]
pub struct Record(Vec<Field>);

/// One property.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) key: &'static str,
    pub(super) value: Value,
    /// `None` for a property that only JSON has.
    text: Option<Cow<'static, [u8]>>,
}

impl Field {
    /// The text, which is escaped for a terminal.
    pub(super) fn shown_on(&self, medium: Medium) -> Cow<'_, [u8]> {
        medium.shown(self.text.as_deref().unwrap_or_default().into())
    }
}

impl Record {
    /// A record without properties.
    pub fn new() -> Self {
        Self::default()
    }

    /// A name or another text of any bytes.
    pub fn bytes(self, key: &'static str, bytes: &[u8]) -> Self {
        self.field(key, json_bytes(bytes), bytes.to_vec())
    }

    /// The same; empty bytes are no value.
    pub fn optional_bytes(self, key: &'static str, bytes: &[u8]) -> Self {
        match bytes {
            b"" => self.field(key, Value::Null, b"-".as_slice()),
            bytes => self.bytes(key, bytes),
        }
    }

    /// A number, which is a number in JSON too.
    pub fn number(
        self,
        key: &'static str,
        number: impl Into<serde_json::Number> + Display,
    ) -> Self {
        let text = number.to_string();
        self.field(key, Value::Number(number.into()), text.into_bytes())
    }

    /// A number, or no value.
    pub fn optional_number(
        self,
        key: &'static str,
        number: Option<impl Into<serde_json::Number> + Display>,
    ) -> Self {
        match number {
            Some(number) => self.number(key, number),
            None => self.field(key, Value::Null, b"-".as_slice()),
        }
    }

    /// A property that only JSON has.
    pub fn json_only(mut self, key: &'static str, value: Value) -> Self {
        self.0.push(Field { key, value, text: None });
        self
    }

    /// The properties of another record, in JSON only.
    pub fn with_json_of(mut self, other: Self) -> Self {
        self.0.extend(other.0.into_iter().map(|field| Field { text: None, ..field }));
        self
    }

    /// A constant word.
    pub fn word(self, key: &'static str, word: &'static str) -> Self {
        self.field(key, Value::from(word), word.as_bytes())
    }

    /// Yes or no.
    pub fn flag(self, key: &'static str, flag: bool) -> Self {
        self.field(key, Value::from(flag), if flag { "yes" } else { "no" }.as_bytes())
    }

    /// Permissions, in octal.
    pub fn mode(self, key: &'static str, mode: u32) -> Self {
        let text = format!("{:04o}", mode & 0o7777);
        self.field(key, Value::from(text.as_str()), text.into_bytes())
    }

    /// A time of day, in seconds since 1970; zero or less is never.
    pub fn time(self, key: &'static str, seconds: i64) -> Self {
        match rfc3339(seconds) {
            Some(text) => self.field(key, Value::from(text.as_str()), text.into_bytes()),
            None => self.field(key, Value::Null, b"-".as_slice()),
        }
    }

    /// Any property, as JSON and as text.
    pub fn field(
        mut self,
        key: &'static str,
        value: Value,
        text: impl Into<Cow<'static, [u8]>>,
    ) -> Self {
        self.0.push(Field { key, value, text: Some(text.into()) });
        self
    }

    /// The fields that have a text.
    pub(super) fn readable(&self) -> impl Iterator<Item = &Field> {
        self.0.iter().filter(|field| field.text.is_some())
    }
}

impl Serialize for Record {
    /// The fields in the order of the text, not of the keys.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for field in &self.0 {
            map.serialize_entry(field.key, &field.value)?;
        }
        map.end()
    }
}
