//! When a connection expires: at a moment, or after a time in which no byte moves.

use std::time::Duration;

use crate::base::deadline::{Deadline, IdleLimit, Waited};

/// The limits of a connection. Both of its directions share them.
#[derive(Debug)]
pub struct Expiry {
    /// The moment by which it has to end.
    end: Deadline,
    idle: IdleLimit,
}

/// The limit that a connection has reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expired {
    /// Its end.
    AtEnd,
    /// The time without a byte in either direction.
    Idle,
}

impl Expiry {
    /// The end of a connection, and the time that it may be idle, which begins now.
    pub fn new(end: Deadline, idle: Option<Duration>) -> Self {
        Self { end, idle: IdleLimit::new(idle) }
    }

    /// Whether a wait has to be limited.
    pub fn is_limited(&self) -> bool {
        self.deadline() != Deadline::NEVER
    }

    /// Records that bytes have moved, in either direction.
    pub fn postpone(&self) {
        self.idle.postpone();
    }

    /// The moment until which to wait. After that, bytes may have moved in the other direction.
    pub fn deadline(&self) -> Deadline {
        self.end.min(self.idle.deadline())
    }

    /// The limit that is reached by now.
    pub fn expired(&self) -> Option<Expired> {
        match self.idle.deadline().has_passed() {
            _ if self.end.has_passed() => Some(Expired::AtEnd),
            true => Some(Expired::Idle),
            false => None,
        }
    }

    /// Repeats a wait until it is done, or a limit is reached.
    ///
    /// # Errors
    /// Those of `wait`, and the limit.
    pub fn wait<E: From<Expired>>(
        &self,
        mut wait: impl FnMut(Deadline) -> Result<Waited, E>,
    ) -> Result<(), E> {
        loop {
            match wait(self.deadline())? {
                Waited::Done(()) => return Ok(()),
                Waited::TimedOut => self.expired().map_or(Ok(()), Err)?,
            }
        }
    }
}

impl Default for Expiry {
    /// No limits.
    fn default() -> Self {
        Self::new(Deadline::NEVER, None)
    }
}
