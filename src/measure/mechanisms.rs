//! The mechanisms that are measured.

use super::channel::{Meet, bytes, door, eventfd, mq, queue, shared, signal, socket, spool};
use super::run;
use super::trial::{Error, Outcome, Question, Trial};

/// The lengths of messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sizes {
    Any,
    /// One length only.
    Only(usize),
}

/// A mechanism that can be measured.
#[derive(Debug)]
pub struct Mechanism {
    /// Its name in `ipc guide`, or a part of the name.
    pub name: &'static str,
    pub sizes: Sizes,
    /// Whether it has a throughput: a counter adds up what is not received yet.
    pub streams: bool,
    /// The longest message that several senders can send; 0 if there can be one sender only.
    pub shared_limit: usize,
    meet: Meet,
}

impl Mechanism {
    const fn new(name: &'static str, meet: Meet) -> Self {
        Self { name, sizes: Sizes::Any, streams: true, shared_limit: usize::MAX, meet }
    }

    const fn of_size(self, size: usize) -> Self {
        Self { sizes: Sizes::Only(size), ..self }
    }

    const fn shared_up_to(self, limit: usize) -> Self {
        Self { shared_limit: limit, ..self }
    }

    const fn without_stream(self) -> Self {
        Self { streams: false, ..self }
    }

    /// The mechanisms that a word means: the one of this name, or those whose names it begins, as
    /// `unix` begins three.
    pub fn meant_by(word: &str) -> Vec<&'static Self> {
        if let Some(exact) = MECHANISMS.iter().find(|mechanism| mechanism.name == word) {
            return vec![exact];
        }
        let begins = |name: &str| name.strip_prefix(word).is_some_and(|rest| rest.starts_with('-'));
        MECHANISMS.iter().filter(|mechanism| begins(mechanism.name)).collect()
    }

    /// The size that it is measured with, if this one is asked for.
    pub fn size_for(&self, size: usize) -> usize {
        match self.sizes {
            Sizes::Any => size,
            Sizes::Only(only) => only,
        }
    }

    /// Whether its messages may have any size.
    pub fn has_any_size(&self) -> bool {
        self.sizes == Sizes::Any
    }

    /// Whether it has an answer to a question.
    pub fn suits(&self, trial: &Trial) -> bool {
        let is_short = trial.senders == 1 || trial.size <= self.shared_limit;
        let has_stream = self.streams || trial.question == Question::Latency;
        let has_size = self.sizes == Sizes::Any || self.sizes == Sizes::Only(trial.size);
        is_short && has_stream && has_size
    }

    /// Measures it.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] if it has no messages of this length.
    pub fn measure(&self, trial: &Trial) -> Result<Outcome, Error> {
        if !self.suits(trial) {
            return Err(Error::Unsuitable);
        }
        run::run(trial, self.meet)
    }
}

/// The bytes of a write to a pipe that do not mix with those of other writers.
const PIPE_BUF: usize = 4096;

/// All mechanisms, in the order of the table.
pub const MECHANISMS: &[Mechanism] = &[
    Mechanism::new("queue", queue::Rings::meet),
    Mechanism::new("shm-futex", shared::with_futexes).shared_up_to(0),
    Mechanism::new("shm-sem", shared::with_semaphores).shared_up_to(0),
    Mechanism::new("map", shared::in_files).shared_up_to(0),
    Mechanism::new("pipe", bytes::pipes).shared_up_to(PIPE_BUF),
    Mechanism::new("fifo", bytes::fifos).shared_up_to(PIPE_BUF),
    Mechanism::new("mq", mq::Posix::meet),
    Mechanism::new("mq-sysv", mq::SystemV::meet),
    Mechanism::new("unix-stream", bytes::unix_streams).shared_up_to(0),
    Mechanism::new("unix-seqpacket", socket::seqpackets),
    Mechanism::new("unix-datagram", socket::datagrams),
    Mechanism::new("tcp", bytes::tcp).shared_up_to(0),
    Mechanism::new("udp", socket::udp),
    Mechanism::new("door", door::Calls::meet).shared_up_to(0).without_stream(),
    Mechanism::new("spool", spool::spools).shared_up_to(0),
    Mechanism::new("signal", signal::Signals::meet).of_size(signal::SIZE).shared_up_to(0),
    Mechanism::new("eventfd", eventfd::Counters::meet)
        .of_size(eventfd::SIZE)
        .shared_up_to(0)
        .without_stream(),
];
