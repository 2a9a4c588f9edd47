//! The interface of what answers the calls of a door.

use std::os::fd::OwnedFd;

use crate::base::deadline::Deadline;
use crate::mechanism::door::{Content, Part, Refusal};
use crate::sys::events::Events;
use crate::sys::socket::Credentials;

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
}

impl Source {
    const ALL: [Self; 4] = [Self::Caller, Self::Output, Self::Errors, Self::Process];

    /// The number of an event, of the call or the worker of this number.
    pub fn event(self, number: u64) -> u64 {
        number << 2 | self as u64
    }

    /// The source of an event, and the number of its call or worker.
    pub fn of(event: u64) -> (Self, u64) {
        (Self::ALL[(event & 3) as usize], event >> 2)
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
    /// A descriptor of this process, if the kernel has one.
    pub process: Option<OwnedFd>,
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
    /// Whether another call can begin.
    fn has_room(&self) -> bool;

    /// Begins a call.
    ///
    /// # Errors
    /// Why it cannot be answered.
    fn begin(&mut self, request: Request<'_>, events: &Events) -> Result<(), Refusal>;

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

    /// Ends all processes.
    fn terminate(&mut self);

    /// The processes that answer calls now.
    fn busy(&self) -> Vec<i32>;
}
