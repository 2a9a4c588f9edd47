//! What is known of a segment, whatever its kind.

use std::ffi::OsString;

use crate::sys::process::Object;

/// All that is known of a segment.
#[derive(Clone, Debug)]
pub struct Description {
    /// What is known, its name and its size first.
    pub facts: Vec<Fact>,
    /// What its holders are found by.
    pub object: Object,
}

impl Description {
    /// What is known by this key.
    pub fn fact(&self, key: &str) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.key == key)
    }
}

/// Something that is known of a segment.
#[derive(Clone, Debug)]
pub struct Fact {
    /// What it is.
    pub key: &'static str,
    /// What is known.
    pub value: Value,
}

/// What is known.
#[derive(Clone, Debug)]
pub enum Value {
    /// A name, in any bytes, or a key.
    Name(OsString),
    /// A number of bytes or of anything else.
    Number(u64),
    /// Permissions.
    Mode(u32),
    /// A time of day, in seconds since 1970; 0 is never.
    Time(i64),
    /// Yes or no.
    Flag(bool),
}
