//! Streams of JetStream: requests to the server, messages that are published, consumers.
//!
//! The requests are JSON on subjects, as the reference of the JetStream API describes them. They are sent
//! again while the server has no leader, until the deadline: only the deadline of the caller ends a wait.

mod api;
mod config;
mod consume;
mod patience;
mod publish;

pub use self::api::Api;
pub use self::config::{Info, Shape, Stored};
pub use self::consume::{ACK_WAIT, Consumer, Delivery, Pull, Pulled, Verdict};
use self::patience::Patience;
pub use self::publish::{Draft, Published, WINDOW};

use crate::api::HINT;

/// The bytes that the headers of a message take at most.
pub const HEADERS: usize = 1024;

/// Why a request was not done.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is no such stream, or no such consumer.
    #[error("not found")]
    NotFound,
    /// There is a stream of this name with another configuration.
    #[error("exists")]
    Exists,
    /// The message is longer than the stream or the server allows.
    #[error("too long")]
    TooLong,
    /// The server has no JetStream, or none for this account.
    #[error("the server has no JetStream")]
    NoJetStream,
    /// The server has not answered, and the caller does not wait.
    #[error("the server does not answer")]
    Silent,
    /// The server refuses, in these words.
    #[error("{0}")]
    Refused(String),
    /// The connection is closed for good.
    #[error("the connection is closed")]
    Closed,
}

impl From<Error> for ipc_suite::remote::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::NotFound,
            Error::Exists => Self::Exists,
            Error::NoJetStream => Self::Refused { reason: error.to_string(), hint: HINT },
            Error::Silent => Self::Unanswered,
            Error::TooLong | Error::Refused(_) | Error::Closed => Self::Server(error.to_string()),
        }
    }
}
