//! Signals by name: published to all processes that listen at that moment, at most once.

use super::Error;
use crate::base::deadline::{Deadline, Waited};

/// A signal that was published.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Notice {
    /// The name of the signal, without SIG.
    pub signal: String,
    /// The machine of the sender.
    pub host: String,
    /// The process of the sender there.
    pub pid: i64,
}

/// The signals of a server.
pub trait Signals: Send {
    /// Publishes a signal; returns whether any process listens.
    ///
    /// # Errors
    /// [`Error::Denied`].
    fn send(
        &mut self,
        key: &str,
        notice: &Notice,
        deadline: Deadline,
    ) -> Result<Waited<bool>, Error>;

    /// Listens from now on.
    ///
    /// # Errors
    /// [`Error::Denied`].
    fn listen(
        self: Box<Self>,
        key: &str,
        deadline: Deadline,
    ) -> Result<Waited<Box<dyn Listener>>, Error>;
}

/// A listener to a name.
pub trait Listener: Send {
    /// Waits for the next signal.
    ///
    /// # Errors
    /// [`Error::Server`] if the connection has ended.
    fn next(&mut self, deadline: Deadline) -> Result<Waited<Notice>, Error>;
}
