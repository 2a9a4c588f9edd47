//! The option that cuts long messages of System V queues.

use std::str::FromStr;

use crate::base::units::Size;
use crate::mechanism::queue::{Error, MessageQueue};

/// The length that a message is cut to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Truncation {
    /// That of the longest message that can be sent.
    Longest,
    /// This.
    To(usize),
}

impl FromStr for Truncation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "max" {
            return Ok(Self::Longest);
        }
        let Size(bytes) = text.parse::<Size>().map_err(|error| error.to_string())?;
        Ok(Self::To(usize::try_from(bytes).unwrap_or(usize::MAX)))
    }
}

impl Truncation {
    /// Cuts the messages of a queue.
    ///
    /// # Errors
    /// [`Error::Whole`] for a queue whose messages are received whole.
    pub fn apply(self, queue: &mut MessageQueue) -> Result<usize, Error> {
        queue.cut_at(match self {
            Self::Longest => None,
            Self::To(length) => Some(length),
        })
    }
}
