//! Units of a POSIX semaphore, taken for good or by claims: what a claim has taken comes back when
//! the last process that holds the claim has ended, however it ended.
//!
//! Claims stand in slots of the semaphore's own file, so that those who wait, post or claim count
//! the same units, C programs included. Slot *i* belongs to whoever has byte *i* of a part of the
//! file locked that lies far beyond its end, by a lock of the open file description: the command
//! inherits that, and the kernel frees it with the last process that has it. Whoever looks at the
//! semaphore first gives back what is held by nobody; and those who wait for units watch.

mod claims;
mod slots;
mod watch;

use std::time::Duration;

pub use claims::Hold;
pub use slots::{COUNT_MAX, Claim};

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::name::SemaphoreName;
use crate::io::spin::Spin;
use crate::mechanism::semaphore::posix;
use crate::mechanism::semaphore::posix::Semaphore;
use crate::sys::lock::{Guard, Lock};
use crate::sys::lock_table;

use watch::Watch;

/// How long to sleep at most before looking again: somebody else may have been killed who was given
/// the only wake-up.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// What the bytes are for that are locked, in the part of the file that has none.
mod byte {
    /// To change slots.
    pub const CLAIMS: i64 = FIRST_SLOT - 1;
    /// To be the one of those waiting for several units who is next.
    pub const TURN: i64 = FIRST_SLOT - 2;
    /// To be the one of those waiting who watches the holders.
    pub const WATCH: i64 = FIRST_SLOT - 3;
    /// To hold the claim of the first slot.
    pub const FIRST_SLOT: i64 = 1 << 40;
}

/// Why units cannot be had.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The semaphore cannot be used.
    #[error(transparent)]
    Semaphore(#[from] posix::Error),
    /// All slots are used.
    #[error("{} commands hold units already, as many as can", posix::SLOTS)]
    Full,
    /// The number of units that commands hold, which would be counted twice.
    #[error("commands hold {0} of its units")]
    Held(u32),
    /// Somebody is stopped in the middle of changing slots.
    #[error("a command is stopped in the middle of taking or giving back units")]
    Busy,
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        Self::Semaphore(errno.into())
    }
}

/// A semaphore and the claims on its units.
#[derive(Debug)]
pub struct RobustSemaphore {
    semaphore: Semaphore,
}

impl RobustSemaphore {
    /// Opens an existing semaphore, and gives back what nobody holds any more. One who is stopped
    /// while he changes slots is not waited for.
    pub fn open(name: &SemaphoreName) -> Result<Self, Error> {
        let permits = Self { semaphore: Semaphore::open(name)? };
        permits.reap()?;
        Ok(permits)
    }

    /// The same, opened once more: its locks are its own.
    fn reopen(&self) -> Result<Self, Error> {
        Ok(Self { semaphore: self.semaphore.reopen()? })
    }

    /// The semaphore, to look at it or to post.
    pub fn semaphore(&self) -> &Semaphore {
        &self.semaphore
    }

    /// Takes `count` units for good, all at once, waiting for them until `deadline`. Units that are
    /// there are taken even after it, so one that has passed is a try.
    pub fn take(&self, count: u32, deadline: Deadline) -> Result<Waited, Error> {
        self.acquire(count, deadline, || Ok(self.semaphore.try_take(count).then_some(())))
    }

    /// Takes a unit for good, with each attempt made by `within`, which tells whether it took one:
    /// for those who have to note that they did before a signal comes.
    pub fn take_within(
        &self,
        deadline: Deadline,
        within: impl Fn(&dyn Fn() -> bool) -> bool,
    ) -> Result<Waited, Error> {
        self.acquire(1, deadline, || Ok(within(&|| self.semaphore.try_take(1)).then_some(())))
    }

    /// Claims `count` units, up to [`COUNT_MAX`], in the same way.
    ///
    /// # Errors
    /// [`Error::Full`] if too many hold claims.
    pub fn claim(&self, count: u32, deadline: Deadline) -> Result<Waited<Hold<'_>>, Error> {
        self.acquire(count, deadline, || self.try_claim(count, deadline))
    }

    /// Sets the number of units that nobody has.
    ///
    /// # Errors
    /// [`Error::Held`] while commands hold units, which are added when they come back; with
    /// [`Error::Busy`] that cannot be told.
    pub fn set(&self, value: u32) -> Result<(), Error> {
        let exclusive = self.exclusively(Deadline::PASSED)?.ok_or(Error::Busy)?;
        exclusive.reap()?;
        match self.held() {
            0 => Ok(self.semaphore.set(value)?),
            held => Err(Error::Held(held)),
        }
    }

    /// The number of units that claims have.
    pub fn held(&self) -> u32 {
        self.claims().iter().map(|claim| claim.count).sum()
    }

    /// The claims that are held.
    pub fn claims(&self) -> Vec<Claim> {
        slots::held(&self.semaphore).map(|(_, claim)| claim).collect()
    }

    /// The claims that are held, with the number of a process that holds each: its command, or the
    /// `ipc` that is about to start it, or another that was left running. `None` where it cannot be
    /// seen.
    ///
    /// The numbers in the slots are no proof: they may be of another PID namespace, or of processes
    /// that have ended. The descriptors that processes have are.
    pub fn holders(&self) -> Vec<(Option<i32>, Claim)> {
        let locks = lock_table::of_file(self.semaphore.status()).unwrap_or_default();
        let seen = |slot| {
            let at = claims::lock_of(slot).range.start as u64;
            let of_slot = locks.iter().filter(move |lock| lock.entry.start == at);
            of_slot.flat_map(|lock| lock.pids.iter().copied()).collect::<Vec<i32>>()
        };
        let with_holder = |(slot, claim): (usize, Claim)| (claim.holder_among(&seen(slot)), claim);
        slots::held(&self.semaphore).map(with_holder).collect()
    }

    /// Attempts to take `count` units until it comes to something. What has come of memory that was
    /// lost is nothing.
    fn acquire<T>(
        &self,
        count: u32,
        deadline: Deadline,
        attempt: impl Fn() -> Result<Option<T>, Error>,
    ) -> Result<Waited<T>, Error> {
        let enough = || (self.semaphore.value() >= count).then_some(());
        let waited = match attempt()? {
            Some(taken) => Waited::Done(taken),
            None if deadline.has_passed() => Waited::TimedOut,
            None => match Spin::default().retry(enough).map(|()| attempt()).transpose()? {
                Some(Some(taken)) => Waited::Done(taken),
                _ => self.wait(count, deadline, attempt)?,
            },
        };
        self.semaphore.verify()?;
        Ok(waited)
    }

    /// Waits for units as one of those whom the semaphore counts.
    fn wait<T>(
        &self,
        count: u32,
        deadline: Deadline,
        attempt: impl Fn() -> Result<Option<T>, Error>,
    ) -> Result<Waited<T>, Error> {
        let _enlisted = self.semaphore.enlist();
        if count == 1 {
            return self.sleep_and_attempt(count, deadline, attempt);
        }
        match self.wait_for_turn(deadline, &attempt)? {
            Waited::Done(Turn::Taken(taken)) => Ok(Waited::Done(taken)),
            Waited::Done(Turn::Next(_turn)) => self.sleep_and_attempt(count, deadline, attempt),
            Waited::TimedOut => Ok(Waited::TimedOut),
        }
    }

    /// Sleeps and attempts. Only one of those who want several units may be here: a wake-up for
    /// units that are too few is passed on, and two who do so would pass it between them for ever.
    fn sleep_and_attempt<T>(
        &self,
        count: u32,
        deadline: Deadline,
        attempt: impl Fn() -> Result<Option<T>, Error>,
    ) -> Result<Waited<T>, Error> {
        let mut watch = None;
        let mut woken = false;
        loop {
            let value = self.semaphore.value();
            if value >= count
                && let Some(taken) = attempt()?
            {
                return Ok(Waited::Done(taken));
            }
            if woken && 0 < value && value < count {
                self.semaphore.wake(1);
            }
            if deadline.has_passed() {
                return Ok(Waited::TimedOut);
            }
            if value >= count {
                // Somebody else was faster, or is stopped while he changes slots.
                continue;
            }
            if watch.is_none() && self.semaphore.has_slots() {
                watch = Watch::start(self).ok();
            }
            woken = self.sleep(value, deadline)?;
        }
    }

    /// Sleeps while the value is this; whether somebody woke us.
    fn sleep(&self, value: u32, deadline: Deadline) -> Result<bool, Error> {
        let slept = self.semaphore.sleep(value, deadline.min(Deadline::after(LOOK_AGAIN)))?;
        self.semaphore.verify()?;
        if slept == Waited::TimedOut {
            self.reap()?;
        }
        Ok(slept == Waited::Done(()))
    }

    /// Waits to be the next of those who want several units.
    fn wait_for_turn<T>(
        &self,
        deadline: Deadline,
        attempt: impl Fn() -> Result<Option<T>, Error>,
    ) -> Result<Waited<Turn<'_, T>>, Error> {
        loop {
            // Whoever is next may be stopped.
            let moment = deadline.min(Deadline::after(LOOK_AGAIN));
            if let Some(turn) = self.lock(byte::TURN, moment)? {
                return Ok(Waited::Done(Turn::Next(turn)));
            }
            self.reap()?;
            if let Some(taken) = attempt()? {
                return Ok(Waited::Done(Turn::Taken(taken)));
            }
            if deadline.has_passed() {
                return Ok(Waited::TimedOut);
            }
        }
    }

    /// Locks a byte in the name of our open file description; `None` if it cannot be had in time.
    fn lock(&self, at: i64, deadline: Deadline) -> Result<Option<Guard<'_>>, Error> {
        Ok(Lock::of_byte(at).guard(&self.semaphore, deadline)?)
    }
}

/// What waiting for one's turn has come to.
enum Turn<'a, T> {
    /// It is our turn.
    Next(Guard<'a>),
    /// There is no need any more.
    Taken(T),
}
