//! Message queues of either kind, as one: sending, receiving and waiting by deadlines.

pub mod named;
pub mod ring;

use std::os::fd::{AsFd, BorrowedFd};

use nix::poll::{PollFd, PollFlags};

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::name::AnyName;
use crate::io::spin::Spin;
use crate::sys::eventfd::Bell;
use crate::sys::heap;
use crate::sys::mqueue::{self, Access, Limits};
use crate::sys::poll;
use crate::sys::system_v::{Row, Target, wait_for_maker};
use crate::sys::system_v_queue::{self, Selection};

/// The name of a message queue.
pub type QueueName = AnyName<255>;

/// An open message queue.
#[derive(Debug)]
pub struct MessageQueue {
    queue: Queue,
    spin: Spin,
    can_send: bool,
}

#[derive(Debug)]
enum Queue {
    /// A POSIX queue, and the message that was received last.
    Posix(mqueue::Queue, Vec<u8>),
    SystemV(system_v_queue::Queue),
}

/// A message that was taken. Its bytes are in [`MessageQueue::message`] until the next is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Taken {
    length: usize,
    /// Its priority, or its type.
    pub priority: i64,
}

/// Why it is not known whether there is a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WaitError {
    /// The queue cannot be used.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// There was one, of a System V queue, and it is gone.
    #[error("a message without any bytes was taken to see it, and there is no room to put it back")]
    NoRoom,
    /// The same, for another reason.
    #[error("a message without any bytes was taken to see it, and cannot be put back: {0}")]
    NotPutBack(Errno),
}

/// The longest message that can be sent to a queue of this name which is yet to be made, by somebody
/// who asks for no other.
pub fn limit_of_new(name: &QueueName) -> usize {
    match name {
        QueueName::Posix(_) => Limits::now().default.msg_size as usize,
        QueueName::SystemV(_) => system_v_queue::limit_of_new(),
    }
}

/// Removes a queue, and the messages in it.
pub fn remove(name: &QueueName) -> Result<(), Errno> {
    match name {
        QueueName::Posix(name) => mqueue::Queue::unlink(name),
        QueueName::SystemV(name) => system_v_queue::Queue::open(Target::new(name)?)?.remove(),
    }
}

/// Waits until a System V queue that exists is finished, which its permissions tell; and returns its
/// row.
///
/// # Errors
/// ENOENT if it is removed meanwhile.
pub fn wait_until_finished(queue: &system_v_queue::Queue) -> Result<Waited<Row>, Errno> {
    let mut row = queue.row()?;
    let waited = wait_for_maker(|| {
        row = queue.row()?;
        Ok(row.number("perms") & 0o777 != 0)
    })?;
    Ok(waited.map(|()| row))
}

impl MessageQueue {
    fn new(queue: Queue) -> Self {
        Self { queue, spin: Spin::default(), can_send: true }
    }

    /// Opens an existing queue to send to it, or to receive from it.
    pub fn open(name: &QueueName, access: Access) -> Result<Self, Errno> {
        match name {
            QueueName::Posix(name) => mqueue::Queue::open(name, access).map(Self::from),
            QueueName::SystemV(name) => {
                system_v_queue::Queue::open(Target::new(name)?).map(Self::from)
            }
        }
    }

    /// Opens an existing queue to receive from it and, if we may, to send back what was taken.
    pub fn open_to_receive(name: &QueueName) -> Result<Self, Errno> {
        match Self::open(name, Access::Work) {
            Err(Errno(libc::EACCES)) => {
                Self::open(name, Access::Receive).map(|mailbox| Self { can_send: false, ..mailbox })
            }
            opened => opened,
        }
    }

    /// Whether what was taken can go back, as far as is known.
    pub fn can_send(&self) -> bool {
        self.can_send
    }

    /// The longest message that can be sent, in bytes.
    pub fn limit(&self) -> Result<usize, Errno> {
        match &self.queue {
            Queue::Posix(queue, _) => Ok(queue.shape()?.msg_size as usize),
            Queue::SystemV(queue) => Ok(queue.limit()),
        }
    }

    /// How many such messages wait. POSIX queues know no selection; a kernel that cannot copy messages
    /// of a System V queue counts them all.
    pub fn messages_of(&mut self, selection: Selection) -> Result<u64, Errno> {
        if let Queue::SystemV(queue) = &mut self.queue
            && let Some(count) = queue.count(selection, u64::MAX)?
        {
            return Ok(count);
        }
        self.messages()
    }

    fn messages(&self) -> Result<u64, Errno> {
        match &self.queue {
            Queue::Posix(queue, _) => queue.messages(),
            Queue::SystemV(queue) => queue.messages(),
        }
    }

    /// Sends a message, waiting for room until `deadline`. Of a POSIX queue `priority` is the
    /// priority, of a System V queue the type.
    pub fn send(
        &mut self,
        message: &[u8],
        priority: i64,
        deadline: Deadline,
    ) -> Result<Waited, Errno> {
        let queue = match &mut self.queue {
            Queue::Posix(queue, _) => queue,
            Queue::SystemV(queue) => return queue.send(message, priority, deadline),
        };
        let attempt = || match queue.try_send(message, priority as u32) {
            Err(Errno(libc::EAGAIN)) => None,
            result => Some(result),
        };
        loop {
            if let Some(result) = attempt() {
                return result.map(Waited::Done);
            }
            if deadline == Deadline::PASSED {
                return Ok(Waited::TimedOut);
            }
            if let Some(result) = self.spin.retry(attempt) {
                return result.map(Waited::Done);
            }
            if poll::writable(&*queue, deadline)? == Waited::TimedOut {
                return Ok(Waited::TimedOut);
            }
        }
    }

    /// Sends a message, waiting for room until `deadline` or until `bell` rings.
    pub fn send_unless(
        &mut self,
        message: &[u8],
        priority: i64,
        bell: &Bell,
        deadline: Deadline,
    ) -> Result<Waited, Errno> {
        if let Queue::SystemV(queue) = &mut self.queue {
            return queue.send_unless(message, priority, || bell.has_rung(), deadline);
        }
        loop {
            let sent = self.send(message, priority, Deadline::PASSED)?;
            let Queue::Posix(queue, _) = &self.queue else { return Ok(sent) };
            if sent == Waited::Done(()) || bell.has_rung() {
                return Ok(sent);
            }
            let mut fds = [
                PollFd::new(queue.as_fd(), PollFlags::POLLOUT),
                PollFd::new(bell.as_fd(), PollFlags::POLLIN),
            ];
            if poll::any(&mut fds, deadline)? == Waited::TimedOut {
                return Ok(Waited::TimedOut);
            }
        }
    }

    /// Waits until there is a message, or until `bell` rings, for a caller that will receive next.
    pub fn wait_unless(
        &mut self,
        selection: Selection,
        bell: &Bell,
        deadline: Deadline,
    ) -> Result<Waited, Errno> {
        match &mut self.queue {
            Queue::Posix(queue, _) => poll::any_readable(&[queue.as_fd(), bell.as_fd()], deadline),
            Queue::SystemV(queue) => queue.wait_unless(selection, || bell.has_rung(), deadline),
        }
    }

    /// Whether both are the same queue, whatever their names.
    pub fn is(&self, other: &Self) -> bool {
        match (&self.queue, &other.queue) {
            (Queue::Posix(one, _), Queue::Posix(other, _)) => {
                let inode = |queue: &mqueue::Queue| {
                    queue.status().ok().map(|status| (status.st_dev, status.st_ino))
                };
                inode(one).is_some_and(|one| Some(one) == inode(other))
            }
            (Queue::SystemV(one), Queue::SystemV(other)) => one.id() == other.id(),
            _ => false,
        }
    }

    /// Whether the queue has been removed. A POSIX queue that is open still takes messages then, which
    /// no other process finds.
    pub fn is_removed(&self) -> bool {
        match &self.queue {
            Queue::Posix(queue, _) => queue.status().is_ok_and(|status| status.st_nlink == 0),
            Queue::SystemV(queue) => queue.row().is_err(),
        }
    }

    /// Takes a message, if there is one or will be in a moment. POSIX queues know no selection.
    pub fn receive(&mut self, selection: Selection) -> Result<Option<Taken>, Errno> {
        let first = self.queue.receive(selection)?;
        match first {
            Some(taken) => Ok(Some(taken)),
            None => self.spin.retry(|| self.queue.receive(selection).transpose()).transpose(),
        }
    }

    /// Takes a message, if there is one.
    pub fn try_receive(&mut self, selection: Selection) -> Result<Option<Taken>, Errno> {
        self.queue.receive(selection)
    }

    /// Copies the message at this place, of which the oldest is 0, and takes none.
    ///
    /// # Errors
    /// EOPNOTSUPP for a POSIX queue, ENOSYS for a kernel that cannot.
    pub fn peek(&mut self, index: u32) -> Result<Option<Taken>, Errno> {
        match &mut self.queue {
            Queue::Posix(..) => Err(Errno(libc::EOPNOTSUPP)),
            Queue::SystemV(queue) => Ok(queue.peek(index)?.map(Taken::from)),
        }
    }

    /// How long a message can be that is taken, when one has been taken: there is memory for it.
    pub fn room(&self) -> usize {
        match &self.queue {
            Queue::Posix(_, buffer) => buffer.len(),
            Queue::SystemV(queue) => queue.room(),
        }
    }

    /// Has memory be there for the next message, before one is taken that would be lost.
    ///
    /// # Errors
    /// ENOMEM; and those of asking how long a message of the queue can be.
    pub fn make_room(&mut self) -> Result<(), Errno> {
        self.queue.make_room()
    }

    /// The bytes of the message that was taken last.
    pub fn message(&self, taken: Taken) -> &[u8] {
        match &self.queue {
            Queue::Posix(_, buffer) => &buffer[..taken.length],
            Queue::SystemV(queue) => queue.message(taken.length),
        }
    }

    /// Waits until there is such a message, and takes none. It may be gone when the call returns.
    pub fn wait(&mut self, selection: Selection, deadline: Deadline) -> Result<Waited, WaitError> {
        if let Queue::SystemV(queue) = &mut self.queue
            && queue.count(selection, 1)? == Some(1)
        {
            return Ok(Waited::Done(()));
        }
        match self.wait_for(selection, None, deadline)? {
            Waited::Done(()) => match self.give_back(deadline) {
                Ok(Waited::Done(())) => Ok(Waited::Done(())),
                Ok(Waited::TimedOut) => Err(WaitError::NoRoom),
                Err(errno) => Err(WaitError::NotPutBack(errno)),
            },
            Waited::TimedOut => Ok(Waited::TimedOut),
        }
    }

    /// As [`MessageQueue::wait`], for somebody who will receive next; and where a POSIX queue is waited
    /// for, the wait also ends when the reader of `sink` has left.
    pub fn wait_for(
        &mut self,
        selection: Selection,
        sink: Option<BorrowedFd<'_>>,
        deadline: Deadline,
    ) -> Result<Waited, Errno> {
        match (&mut self.queue, sink) {
            (Queue::Posix(queue, _), Some(sink)) => poll::readable_for(queue, sink, deadline),
            (Queue::Posix(queue, _), None) => poll::readable(queue, deadline),
            (Queue::SystemV(queue), _) => queue.wait(selection, deadline),
        }
    }

    /// Puts back what [`MessageQueue::wait_for`] may have had to take, waiting for room until `deadline`,
    /// for somebody who will not receive after all.
    pub fn give_back(&mut self, deadline: Deadline) -> Result<Waited, Errno> {
        match &mut self.queue {
            Queue::Posix(..) => Ok(Waited::Done(())),
            Queue::SystemV(queue) => queue.give_back(deadline),
        }
    }
}

impl MessageQueue {
    /// The same, waiting until `bell` rings.
    pub fn give_back_unless(&mut self, bell: &Bell) -> Result<Waited, Errno> {
        match &mut self.queue {
            Queue::Posix(..) => Ok(Waited::Done(())),
            Queue::SystemV(queue) => queue.give_back_unless(|| bell.has_rung(), Deadline::NEVER),
        }
    }
}

impl Queue {
    fn make_room(&mut self) -> Result<(), Errno> {
        match self {
            Self::Posix(queue, buffer) if buffer.is_empty() => {
                *buffer = heap::zeros(queue.shape()?.msg_size as usize)?;
                Ok(())
            }
            Self::Posix(..) => Ok(()),
            Self::SystemV(queue) => queue.make_room(),
        }
    }

    fn receive(&mut self, selection: Selection) -> Result<Option<Taken>, Errno> {
        self.make_room()?;
        match self {
            Self::Posix(queue, buffer) => match queue.try_receive(buffer) {
                Ok(taken) => Ok(Some(taken.into())),
                Err(Errno(libc::EAGAIN)) => Ok(None),
                Err(errno) => Err(errno),
            },
            Self::SystemV(queue) => Ok(queue.try_receive(selection)?.map(Taken::from)),
        }
    }
}

impl From<mqueue::Queue> for MessageQueue {
    fn from(queue: mqueue::Queue) -> Self {
        Self::new(Queue::Posix(queue, Vec::new()))
    }
}

impl From<system_v_queue::Queue> for MessageQueue {
    fn from(queue: system_v_queue::Queue) -> Self {
        Self::new(Queue::SystemV(queue))
    }
}

impl From<mqueue::Taken> for Taken {
    fn from(taken: mqueue::Taken) -> Self {
        Self { length: taken.length, priority: taken.priority.into() }
    }
}

impl From<system_v_queue::Taken> for Taken {
    fn from(taken: system_v_queue::Taken) -> Self {
        Self { length: taken.length, priority: taken.kind }
    }
}
