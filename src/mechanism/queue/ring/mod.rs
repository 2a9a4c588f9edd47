//! A queue that is a ring in shared memory: ipc-queue(5) has its layout and its steps.
//!
//! Pushing and popping have a lock each, and are never both locked by one participant. A participant
//! that is killed at any instruction loses nothing that was committed, doubles nothing, and leaves
//! no process waiting for more than two seconds. No system call is made while none sleeps, and
//! nothing is allocated for a message.
//!
//! The memory is not trusted: positions and lengths are checked before they are used, and a file
//! that is cut off is an error. A queue of another owner, or one that others may write, is reached
//! through its descriptor, except for the page of its words.

mod claim;
mod inspect;
mod layout;
mod open;
mod pop;
mod push;
mod record;
mod side;
mod tap;
#[cfg(test)]
mod tests;
mod verify;
mod wait;

use std::cell::Cell;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::io::spin::Spin;
use crate::mechanism::robust_lock::{Held, Locker};
use crate::sys::futex;
use crate::sys::memory::{Reach, RingMemory};

pub use self::claim::Claim;
pub use self::inspect::Stat;
pub use self::layout::{HEAD, LEAST_CAPACITY, MOST_CAPACITY, size_of_record};
pub use self::pop::{Enclose, Lines, Plain};
pub use self::tap::Tap;
pub use self::verify::{Finding, Repair};

use self::layout::{CLOSED, POP, PUSH};
use self::side::{Committed, READS, Side, State};

type Memory = RingMemory<HEAD>;

/// An open queue, for the thread that opened it. After fork(2) a child has to open it anew.
#[derive(Debug)]
pub struct Ring {
    memory: Memory,
    locker: Locker,
    /// Before waiting for room.
    room: Cell<Spin>,
    /// Before waiting for messages.
    messages: Cell<Spin>,
}

/// How an operation on a queue ended, unless it failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Outcome<T = ()> {
    /// It is done.
    Done(T),
    /// The deadline passed, and nothing was done.
    TimedOut,
    /// The queue is closed: it takes no message, or has given the last one.
    Closed,
}

/// Why an operation on a queue failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The kernel refused.
    #[error(transparent)]
    Kernel(Errno),
    /// It is no queue that this program can use.
    #[error("{0}")]
    Foreign(&'static str),
    /// It is a queue, and is damaged.
    #[error("corrupt: {0}")]
    Corrupt(&'static str),
    /// A message does not fit in the ring.
    #[error("message of {length} bytes is longer than the queue allows ({most})")]
    TooLong {
        /// Its length.
        length: usize,
        /// The longest that fits.
        most: u64,
        /// The capacity that would do.
        capacity: u64,
    },
    /// A process of another user holds a lock and does not release it.
    #[error("a lock is held by a process that does not release it")]
    Stuck,
    /// The claim is not this one's any more.
    #[error("the claim has ended")]
    NotClaimed,
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno(libc::EFAULT) => Self::Corrupt("part of the file is missing"),
            Errno(libc::EUCLEAN) => Self::Corrupt("a message is at an impossible position"),
            errno => Self::Kernel(errno),
        }
    }
}

impl<T> Outcome<T> {
    /// The same, with something made of what is done.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Done(value) => Outcome::Done(make(value)),
            Self::TimedOut => Outcome::TimedOut,
            Self::Closed => Outcome::Closed,
        }
    }
}

/// What to do next where an operation has to wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Backoff {
    /// Look at the memory for a moment.
    Spin,
    /// Sleep.
    Sleep,
}

/// For how long a lock of an untrusted queue is waited for. A trusted one is waited for until the
/// deadline, as its holder can only be stopped.
const LOCK_LIMIT: Duration = Duration::from_secs(10);

impl Ring {
    /// How many bytes the ring has.
    pub fn capacity(&self) -> u64 {
        self.memory.capacity()
    }

    /// The longest message that fits.
    pub fn most(&self) -> u64 {
        (self.capacity() - layout::RECORD).min(u64::from(u32::MAX))
    }

    /// Whether the queue belongs to this user alone.
    pub fn is_trusted(&self) -> bool {
        self.memory.reach() == Reach::Mapping
    }

    /// Whether the locks are words of memory for this process.
    pub fn locks_words(&self) -> bool {
        self.locker.writes_words()
    }

    /// Has the queue take no more messages. Waiting participants notice.
    ///
    /// A close that is killed halfway is completed by another.
    pub fn close(&self, deadline: Deadline) -> Result<Outcome, Error> {
        for side in [self.push_side(), self.pop_side()] {
            let Some(held) = self.lock(side, deadline)? else { return Ok(Outcome::TimedOut) };
            // Under the lock of those that push, so that none commits after it.
            self.memory.word(CLOSED).store(1, Ordering::Release);
            let (state, seq) = side.own();
            side.commit(seq, state, held);
            futex::wake(side.seq(), i32::MAX);
        }
        self.memory.verify()?;
        Ok(Outcome::Done(()))
    }

    /// Whether it was closed.
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.memory.word(CLOSED).load(Ordering::Acquire) != 0
    }

    #[inline(always)]
    fn push_side(&self) -> Side<'_> {
        Side::new(&self.memory, PUSH)
    }

    #[inline(always)]
    fn pop_side(&self) -> Side<'_> {
        Side::new(&self.memory, POP)
    }

    /// Locks a side; `None` if that was not possible in time.
    #[inline(always)]
    fn lock<'a>(&'a self, side: Side<'a>, deadline: Deadline) -> Result<Option<Held<'a>>, Error> {
        match self.locker.try_acquire(side.lock().word) {
            Some(held) => Ok(Some(held)),
            None => self.lock_slowly(side, deadline),
        }
    }

    #[cold]
    fn lock_slowly<'a>(
        &'a self,
        side: Side<'a>,
        deadline: Deadline,
    ) -> Result<Option<Held<'a>>, Error> {
        if self.memory.reach() == Reach::Descriptor {
            return self.lock_untrusted(side, deadline);
        }
        match self.locker.acquire(side.lock(), deadline)? {
            Waited::Done(held) => Ok(Some(held)),
            Waited::TimedOut => Ok(None),
        }
    }

    fn lock_untrusted<'a>(
        &'a self,
        side: Side<'a>,
        deadline: Deadline,
    ) -> Result<Option<Held<'a>>, Error> {
        self.memory.verify_size()?;
        let end = Deadline::after(LOCK_LIMIT);
        match self.locker.acquire(side.lock(), deadline.min(end))? {
            Waited::Done(held) => Ok(Some(held)),
            Waited::TimedOut if end.has_passed() && !deadline.has_passed() => Err(Error::Stuck),
            Waited::TimedOut => Ok(None),
        }
    }

    /// The positions of the two sides, the first of which is the head. The caller holds no lock, or
    /// that of the side whose state it gives.
    fn span(&self, head: State, tail: State) -> Result<u64, Error> {
        let used = tail.position.wrapping_sub(head.position);
        let is_aligned = (head.position | tail.position).is_multiple_of(8);
        if used > self.capacity() || !is_aligned {
            return Err(Error::Corrupt("the positions of the two sides contradict each other"));
        }
        Ok(used)
    }

    /// The states of both sides, the popping one first, at one moment and without a lock.
    fn peek(&self) -> Result<(Committed, Committed), Error> {
        for _ in 0..READS {
            let (head, pops) = self.pop_side().peek()?;
            let (tail, pushes) = self.push_side().peek()?;
            // A head that has moved since may have made room for the tail.
            if self.pop_side().seq().load(Ordering::Acquire) == pops {
                self.span(head, tail)?;
                return Ok(((head, pops), (tail, pushes)));
            }
        }
        Err(Error::Corrupt("a state never stays as it is"))
    }

    /// Waits until a side has another number of commits, or a while has passed. Releases the lock of
    /// the other one.
    #[cold]
    fn wait(
        &self,
        (side, seq): (Side<'_>, u32),
        held: Held<'_>,
        (backoff, spin): (&mut Backoff, &Cell<Spin>),
        deadline: Deadline,
    ) -> Result<(), Error> {
        match *backoff {
            Backoff::Spin => {
                drop(held);
                let mut watching = spin.get();
                let has_changed = watching.watch(|| side.seq().load(Ordering::Acquire) != seq);
                spin.set(watching);
                *backoff = if has_changed { Backoff::Spin } else { Backoff::Sleep };
            }
            Backoff::Sleep => {
                let is_still = side.register(seq);
                drop(held);
                if is_still {
                    side.sleep(seq, deadline)?;
                }
                *backoff = Backoff::Spin;
            }
        }
        Ok(self.memory.verify()?)
    }
}
