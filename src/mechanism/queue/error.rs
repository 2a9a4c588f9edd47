//! Errors of message queues, of any engine.

use crate::base::errno::Errno;
use crate::mechanism::remote;

/// Why something could not be done with a queue.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is no queue of this name.
    #[error("{}", Errno(libc::ENOENT))]
    NotFound,
    /// There is one already.
    #[error("{}", Errno(libc::EEXIST))]
    Exists,
    /// The queue was removed while it was in use.
    #[error("the queue was removed")]
    Removed,
    /// The queue was opened to receive only.
    #[error("you may not send to it")]
    ReceiveOnly,
    /// The message is longer than the queue allows.
    #[error("{}", Errno(libc::EMSGSIZE))]
    TooLong,
    /// A message cannot be copied without receiving it.
    #[error("a message of a POSIX queue cannot be seen without taking it")]
    NoCopies,
    /// A message is received whole.
    #[error("a POSIX queue gives only whole messages; System V queues (sysv:KEY) can cut them")]
    Whole,
    /// This machine has no such queues, or cannot do that with them.
    #[error("{}", Errno(libc::ENOSYS))]
    Unavailable,
    /// A limit of the kernel is in the way.
    #[error("a limit of the kernel is in the way")]
    Limit(Limit),
    /// A server refuses, or cannot be reached.
    #[error(transparent)]
    Remote(#[from] remote::Error),
    /// The kernel refuses, for another reason.
    #[error(transparent)]
    Kernel(Errno),
}

/// The limit that stands in the way of a new queue, or of a change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit {
    /// There would be too many messages in a POSIX queue.
    Messages(Beyond),
    /// Messages of a POSIX queue would be too long.
    MessageSize(Beyond),
    /// There would be too many bytes in a System V queue.
    Bytes(Beyond),
    /// There are as many POSIX queues as there may be.
    PosixQueues(u64),
    /// There are as many System V queues as there may be.
    SystemVQueues(u64),
    /// The POSIX queues of the user would take more bytes than this; `None` is without limit.
    Memory(Option<u64>),
}

/// A number that is greater than a limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Beyond {
    /// The number.
    pub asked: u64,
    /// The limit.
    pub limit: u64,
    /// The greatest limit that can be set.
    pub greatest_limit: u64,
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno(libc::ENOENT) => Self::NotFound,
            Errno(libc::EEXIST) => Self::Exists,
            Errno(libc::EIDRM) => Self::Removed,
            Errno(libc::EBADF) => Self::ReceiveOnly,
            Errno(libc::EMSGSIZE) => Self::TooLong,
            Errno(libc::ENOSYS) => Self::Unavailable,
            errno => Self::Kernel(errno),
        }
    }
}
