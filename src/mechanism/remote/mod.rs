//! Objects on a server that other machines share: what an engine has to do, and what follows from that.
//!
//! An engine connects, and keeps records: keys with values and revisions, which change by
//! compare-and-set and can expire. Locks, permits, barriers and numbers are written over records, once
//! for all engines. The program `ipc-remote` brings an engine; `ipc` has none.

pub mod barrier;
pub mod call;
pub mod cells;
pub mod holder;
pub mod lease;
pub mod lock;
pub mod permits;
pub mod queue;
pub mod signal;

use std::fmt::Debug;
use std::path::PathBuf;
use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Failure};

pub use crate::base::remote_name::RemoteName;

/// A kind of server.
pub trait Engine: Debug + Sync {
    /// Connects to one of the hosts of a name, and checks that the server keeps what the verbs promise.
    ///
    /// # Errors
    /// [`Error::Refused`] if it does not; [`Error::Denied`].
    fn connect(
        &self,
        name: &RemoteName,
        access: &Access,
        deadline: Deadline,
    ) -> Result<Waited<Box<dyn Server>>, Error>;
}

/// A server that this process is connected to.
pub trait Server: Send {
    /// The records of this kind. If the server has none yet, they are created if `creation` says how.
    ///
    /// # Errors
    /// [`Error::NotFound`] without `creation`; [`Error::Refused`] if the server does not expire them.
    fn records(
        self: Box<Self>,
        kind: Kind,
        creation: Option<Creation>,
        deadline: Deadline,
    ) -> Result<Waited<Box<dyn Records>>, Error>;

    /// The queues of this kind.
    fn queues(self: Box<Self>, kind: queue::QueueKind) -> Box<dyn queue::Queues>;

    /// The procedures.
    fn calls(self: Box<Self>) -> Box<dyn call::Calls>;

    /// The signals.
    fn signals(self: Box<Self>) -> Box<dyn signal::Signals>;
}

/// How this process proves to a server who it is, and checks the server.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// A file with credentials.
    pub credentials: Option<PathBuf>,
    /// A token.
    pub token: Option<String>,
    /// The password of the user in the name.
    pub password: Option<String>,
    /// A file with the certificates of authorities that are trusted beside those of the system.
    pub authorities: Option<PathBuf>,
    /// A file with a certificate of this client, and one with its key.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// The variables of the environment that have secrets, which no COMMAND gets.
pub const SECRETS: [&str; 4] = ["NATS_CREDS=", "NATS_TOKEN=", "NATS_PASSWORD=", "NATS_NKEY="];

/// A kind of records.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Locks.
    Lock,
    /// Permits.
    Semaphore,
    /// Parties that wait for each other.
    Barrier,
    /// Segments.
    Memory,
}

impl Kind {
    /// The word for it, which is a part of names on the server.
    pub fn word(self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::Semaphore => "sem",
            Self::Barrier => "barrier",
            Self::Memory => "shm",
        }
    }
}

/// The properties of what a verb creates on a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Creation {
    /// The number of nodes that store it.
    pub replicas: usize,
}

impl Default for Creation {
    fn default() -> Self {
        Self { replicas: 1 }
    }
}

/// A key with its value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// The key, without the kind.
    pub key: String,
    /// Its value.
    pub value: Vec<u8>,
    /// The number of its last change, which is greater than those of all changes before, of any key.
    pub revision: u64,
    /// The greatest fencing token of its changes.
    pub fence: u64,
}

/// A new value of a key.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The key.
    pub key: &'a str,
    /// The value.
    pub value: &'a [u8],
    /// The revision that it must have; `None` if it must not exist.
    pub expected: Option<u64>,
    /// When it expires, if not changed again.
    pub lifetime: Option<Duration>,
    /// The greatest fencing token of its changes.
    pub fence: u64,
}

impl<'a> Change<'a> {
    /// A new record that does not expire.
    pub fn of(key: &'a str, value: &'a [u8]) -> Self {
        Self { key, value, expected: None, lifetime: None, fence: 0 }
    }
}

/// The records of a kind. Each call waits until the deadline for an answer; a call without an answer may
/// have had its effect.
pub trait Records: Send {
    /// The record of a key; `None` if there is none.
    fn read(&mut self, key: &str, deadline: Deadline) -> Result<Waited<Option<Record>>, Error>;

    /// Creates or replaces a record; returns its new revision, or `None` if it has not the expected one.
    fn change(
        &mut self,
        change: Change<'_>,
        deadline: Deadline,
    ) -> Result<Waited<Option<u64>>, Error>;

    /// Removes a record; returns whether it had the expected revision.
    fn remove(
        &mut self,
        key: &str,
        expected: u64,
        deadline: Deadline,
    ) -> Result<Waited<bool>, Error>;

    /// All records whose keys are `prefix`, or begin with it and a dot; with an empty prefix, all.
    fn list(&mut self, prefix: &str, deadline: Deadline) -> Result<Waited<Vec<Record>>, Error>;

    /// Waits until a key that is `prefix`, or begins with it and a dot, has changed or expired after
    /// this revision.
    fn await_change(
        &mut self,
        prefix: &str,
        after: u64,
        deadline: Deadline,
    ) -> Result<Waited, Error>;
}

/// The part of a key that is below `folder`, if it is directly below.
pub fn child<'a>(key: &'a str, folder: &str) -> Option<&'a str> {
    let child = key.strip_prefix(folder)?.strip_prefix('.')?;
    (!child.contains('.')).then_some(child)
}

/// Why an operation on a server failed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// A password in a name would be visible in listings of processes.
    #[error("a password does not belong in a name, where every user of this machine sees it")]
    Password,
    /// No host accepts connections.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// No answer came within the time that a single request may take.
    #[error("the server does not answer")]
    Unanswered,
    /// The server refuses this user.
    #[error("{0}")]
    Denied(String),
    /// The file with credentials, or another one, cannot be used.
    #[error("{0}")]
    Unusable(String),
    /// The identity of the server or of this client cannot be verified.
    #[error("no encrypted connection: {0}")]
    Encryption(String),
    /// The server does not keep what the verbs promise.
    #[error("{reason}")]
    Refused {
        /// Why.
        reason: String,
        /// What is needed.
        hint: &'static str,
    },
    /// There is no such object.
    #[error("no such object on the server")]
    NotFound,
    /// There is one already.
    #[error("exists already")]
    Exists,
    /// It is larger than the server allows.
    #[error("larger than the maximum of the server ({limit} bytes)")]
    TooLarge {
        /// The maximum.
        limit: usize,
    },
    /// More permits are wanted than the semaphore has.
    #[error("the semaphore has {permits} permits")]
    TooFew {
        /// Its permits.
        permits: u32,
    },
    /// Permits of the semaphore are held.
    #[error("commands hold {permits} of its permits")]
    Held {
        /// Their number.
        permits: usize,
    },
    /// Other processes wait for another number of parties.
    #[error("other processes wait for {parties} parties")]
    Parties {
        /// The number.
        parties: u32,
    },
    /// A later holder of the lock has made a change.
    #[error("token {token} is too old: there was a change with token {later}")]
    Fenced {
        /// The token of the change that was refused.
        token: u64,
        /// The later one.
        later: u64,
    },
    /// Any other error that the server reports.
    #[error("{0}")]
    Server(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let reason = error.to_string();
        match error {
            Error::Password => Self::new(Exit::Usage, reason).hint(
                "--creds FILE, NATS_CREDS or NATS_TOKEN; NATS_PASSWORD with nats://USER@HOST/NAME",
            ),
            Error::Unreachable(_) => Self::new(Exit::NotFound, reason)
                .hint("the name is nats://HOST:PORT/NAME; the usual port is 4222"),
            Error::Denied(_) => Self::new(Exit::Denied, reason)
                .hint("--creds FILE, NATS_CREDS or NATS_TOKEN prove who you are"),
            Error::Refused { hint, .. } => Self::failed(reason).hint(hint),
            Error::NotFound => Self::new(Exit::NotFound, reason),
            Error::Exists | Error::Fenced { .. } | Error::Held { .. } => {
                Self::new(Exit::InUse, reason)
            }
            Error::Parties { parties } => Self::new(Exit::InUse, reason)
                .hint(format!("all parties need the same number: --parties {parties}")),
            Error::Unanswered
            | Error::Unusable(_)
            | Error::Encryption(_)
            | Error::TooLarge { .. }
            | Error::TooFew { .. }
            | Error::Server(_) => Self::failed(reason),
        }
    }
}
