//! Procedures on a server: a caller sends a request, and one of the processes that serve the procedure
//! answers it.

use std::sync::Arc;

use super::Error;
use crate::base::deadline::{Deadline, Waited};
use crate::sys::eventfd::Bell;

/// The answer to a call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// That of the procedure.
    Answer {
        /// The status of the procedure.
        status: u8,
        /// What it has written to stdout and stderr.
        outputs: [Vec<u8>; 2],
    },
    /// The server has refused the call.
    Refusal {
        /// The number of its reason.
        reason: u32,
        /// A sentence for people.
        words: String,
    },
    /// The server has ended, or the network to it.
    Ended,
}

/// The procedures of a server.
pub trait Calls: Send {
    /// The length of the longest argument, and of the longest answer.
    fn limit(&self) -> usize;

    /// Calls a procedure.
    ///
    /// # Errors
    /// [`Error::NotFound`] if no process serves it.
    fn call(
        &mut self,
        key: &str,
        argument: &[u8],
        deadline: Deadline,
    ) -> Result<Waited<Answer>, Error>;

    /// Serves a procedure from now on.
    ///
    /// # Errors
    /// [`Error::Denied`].
    fn serve(self: Box<Self>, key: &str) -> Result<Box<dyn Requests>, Error>;
}

/// The calls of a procedure that this process serves.
pub trait Requests: Send {
    /// Waits for the next call; `None` when the bell rings.
    ///
    /// # Errors
    /// [`Error::Server`] if the connection has ended.
    fn next(&mut self, stop: &Bell) -> Result<Option<Request>, Error>;

    /// Takes no more calls. A call that was taken already can be passed on to another process.
    ///
    /// # Errors
    /// [`Error::Server`] if the connection has ended.
    fn close(&mut self) -> Result<(), Error>;
}

/// A call that this process is to answer.
pub struct Request {
    /// The argument.
    pub argument: Vec<u8>,
    /// It rings when the caller has left.
    pub left: Arc<Bell>,
    /// The way back.
    pub reply: Box<dyn Reply>,
}

/// The way back to a caller.
pub trait Reply: Send {
    /// Answers.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the answer is too long for the server.
    fn answer(&self, answer: &Answer) -> Result<(), Error>;

    /// Passes the call on to another process that serves the procedure.
    ///
    /// # Errors
    /// [`Error::Server`] if the connection has ended.
    fn pass_on(&self) -> Result<(), Error>;
}
