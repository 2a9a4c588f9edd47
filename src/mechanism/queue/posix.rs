//! POSIX message queues: mq_overview(7).

use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags};

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::name::ObjectName;
use crate::io::spin::Spin;
use crate::mechanism::ownership::NewOwnership;
use crate::sys::mqueue::{self, Access, Limits, MOST, Shape};
use crate::sys::{heap, poll};

use super::engine::{Engine, Until};
use super::error::{Beyond, Limit};
use super::{Error, Found, Received, Selection};

/// A queue, and the message that was received last.
#[derive(Debug)]
pub struct Posix {
    queue: mqueue::Queue,
    buffer: Vec<u8>,
    /// Before waiting for room.
    spin: Spin,
}

impl Posix {
    /// Opens an existing queue.
    pub fn open(name: &ObjectName, access: Access) -> Result<Self, Error> {
        Ok(Self::new(mqueue::Queue::open(name, access)?))
    }

    /// Creates a queue with exactly these permissions; the kernel chooses a shape that is not given.
    pub fn create(name: &ObjectName, shape: Option<Shape>, mode: u32) -> Result<Self, Error> {
        let created = mqueue::Queue::create(name, shape, mode);
        created.map(Self::new).map_err(|errno| limit_of(errno, shape))
    }

    fn new(queue: mqueue::Queue) -> Self {
        Self { queue, buffer: Vec::new(), spin: Spin::default() }
    }

    /// Changes the owner and the permissions of a queue.
    pub fn set_ownership(name: &ObjectName, ownership: &NewOwnership) -> Result<(), Error> {
        Ok(ownership.apply(mqueue::Queue::locate(name)?)?)
    }

    /// Its shape.
    pub fn shape(&self) -> Result<Shape, Error> {
        Ok(self.queue.shape()?)
    }
}

/// The limit that stands in the way of a new queue of this shape.
fn limit_of(errno: Errno, shape: Option<Shape>) -> Error {
    let Limits { largest, default, queues } = Limits::now();
    let asked = shape.unwrap_or(default);
    let is_beyond = matches!(errno, Errno(libc::EINVAL | libc::EOVERFLOW));
    let beyond = |asked, limit, greatest_limit| Beyond { asked, limit, greatest_limit };
    match errno {
        _ if is_beyond && asked.max_msgs > largest.max_msgs => {
            Error::Limit(Limit::Messages(beyond(asked.max_msgs, largest.max_msgs, MOST.max_msgs)))
        }
        _ if is_beyond && asked.msg_size > largest.msg_size => Error::Limit(Limit::MessageSize(
            beyond(asked.msg_size, largest.msg_size, MOST.msg_size),
        )),
        Errno(libc::ENOSPC) => Error::Limit(Limit::PosixQueues(queues)),
        // The kernel returns EMFILE for both limits.
        Errno(libc::EMFILE) if has_free_descriptor() => {
            Error::Limit(Limit::Memory(mqueue::memory_limit()))
        }
        errno => errno.into(),
    }
}

/// Whether this process can have one more descriptor.
fn has_free_descriptor() -> bool {
    crate::sys::eventfd::Bell::new().is_ok()
}

/// Waits until the queue is ready, or what else ends the wait.
fn wait(queue: PollFd<'_>, until: Until<'_>) -> Result<Waited, Errno> {
    let bell = until.descriptor().map(|bell| PollFd::new(bell, PollFlags::POLLIN));
    let other = bell.or(until.sink.map(|sink| PollFd::new(sink, PollFlags::empty())));
    match other {
        Some(other) => poll::any(&mut [queue, other], until.deadline),
        None => poll::any(&mut [queue], until.deadline),
    }
}

impl Engine for Posix {
    fn limit(&self) -> Result<usize, Error> {
        Ok(self.queue.shape()?.msg_size as usize)
    }

    fn count(&mut self, _: Selection) -> Result<u64, Error> {
        Ok(self.queue.messages()?)
    }

    fn try_send(&mut self, message: &[u8], priority: i64) -> Result<Waited, Error> {
        match self.queue.try_send(message, priority as u32) {
            Ok(()) => Ok(Waited::Done(())),
            Err(Errno(libc::EAGAIN)) => Ok(Waited::TimedOut),
            Err(errno) => Err(errno.into()),
        }
    }

    fn send(&mut self, message: &[u8], priority: i64, until: Until<'_>) -> Result<Waited, Error> {
        let Self { queue, spin, .. } = self;
        let attempt = || match queue.try_send(message, priority as u32) {
            Err(Errno(libc::EAGAIN)) => None,
            result => Some(result),
        };
        loop {
            if let Some(result) = attempt() {
                return Ok(Waited::Done(result?));
            }
            if until.deadline == Deadline::PASSED || until.has_rung() {
                return Ok(Waited::TimedOut);
            }
            if let Some(result) = spin.retry(attempt) {
                return Ok(Waited::Done(result?));
            }
            if wait(PollFd::new(queue.as_fd(), PollFlags::POLLOUT), until)? == Waited::TimedOut {
                return Ok(Waited::TimedOut);
            }
        }
    }

    fn try_receive(&mut self, _: Selection) -> Result<Option<Received>, Error> {
        self.make_room()?;
        match self.queue.try_receive(&mut self.buffer) {
            Ok(mqueue::Received { length, priority }) => {
                Ok(Some(Received { length, priority: priority.into(), is_cut: false }))
            }
            Err(Errno(libc::EAGAIN)) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    fn peek(&mut self, _: u32) -> Result<Option<Received>, Error> {
        Err(Error::NoCopies)
    }

    fn message(&self, received: Received) -> &[u8] {
        &self.buffer[..received.length]
    }

    fn room(&self) -> usize {
        self.buffer.len()
    }

    fn make_room(&mut self) -> Result<(), Error> {
        if self.buffer.is_empty() {
            self.buffer = heap::zeros(self.queue.shape()?.msg_size as usize)?;
        }
        Ok(())
    }

    /// The wait that follows sees it.
    fn has_message(&mut self, _: Selection) -> Result<bool, Error> {
        Ok(false)
    }

    fn wait(&mut self, _: Selection, until: Until<'_>) -> Result<Waited, Error> {
        Ok(wait(PollFd::new(self.queue.as_fd(), PollFlags::POLLIN), until)?)
    }

    fn give_back(&mut self, _: Until<'_>) -> Result<Waited, Error> {
        Ok(Waited::Done(()))
    }

    fn identity(&self) -> Result<u64, Error> {
        Ok(self.queue.status()?.st_ino)
    }

    /// A queue that was removed and is open still takes messages, which no other process finds.
    fn is_removed(&self) -> bool {
        self.queue.status().is_ok_and(|status| status.st_nlink == 0)
    }

    fn found(&self) -> Result<Waited<Found>, Error> {
        Ok(Waited::Done(self.queue.found()?))
    }
}
