//! Values of properties, as text and as JSON, and their order.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::{Number, Value as Json, json};

use crate::base::text::{escape, json_bytes, rfc3339};

/// The value of a property.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The object has no such property.
    Inapplicable,
    /// The value is unknown or missing: null in JSON, and this text.
    Missing(Cow<'static, str>),
    /// A text of any bytes.
    Text(Vec<u8>),
    /// One of a few words.
    Word(&'static str),
    /// A number.
    Number(Number),
    /// A number of bytes, in a column whose numbers count different things.
    Size(u64),
    /// A number with a fraction, and the number of decimals that its text has.
    Decimal(f64, usize),
    /// Yes or no.
    Flag(bool),
    /// Permissions.
    Mode(u32),
    /// A time of day, in seconds since 1970; zero or less is never.
    Time(i64),
    /// Several values, in JSON and as text.
    Several(Vec<Json>, Vec<u8>),
    /// Processes, and the text. A listing of a machine has thousands of them, of which JSON would take most
    /// of the time.
    Processes(Vec<Process>, Vec<u8>),
}

/// A process, as a value shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Process {
    /// Its process ID.
    pub pid: i32,
    /// The name of its program.
    pub command: Arc<[u8]>,
}

impl Process {
    fn json(&self) -> Json {
        json!({ "pid": self.pid, "command": json_bytes(&self.command) })
    }

    /// The process as people read it.
    pub fn text(&self) -> String {
        format!("{} ({})", self.pid, escape(&self.command))
    }
}

impl Value {
    /// A value that is missing.
    pub const MISSING: Self = Self::Missing(Cow::Borrowed("-"));

    /// A text of any bytes.
    pub fn text(text: impl AsRef<[u8]>) -> Self {
        Self::Text(text.as_ref().to_vec())
    }

    /// A number with a fraction.
    pub fn fraction(number: f64) -> Self {
        Number::from_f64(number).map_or(Self::MISSING, Self::Number)
    }

    /// Several numbers or words.
    pub fn several<T: Into<Json> + ToString>(
        values: impl IntoIterator<Item = T>,
        separator: &str,
        none: &str,
    ) -> Self {
        let (texts, values): (Vec<String>, Vec<Json>) =
            values.into_iter().map(|value| (value.to_string(), value.into())).unzip();
        let text = if texts.is_empty() { none.to_owned() } else { texts.join(separator) };
        Self::Several(values, text.into_bytes())
    }

    /// The value as people read it.
    pub fn as_text(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Inapplicable => b"-".into(),
            Self::Missing(text) => text.as_bytes().into(),
            Self::Text(text) | Self::Several(_, text) | Self::Processes(_, text) => text.into(),
            Self::Word(word) => word.as_bytes().into(),
            Self::Number(number) => number.to_string().into_bytes().into(),
            Self::Size(bytes) => bytes.to_string().into_bytes().into(),
            Self::Decimal(number, decimals) => format!("{number:.decimals$}").into_bytes().into(),
            Self::Flag(flag) => if *flag { b"yes".as_slice() } else { b"no" }.into(),
            Self::Mode(mode) => octal(*mode).into_bytes().into(),
            Self::Time(seconds) => {
                rfc3339(*seconds).map_or(b"-".into(), |text| text.into_bytes().into())
            }
        }
    }

    /// The number, if it is one.
    pub fn number(&self) -> Option<Number> {
        match self {
            Self::Number(number) => Some(number.clone()),
            Self::Size(bytes) => Some((*bytes).into()),
            Self::Decimal(number, _) => Number::from_f64(*number),
            _ => None,
        }
    }

    /// The number of its values, if it has several or none.
    pub fn count(&self) -> Option<usize> {
        match self {
            Self::Several(values, _) => Some(values.len()),
            Self::Processes(processes, _) => Some(processes.len()),
            _ => None,
        }
    }

    /// The values in JSON, if it has several or none.
    pub fn elements(&self) -> Option<Cow<'_, [Json]>> {
        match self {
            Self::Several(values, _) => Some(values.into()),
            Self::Processes(processes, _) => Some(processes.iter().map(Process::json).collect()),
            _ => None,
        }
    }

    /// Whether it is null in JSON.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Inapplicable | Self::Missing(_) => true,
            Self::Time(seconds) => rfc3339(*seconds).is_none(),
            _ => false,
        }
    }

    /// The order of two values of one key. A missing value precedes all others; several values are
    /// ordered by their number first.
    pub fn order(&self, other: &Self) -> Ordering {
        if self.is_missing() || other.is_missing() {
            return other.is_missing().cmp(&self.is_missing());
        }
        if let (Some(one), Some(other)) = (self.number(), other.number()) {
            return order_of_numbers(&one, &other);
        }
        if let (Self::Time(one), Self::Time(other)) = (self, other) {
            return one.cmp(other);
        }
        self.count().cmp(&other.count()).then_with(|| self.as_text().cmp(&other.as_text()))
    }
}

/// The order of two numbers: exact for integers.
pub fn order_of_numbers(one: &Number, other: &Number) -> Ordering {
    match (one.as_i128(), other.as_i128()) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => {
            let float = |number: &Number| number.as_f64().unwrap_or_default();
            float(one).total_cmp(&float(other))
        }
    }
}

fn octal(mode: u32) -> String {
    format!("{:04o}", mode & 0o7777)
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Inapplicable | Self::Missing(_) => serializer.serialize_unit(),
            Self::Text(text) => json_bytes(text).serialize(serializer),
            Self::Word(word) => serializer.serialize_str(word),
            Self::Number(number) => number.serialize(serializer),
            Self::Size(bytes) => serializer.serialize_u64(*bytes),
            Self::Decimal(number, _) => number.serialize(serializer),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Mode(mode) => serializer.serialize_str(&octal(*mode)),
            Self::Time(seconds) => rfc3339(*seconds).serialize(serializer),
            Self::Several(values, _) => values.serialize(serializer),
            Self::Processes(processes, _) => {
                serializer.collect_seq(processes.iter().map(Process::json))
            }
        }
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::MISSING, Into::into)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<&'static str> for Value {
    fn from(word: &'static str) -> Self {
        Self::Word(word)
    }
}

/// Numbers of these types.
macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl From<$number> for Value {
            fn from(number: $number) -> Self {
                Self::Number(number.into())
            }
        })*
    };
}

numbers!(i32, i64, u16, u32, u64, usize);
