//! What is measured, and the result.

use std::time::Duration;

use crate::base::errno::Errno;

/// What is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Question {
    /// The time of one message: half of the time until the answer of the same size is there.
    Latency,
    /// The time of one message, which is sent at a fixed rate, from the time at which it was due.
    Paced {
        /// Messages a second.
        rate: u64,
    },
    /// The number of messages in a time, in one direction.
    Throughput,
}

/// What a process does while it has to wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pace {
    /// It sleeps in the kernel.
    Blocking,
    /// It tries again at once.
    Spinning,
}

impl Pace {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Blocking => "blocking",
            Self::Spinning => "spinning",
        }
    }
}

/// A measurement.
#[derive(Clone, Debug)]
pub struct Trial {
    pub question: Question,
    pub pace: Pace,
    /// The length of each message.
    pub size: usize,
    pub senders: usize,
    pub duration: Duration,
    /// The CPUs: the first for the receiver, the others in turn for the senders. None is the choice
    /// of the kernel.
    pub cpus: Vec<usize>,
}

/// The result of a measurement.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The time of each message, in nanoseconds; none for a throughput.
    pub samples: Vec<u64>,
    /// The number of messages that were sent, the warm-up included.
    pub sent: u64,
    /// The number of these that were received.
    pub received: u64,
    /// The number of messages that were received in the time `elapsed`.
    pub timed: u64,
    /// The nanoseconds from the first message until the receiver had the last.
    pub elapsed: u64,
}

/// Why there is no result.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// A system call failed.
    #[error("{0}: {1}")]
    Kernel(&'static str, Errno),
    /// A message is lost or damaged, which must not happen.
    #[error("{0}")]
    Wrong(&'static str),
    /// A process of the measurement reported this.
    #[error("{0}")]
    Reported(String),
    /// The mechanism has no messages of this length.
    #[error("no messages of this length")]
    Unsuitable,
}

impl Error {
    /// Converts an error of a system call on a thing.
    pub fn of(what: &'static str) -> impl Fn(Errno) -> Self + Copy {
        move |errno| Self::Kernel(what, errno)
    }
}
