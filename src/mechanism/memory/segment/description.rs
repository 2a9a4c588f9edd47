//! The description of a segment, whatever its kind.

use std::ffi::OsString;

use crate::sys::process::Object;

/// The description of a segment.
#[derive(Clone, Debug)]
pub struct Description {
    /// The facts, the name and the size first.
    pub facts: Vec<Fact>,
    /// The object by which its holders are found.
    pub object: Object,
}

impl Description {
    /// The fact with this key.
    pub fn fact(&self, key: &str) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.key == key)
    }
}

/// A fact about a segment.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Its key, as `stat` prints it.
    pub key: &'static str,
    /// Its value.
    pub value: Value,
}

/// The value of a fact.
#[derive(Clone, Debug)]
pub enum Value {
    /// A name, in any bytes, or a key.
    Name(OsString),
    /// A number, of bytes or of anything else.
    Number(u64),
    /// Permissions.
    Mode(u32),
    /// A time of day, in seconds since 1970; 0 is never.
    Time(i64),
    /// Yes or no.
    Flag(bool),
}
