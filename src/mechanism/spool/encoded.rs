//! A name in the form that it has in the names of files.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;

/// A name in the form that it has in the names of files. One of the length that a put makes is kept in
/// place: a scan reads very many of them, and an allocation for each would be the larger part of its own
/// work.
#[derive(Clone)]
pub struct Encoded(Text);

#[derive(Clone)]
enum Text {
    Made([u8; MADE]),
    Other(Box<str>),
}

/// The length of the names that a put makes.
pub const MADE: usize = 24;

impl From<&str> for Encoded {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().try_into().map_or_else(|_| Text::Other(text.into()), Text::Made))
    }
}

impl Deref for Encoded {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Text::Made(bytes) => std::str::from_utf8(bytes).expect("it was made of a str"),
            Text::Other(text) => text,
        }
    }
}

impl Encoded {
    fn bytes(&self) -> &[u8] {
        match &self.0 {
            Text::Made(bytes) => bytes,
            Text::Other(text) => text.as_bytes(),
        }
    }
}

/// Collections find a name by a `str`, so that it has the order of one.
impl Borrow<str> for Encoded {
    fn borrow(&self) -> &str {
        self
    }
}

impl Ord for Encoded {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes().cmp(other.bytes())
    }
}

impl PartialOrd for Encoded {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Encoded {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Encoded {}

impl fmt::Debug for Encoded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_text_and_has_its_order(texts in prop::collection::vec("[ab]{22,26}", 0..20)) {
            let names: BTreeSet<Encoded> = texts.iter().map(|text| text.as_str().into()).collect();
            let sorted: BTreeSet<&str> = texts.iter().map(String::as_str).collect();
            prop_assert!(names.iter().map(|name| &**name).eq(sorted.iter().copied()));
            prop_assert!(texts.iter().all(|text| names.contains(text.as_str())));
        }
    }
}
