//! A queue that is a ring in shared memory: ipc-queue(5) describes its layout and its steps.
//!
//! The push side and the pop side have a lock each; a participant never holds both. SIGKILL at any
//! instruction of a participant loses no committed message, duplicates none, and keeps no other
//! process waiting for more than two seconds. While no participant sleeps, an operation makes no
//! system call, and it allocates nothing for a message.
//!
//! A participant does not trust the memory: it checks positions and lengths before it uses them,
//! and reports a truncated file as an error. If another user owns or may write the file, it maps
//! only the page of words, and reads and writes the ring through the descriptor.

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

use std::cell::{Cell, RefCell};
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::io::spin::{self, Spin};
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

/// An open queue, for the thread that opened it. After fork(2) the child must open the queue again.
#[derive(Debug)]
pub struct Ring {
    memory: Memory,
    locker: Locker,
    /// The spin before a push waits for room.
    room: Cell<Spin>,
    /// The spin before a pop waits for messages.
    messages: Cell<Spin>,
    /// The memory in which a batch is put together, between two batches.
    stage: RefCell<Vec<u8>>,
}

/// The result of an operation on a queue that did not fail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Outcome<T = ()> {
    /// The operation is done.
    Done(T),
    /// The operation timed out and changed nothing.
    TimedOut,
    /// The queue is closed: it accepts no message to push, or has none left to pop.
    Closed,
}

/// The reason for which an operation on a queue failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// A system call failed.
    #[error(transparent)]
    Kernel(Errno),
    /// The file is not a queue that this program can use.
    #[error("{0}")]
    Foreign(&'static str),
    /// The file is a damaged queue.
    #[error("corrupt: {0}")]
    Corrupt(&'static str),
    /// The message does not fit in the ring.
    #[error("message of {length} bytes is longer than the queue allows ({most})")]
    TooLong {
        /// The length of the message.
        length: usize,
        /// The length of the longest message that fits.
        most: u64,
        /// The capacity that the message needs.
        capacity: u64,
    },
    /// A process of another user holds a lock and does not release it.
    #[error("a lock is held by a process that does not release it")]
    Stuck,
    /// The claim has ended.
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
    /// Converts the value of [`Outcome::Done`].
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Done(value) => Outcome::Done(make(value)),
            Self::TimedOut => Outcome::TimedOut,
            Self::Closed => Outcome::Closed,
        }
    }
}

/// The next step of an operation that has to wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Backoff {
    /// Poll the memory for a moment.
    Spin,
    /// Sleep in the kernel.
    Sleep,
}

impl Backoff {
    /// Whether the next step is to sleep. If the thread may use one CPU only, no other participant
    /// changes the memory while it polls.
    fn is_sleep(self) -> bool {
        self == Self::Sleep || !spin::has_other_cpu()
    }
}

/// The longest wait for a lock of an untrusted queue. The wait for a lock of a trusted queue lasts
/// until the deadline, because its holder is at worst stopped.
const LOCK_LIMIT: Duration = Duration::from_secs(10);

impl Ring {
    /// The size of the ring in bytes.
    pub fn capacity(&self) -> u64 {
        self.memory.capacity()
    }

    /// The length of the longest message that fits.
    pub fn most(&self) -> u64 {
        (self.capacity() - layout::RECORD).min(u64::from(u32::MAX))
    }

    /// Whether this user owns the queue and no other user may write it.
    pub fn is_trusted(&self) -> bool {
        self.memory.reach() == Reach::Mapping
    }

    /// Whether this process locks words of memory, rather than bytes of the file.
    pub fn locks_words(&self) -> bool {
        self.locker.writes_words()
    }

    /// Closes the queue: it accepts no more messages. Waiting participants wake up.
    ///
    /// If the process is killed halfway, another call of `close` completes the work.
    pub fn close(&self, deadline: Deadline) -> Result<Outcome, Error> {
        for side in [self.push_side(), self.pop_side()] {
            let Some(held) = self.lock(side, deadline)? else { return Ok(Outcome::TimedOut) };
            // The first round holds the push lock, so that no push commits after the store.
            self.memory.word(CLOSED).store(1, Ordering::Release);
            let (state, seq) = side.own();
            side.commit(seq, state, held);
            futex::wake(side.seq(), i32::MAX);
        }
        self.memory.verify()?;
        Ok(Outcome::Done(()))
    }

    /// Whether the queue is closed.
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

    /// Locks a side; `None` if that timed out.
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

    /// The bytes in use between the head and the tail, after a check of both positions. The caller
    /// holds no lock, or the lock of the side whose state it passes.
    fn span(&self, head: State, tail: State) -> Result<u64, Error> {
        let used = tail.position.wrapping_sub(head.position);
        let is_aligned = (head.position | tail.position).is_multiple_of(8);
        if used > self.capacity() || !is_aligned {
            return Err(Error::Corrupt("the positions of the two sides contradict each other"));
        }
        Ok(used)
    }

    /// The states of the pop side and the push side at one moment, without a lock.
    fn peek(&self) -> Result<(Committed, Committed), Error> {
        for _ in 0..READS {
            let (head, pops) = self.pop_side().peek()?;
            let (tail, pushes) = self.push_side().peek()?;
            // If the head has moved meanwhile, the tail may be more than a capacity ahead of the
            // old head.
            if self.pop_side().seq().load(Ordering::Acquire) == pops {
                self.span(head, tail)?;
                return Ok(((head, pops), (tail, pushes)));
            }
        }
        Err(Error::Corrupt("a state never stays as it is"))
    }

    /// Releases the lock of the other side, then waits until this side commits or a short time
    /// passes.
    #[cold]
    fn wait(
        &self,
        (side, seq): (Side<'_>, u32),
        held: Held<'_>,
        (backoff, spin): (&mut Backoff, &Cell<Spin>),
        deadline: Deadline,
    ) -> Result<(), Error> {
        if backoff.is_sleep() {
            let is_still = side.register(seq);
            drop(held);
            if is_still {
                side.sleep(seq, deadline)?;
            }
            *backoff = Backoff::Spin;
        } else {
            drop(held);
            let mut watching = spin.get();
            let has_changed = watching.watch(|| side.seq().load(Ordering::Acquire) != seq);
            spin.set(watching);
            *backoff = if has_changed { Backoff::Spin } else { Backoff::Sleep };
        }
        Ok(self.memory.verify()?)
    }
}
