//! What a user may need of a mechanism: the words of `ipc guide NEED...`.

/// A property that a user asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Need {
    Bytes,
    Messages,
    LargeMessages,
    ManyWriters,
    ManyReaders,
    Broadcast,
    BothDirections,
    Reply,
    SharedState,
    Order,
    Priority,
    Backpressure,
    ReaderLater,
    SurviveCrash,
    SurviveReboot,
    AtLeastOnce,
    Unrelated,
    Network,
    Exclusion,
    Limit,
    Wakeup,
    Descriptors,
    Credentials,
    NoLeftovers,
    Fast,
}

impl Need {
    /// All of them, in the order of listings.
    pub const ALL: [Self; 25] = [
        Self::Bytes,
        Self::Messages,
        Self::LargeMessages,
        Self::ManyWriters,
        Self::ManyReaders,
        Self::Broadcast,
        Self::BothDirections,
        Self::Reply,
        Self::SharedState,
        Self::Order,
        Self::Priority,
        Self::Backpressure,
        Self::ReaderLater,
        Self::SurviveCrash,
        Self::SurviveReboot,
        Self::AtLeastOnce,
        Self::Unrelated,
        Self::Network,
        Self::Exclusion,
        Self::Limit,
        Self::Wakeup,
        Self::Descriptors,
        Self::Credentials,
        Self::NoLeftovers,
        Self::Fast,
    ];

    /// The word of the command line, and its meaning.
    const fn entry(self) -> (&'static str, &'static str) {
        match self {
            Self::Bytes => ("bytes", "a stream of bytes without boundaries"),
            Self::Messages => ("messages", "each message arrives whole, with its boundary"),
            Self::LargeMessages => ("large-messages", "messages of more than 64 KiB"),
            Self::ManyWriters => ("many-writers", "several processes write, and nothing mixes"),
            Self::ManyReaders => ("many-readers", "several readers, and each message goes to one"),
            Self::Broadcast => ("broadcast", "each message goes to every reader"),
            Self::BothDirections => ("both-directions", "both sides send"),
            Self::Reply => ("reply", "a request has an answer"),
            Self::SharedState => ("shared-state", "data that all read and change at any place"),
            Self::Order => ("order", "messages arrive in the order in which they were sent"),
            Self::Priority => ("priority", "urgent messages arrive first"),
            Self::Backpressure => ("backpressure", "a fast writer waits for a slow reader"),
            Self::ReaderLater => ("reader-later", "the writer may end before the reader starts"),
            Self::SurviveCrash => {
                ("survive-crash", "SIGKILL of any process loses nothing and blocks no other")
            }
            Self::SurviveReboot => ("survive-reboot", "what was sent is there after a power loss"),
            Self::AtLeastOnce => ("at-least-once", "work of a killed worker is done again"),
            Self::Unrelated => ("unrelated", "processes without a common parent"),
            Self::Network => ("network", "processes on several machines"),
            Self::Exclusion => ("exclusion", "one process at a time"),
            Self::Limit => ("limit", "at most N processes at a time"),
            Self::Wakeup => ("wakeup", "one process wakes another, without data"),
            Self::Descriptors => ("descriptors", "open files are passed"),
            Self::Credentials => ("credentials", "the kernel says which user sent"),
            Self::NoLeftovers => ("no-leftovers", "nothing remains when the processes have ended"),
            Self::Fast => ("fast", "no system call for a message while no process sleeps"),
        }
    }

    /// The word of the command line.
    pub const fn word(self) -> &'static str {
        self.entry().0
    }

    /// Its meaning.
    pub const fn meaning(self) -> &'static str {
        self.entry().1
    }

    /// The need that has this word.
    pub fn called(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|need| need.word() == word)
    }
}

/// How far a mechanism meets a need.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fit {
    Yes,
    /// With a condition, which the reason names.
    Partly,
    No,
}

impl Fit {
    /// The word of the output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Partly => "partly",
            Self::No => "no",
        }
    }

    /// Its part of the order of mechanisms.
    pub const fn points(self) -> usize {
        match self {
            Self::Yes => 2,
            Self::Partly => 1,
            Self::No => 0,
        }
    }
}
