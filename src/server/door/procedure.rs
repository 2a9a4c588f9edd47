//! The interface of what answers the calls of a door.

use std::os::fd::OwnedFd;

use crate::base::deadline::Deadline;
use crate::base::errno::Errno;
use crate::mechanism::door::{Content, Part, Refusal};
use crate::sys::events::Events;
use crate::sys::socket::{Credentials, Socket};

/// The descriptor that an event is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// The connection of a caller.
    Caller = 0,
    /// The stdout of a COMMAND.
    Output = 1,
    /// The stderr of a COMMAND.
    Errors = 2,
    /// A COMMAND, which has ended.
    Process = 3,
    /// The stdin of a worker.
    Input = 4,
}

impl Source {
    const ALL: [Self; 5] = [Self::Caller, Self::Output, Self::Errors, Self::Process, Self::Input];

    /// The number of bits of an event that are its source.
    const BITS: u32 = 3;

    /// The number of an event, of the call or the worker of this number.
    pub fn event(self, number: u64) -> u64 {
        number << Self::BITS | self as u64
    }

    /// The source of an event, and the number of its call or worker; `None` for an event of neither.
    pub fn of(event: u64) -> Option<(Self, u64)> {
        let number = event >> Self::BITS;
        let index = event - (number << Self::BITS);
        Some((*Self::ALL.get(usize::try_from(index).ok()?)?, number))
    }
}

/// A call.
#[derive(Debug)]
pub struct Request<'a> {
    /// The number of the caller's connection.
    pub number: u64,
    /// The argument.
    pub argument: Part<'a>,
    /// The descriptors that the caller lends.
    pub descriptors: Vec<OwnedFd>,
    /// The process that has connected.
    pub caller: Option<Credentials>,
    /// The connection of the caller.
    pub socket: &'a Socket,
}

/// The result of a call.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u8,
    /// Stdout and stderr.
    pub contents: [Content; 2],
}

/// A call that has its reply, and the number of its connection.
pub type Finished = (u64, Result<Reply, Refusal>);

/// What answers the calls.
pub trait Procedure {
    /// Begins to serve, before the first call.
    ///
    /// # Errors
    /// Why it cannot.
    fn start(&mut self, _events: &Events) -> Result<(), Errno> {
        Ok(())
    }

    /// Whether another call can begin.
    fn has_room(&self) -> bool;

    /// Begins a call; returns the reply, if it is there at once.
    ///
    /// # Errors
    /// Why it cannot be answered.
    fn begin(&mut self, request: Request<'_>, events: &Events) -> Result<Option<Reply>, Refusal>;

    /// Ends a call whose caller has left.
    fn abandon(&mut self, number: u64);

    /// Continues with what has an event.
    fn ready(&mut self, source: Source, number: u64, events: &Events) -> Option<Finished>;

    /// Looks for processes that have ended.
    fn children_changed(&mut self, events: &Events) -> Vec<Finished>;

    /// The time of the next [`Procedure::tick`].
    fn deadline(&self) -> Deadline;

    /// Does what is due.
    fn tick(&mut self, events: &Events) -> Vec<Finished>;

    /// The processes that answer calls now.
    fn busy(&self) -> Vec<i32>;
}
