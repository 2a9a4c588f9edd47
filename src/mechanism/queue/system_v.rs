//! System V message queues: sysvipc(7).

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::mechanism::ownership::NewOwnership;
use crate::mechanism::system_v_object::{Unfinished, wait_for_maker};
use crate::sys::interrupt::{self, Attempt};
use crate::sys::system_v::{Kind, Row, Target};
use crate::sys::system_v_queue::{self, max_bytes_limit, message_limit};

use super::engine::{Engine, Until};
use super::error::{Beyond, Limit};
use super::{Error, Found, Received, Selection};

/// A queue.
#[derive(Debug)]
pub struct SystemV {
    queue: system_v_queue::Queue,
    /// The type of an empty message that a wait had to receive to see it.
    seen: Option<i64>,
}

impl SystemV {
    /// Opens an existing queue.
    pub fn open(target: Target) -> Result<Self, Error> {
        Ok(Self::new(system_v_queue::Queue::open(target)?))
    }

    /// Creates a queue with exactly these permissions, in which the umask has no say, and with
    /// another limit than is usual, if there is one. No queue is left if that fails, or if HUP, INT
    /// or TERM end the process meanwhile.
    ///
    /// The queue is created without any permission, and one change grants all of them: a queue without
    /// permissions is unfinished, and only privileged processes can use it.
    pub fn create(target: Target, mode: u32, max_bytes: Option<u64>) -> Result<Self, Error> {
        let create = || {
            let key = target.new_key()?;
            let made = Unfinished::make(Kind::Queue, || system_v_queue::make(key))?;
            // A process that may not read the queue yet cannot ask for the bytes that it has at first.
            let bytes = max_bytes.unwrap_or_else(max_bytes_limit);
            system_v_queue::grant(made.id(), mode, bytes)?;
            Ok(Self::new(system_v_queue::Queue::of_id(made.keep())))
        };
        create().map_err(|errno| match errno {
            Errno(libc::ENOSPC) => {
                Error::Limit(Limit::SystemVQueues(system_v_queue::queues_limit()))
            }
            errno => limit_of_bytes(errno, max_bytes),
        })
    }

    fn new(queue: system_v_queue::Queue) -> Self {
        Self { queue, seen: None }
    }

    /// Cuts longer messages to this length; `None` is that of the longest message that can be sent.
    pub fn cut_at(&mut self, length: Option<usize>) -> usize {
        let length = length.unwrap_or_else(|| message_limit() as usize);
        self.queue.cut_at(length);
        length
    }

    /// Its identifier.
    pub fn id(&self) -> i32 {
        self.queue.id()
    }

    /// Its line in the kernel's table.
    pub fn row(&self) -> Result<Row, Error> {
        Ok(self.queue.row()?)
    }

    /// Removes it.
    pub fn remove(&self) -> Result<(), Error> {
        Ok(self.queue.remove()?)
    }

    /// The bytes that all its messages may have.
    pub fn max_bytes(&self) -> Result<u64, Error> {
        Ok(self.queue.max_bytes()?)
    }

    /// Sets the bytes that all its messages may have, its owner and its permissions, in one call.
    pub fn set(&self, max_bytes: Option<u64>, ownership: &NewOwnership) -> Result<(), Error> {
        let set = || {
            let mut status = Kind::Queue.status(self.id())?;
            ownership.change(&mut status);
            if let Some(bytes) = max_bytes {
                status.set_max_bytes(bytes);
            }
            Kind::Queue.set_status(self.id(), status)
        };
        set().map_err(|errno| limit_of_bytes(errno, max_bytes))
    }

    /// The number of such messages, or `most`; `None` where the kernel does not tell without receiving
    /// them.
    fn count_to(&mut self, selection: Selection, most: u64) -> Result<Option<u64>, Error> {
        if selection == Selection::Any {
            return Ok(Some(self.queue.messages()?.min(most)));
        }
        let (mut count, mut index) = (0, 0);
        while count < most {
            match self.queue.peek(index) {
                Ok(Some(message)) => count += u64::from(selection.includes(message.kind)),
                Ok(None) => break,
                Err(Errno(libc::ENOSYS | libc::E2BIG)) => return Ok(None),
                Err(errno) => return Err(errno.into()),
            }
            index += 1;
        }
        Ok(Some(count))
    }
}

/// The limit that stands in the way of a limit for the bytes of a queue.
fn limit_of_bytes(errno: Errno, asked: Option<u64>) -> Error {
    let limit = max_bytes_limit();
    match (errno, asked) {
        (Errno(libc::EPERM), Some(asked)) if asked > limit => {
            Error::Limit(Limit::Bytes(Beyond { asked, limit, greatest_limit: u64::MAX }))
        }
        (errno, _) => errno.into(),
    }
}

/// The length of the longest message that can be sent to a queue which has the usual limit.
pub fn limit_of_new() -> usize {
    max_bytes_limit().min(message_limit()) as usize
}

/// Makes a system call that takes no bell until it succeeds, or the wait is to end.
fn wait_for<T>(
    until: Until<'_>,
    mut call: impl FnMut(Attempt) -> Result<T, Errno>,
) -> Result<Waited<T>, Error> {
    /// The end of the wait by the bell.
    const CANCELLED: Errno = Errno(libc::ECANCELED);
    let waited = interrupt::until(until.deadline, |attempt| match call(attempt) {
        Err(Errno(libc::EINTR)) if until.has_rung() => Err(CANCELLED),
        result => result,
    });
    match waited {
        Err(CANCELLED) => Ok(Waited::TimedOut),
        waited => Ok(waited?),
    }
}

impl Engine for SystemV {
    fn limit(&self) -> Result<usize, Error> {
        let longest = message_limit();
        // A longer message than the queue holds would wait without end.
        Ok(self.queue.max_bytes().map_or(longest, |bytes| bytes.min(longest)) as usize)
    }

    /// A kernel that cannot copy messages counts them all.
    fn count(&mut self, selection: Selection) -> Result<u64, Error> {
        match self.count_to(selection, u64::MAX)? {
            Some(count) => Ok(count),
            None => Ok(self.queue.messages()?),
        }
    }

    fn try_send(&mut self, message: &[u8], priority: i64) -> Result<Waited, Error> {
        self.send(message, priority, Deadline::PASSED.into())
    }

    fn send(&mut self, message: &[u8], priority: i64, until: Until<'_>) -> Result<Waited, Error> {
        self.queue.prepare(message, priority)?;
        wait_for(until, |attempt| self.queue.send(attempt))
    }

    fn try_receive(&mut self, selection: Selection) -> Result<Option<Received>, Error> {
        if let Some(priority) = self.seen.take() {
            return Ok(Some(Received { length: 0, priority, is_cut: false }));
        }
        Ok(self.queue.try_receive(selection)?.map(Received::from))
    }

    fn peek(&mut self, index: u32) -> Result<Option<Received>, Error> {
        Ok(self.queue.peek(index)?.map(Received::from))
    }

    fn message(&self, received: Received) -> &[u8] {
        self.queue.message(received.length)
    }

    fn room(&self) -> usize {
        self.queue.room()
    }

    fn make_room(&mut self) -> Result<(), Error> {
        Ok(self.queue.make_room()?)
    }

    fn has_message(&mut self, selection: Selection) -> Result<bool, Error> {
        Ok(self.count_to(selection, 1)? == Some(1))
    }

    /// The kernel has no such wait. But a wait for a message of no bytes ends when one with bytes
    /// comes, which stays. One without bytes is received, and kept for the next call.
    fn wait(&mut self, selection: Selection, until: Until<'_>) -> Result<Waited, Error> {
        let waited = wait_for(until, |attempt| self.queue.look(selection, attempt))?;
        Ok(waited.map(|seen| self.seen = seen))
    }

    fn give_back(&mut self, until: Until<'_>) -> Result<Waited, Error> {
        let Some(kind) = self.seen else { return Ok(Waited::Done(())) };
        let sent = self.send(&[], kind, until)?;
        if sent == Waited::Done(()) {
            self.seen = None;
        }
        Ok(sent)
    }

    fn identity(&self) -> Result<u64, Error> {
        Ok(self.queue.id() as u64)
    }

    fn is_removed(&self) -> bool {
        self.queue.row().is_err()
    }

    fn found(&self) -> Result<Waited<Found>, Error> {
        let mut row = self.queue.row()?;
        let waited = wait_for_maker(|| {
            row = self.queue.row()?;
            Ok(row.number("perms") & 0o777 != 0)
        })?;
        Ok(waited.map(|()| row.found()))
    }
}

impl Drop for SystemV {
    fn drop(&mut self) {
        // Without room the message is lost: the drop cannot wait.
        let _ = self.give_back(Deadline::PASSED.into());
    }
}

impl From<system_v_queue::Received> for Received {
    fn from(received: system_v_queue::Received) -> Self {
        Self { length: received.length, priority: received.kind, is_cut: received.is_cut }
    }
}
