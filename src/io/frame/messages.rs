//! The messages that a verb sends: operands, or records of stdin.

use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStringExt;

use crate::io::frame::{Form, Length, ReadError, Reader};

/// The messages that a verb sends: its operands or, without any, the records of stdin.
#[derive(Debug)]
pub enum Messages {
    /// The operands.
    Operands {
        /// The messages.
        messages: Vec<Vec<u8>>,
        /// The number of messages that were yielded.
        yielded: usize,
    },
    /// The records of stdin.
    Records(Reader<BorrowedFd<'static>>),
}

/// Checks the length of all operands, before the verb sends the first.
///
/// # Errors
/// An error if one of them is longer than `limit`.
pub fn refuse_longer(operands: &[OsString], limit: usize) -> Result<(), ReadError> {
    match first_longer(operands, limit) {
        Some(index) => {
            let length = Length::Exactly(operands[index].len() as u64);
            Err(ReadError::TooLong { length, limit })
        }
        None => Ok(()),
    }
}

/// The index of the first operand that is longer than `limit`.
pub fn first_longer(operands: &[OsString], limit: usize) -> Option<usize> {
    operands.iter().position(|operand| operand.len() > limit)
}

impl Messages {
    /// The messages, of at most `limit` bytes each. All operands are checked first, so that nothing
    /// is sent if one of them is too long.
    pub fn new(
        operands: Vec<OsString>,
        stdin: BorrowedFd<'static>,
        form: Form,
        limit: usize,
    ) -> Result<Self, ReadError> {
        if operands.is_empty() {
            return Ok(Self::Records(Reader::new(stdin, form, limit)));
        }
        refuse_longer(&operands, limit)?;
        let messages = operands.into_iter().map(OsString::into_vec).collect();
        Ok(Self::Operands { messages, yielded: 0 })
    }

    /// The next message, waiting for it; `None` at the end.
    pub fn next(&mut self) -> Result<Option<&[u8]>, ReadError> {
        match self {
            Self::Records(reader) => reader.next(),
            Self::Operands { messages, yielded } => {
                *yielded += 1;
                Ok(messages.get(*yielded - 1).map(Vec::as_slice))
            }
        }
    }

    /// The next message, waiting for it, and those after it that are available already; `None` at the end.
    pub fn next_batch(&mut self) -> Result<Option<Vec<&[u8]>>, ReadError> {
        match self {
            Self::Records(reader) => Ok(reader.next_block()?.map(|block| block.after(0).collect())),
            Self::Operands { messages, yielded } => {
                let rest = &messages[*yielded..];
                *yielded = messages.len();
                Ok((!rest.is_empty()).then(|| rest.iter().map(Vec::as_slice).collect()))
            }
        }
    }
}
