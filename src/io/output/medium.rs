//! The type of file that receives text.

use std::borrow::Cow;

use crate::base::text::escape;

/// The type of file that receives text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Medium {
    /// A terminal with this number of columns, on which control characters have effects.
    Terminal(usize),
    /// A file or a pipe, which receives text unchanged.
    Elsewhere,
}

impl Medium {
    /// The maximum length of lines, if there is one.
    pub fn width(self) -> Option<usize> {
        match self {
            Self::Terminal(width) => Some(width),
            Self::Elsewhere => None,
        }
    }

    /// The text, which is escaped for a terminal.
    pub fn shown(self, text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
        match self {
            Self::Terminal(_) => escape(&text).into_owned().into_bytes().into(),
            Self::Elsewhere => text,
        }
    }
}
