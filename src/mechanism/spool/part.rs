//! The parts of a spool.

/// A part of a spool: a directory in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// Messages that are not complete.
    Temporary,
    /// Messages that wait or are claimed.
    Ready,
    /// Messages whose last attempt failed.
    Failed,
    /// Links of the messages whose names were given.
    Names,
    /// The names and statuses of messages that are done.
    Done,
    /// The statuses and the stderr of failed COMMANDs.
    Reports,
    /// The output of COMMANDs.
    Logs,
    /// Files that cannot be messages, in a directory for each reason.
    Quarantine,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 8] = [
        Self::Temporary,
        Self::Ready,
        Self::Failed,
        Self::Names,
        Self::Done,
        Self::Reports,
        Self::Logs,
        Self::Quarantine,
    ];

    /// The name of the directory.
    pub fn name(self) -> &'static str {
        match self {
            Self::Temporary => "tmp",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Names => "names",
            Self::Done => "done",
            Self::Reports => "reports",
            Self::Logs => "logs",
            Self::Quarantine => "quarantine",
        }
    }
}
