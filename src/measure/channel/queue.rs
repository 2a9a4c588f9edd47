//! Channels of the message queue in shared memory.

use std::path::{Path, PathBuf};

use super::{Ends, Input, Meeting, Output, Side};
use crate::base::deadline::Deadline;
use crate::measure::control::Control;
use crate::measure::names::Names;
use crate::measure::trial::{Error, Pace, Trial};
use crate::mechanism::queue::ring::{self, Outcome, Ring};
use crate::sys::regular_file;

/// The least number of messages that a queue holds.
const DEPTH: usize = 16;

/// The bytes that a queue adds to a message, rounded up.
const RECORD: usize = 32;

/// The least capacity.
const LEAST: usize = 1 << 20;

/// A queue, and the deadline of each operation.
pub struct End {
    ring: Ring,
    deadline: Deadline,
    buffer: Vec<u8>,
}

impl End {
    fn open(path: &Path, pace: Pace) -> Result<Self, Error> {
        let access = nix::fcntl::OFlag::O_RDWR;
        let opened = regular_file::open(path, access, regular_file::Links::Refused);
        let (file, _) = opened.map_err(|_| Error::Wrong("the file of a queue cannot be opened"))?;
        let deadline = match pace {
            Pace::Blocking => Deadline::NEVER,
            Pace::Spinning => Deadline::PASSED,
        };
        Ok(Self { ring: Ring::attach(file).map_err(error)?, deadline, buffer: Vec::new() })
    }
}

fn error(error: ring::Error) -> Error {
    Error::Reported(format!("queue: {error}"))
}

impl Input for End {
    #[inline]
    fn receive(&mut self) -> Result<&[u8], Error> {
        self.buffer.clear();
        loop {
            match self.ring.pop(&mut self.buffer, self.deadline).map_err(error)? {
                Outcome::Done(()) => return Ok(&self.buffer),
                Outcome::TimedOut => std::hint::spin_loop(),
                Outcome::Closed => return Err(Error::Wrong("the queue is closed")),
            }
        }
    }
}

impl Output for End {
    #[inline]
    fn send(&mut self, message: &[u8]) -> Result<(), Error> {
        loop {
            match self.ring.push(message, self.deadline).map_err(error)? {
                Outcome::Done(()) => return Ok(()),
                Outcome::TimedOut => std::hint::spin_loop(),
                Outcome::Closed => return Err(Error::Wrong("the queue is closed")),
            }
        }
    }
}

/// Two queues, by their paths: each process opens them, as their locks belong to a process.
pub struct Rings {
    forth: PathBuf,
    back: PathBuf,
    pace: Pace,
}

impl Rings {
    /// Creates the channels.
    pub fn meet(trial: &Trial, names: &mut Names) -> Result<Box<dyn Meeting>, Error> {
        let capacity = LEAST.max(DEPTH * (trial.size + RECORD)) as u64;
        let mut queue = || {
            let path = names.in_memory();
            Ring::create(&path, 0o600, capacity).map(drop).map_err(error)?;
            Ok::<_, Error>(path)
        };
        Ok(Box::new(Self { forth: queue()?, back: queue()?, pace: trial.pace }))
    }
}

impl Meeting for Rings {
    fn join(self: Box<Self>, side: Side, _: &Control) -> Result<Ends, Error> {
        let (input, output) = match side {
            Side::Receiver => (self.forth, self.back),
            Side::Sender(_) => (self.back, self.forth),
        };
        let open = |path: &Path| Ok(Box::new(End::open(path, self.pace)?));
        Ok((open(&input)?, open(&output)?))
    }
}
