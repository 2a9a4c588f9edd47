//! Permits of a POSIX semaphore that come back when the last process that holds them has ended,
//! however it ended.
//!
//! The permits of a command are recorded as a claim in a slot of the semaphore's file, so that waiters,
//! C programs included, use the same value. A command holds the claim in slot *i* by a lock on byte *i*
//! of a part of the file far beyond its end. The lock belongs to an open file description, which the
//! command inherits, and the kernel releases it with the last process that has the descriptor. Each
//! `ipc` that opens the semaphore first reclaims the permits of claims that no process holds, and
//! waiters watch for the ends of holders.

mod guard;
mod lease;
mod slots;
mod watch;

use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::name::SemaphoreName;
use crate::io::spin::Spin;
use crate::mechanism::semaphore::posix::PosixSemaphore;
use crate::mechanism::semaphore::{AtExit, Error, Guard, Permit, Semaphore, User};
use crate::sys::lock::{self, Lock};
use crate::sys::lock_table;
use crate::sys::origin::Found;

use guard::RegisteredPermit;
use watch::Watch;

pub use lease::Lease;
pub use slots::{COUNT_MAX, Claim};

/// The maximum time to sleep: a waiter that was woken may have been killed before it could
/// decrement the value.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The locked bytes, which are beyond the end of the file.
mod byte {
    /// The right to change slots.
    pub const CLAIMS: i64 = FIRST_SLOT - 1;
    /// The right to be the next waiter for several permits.
    pub const TURN: i64 = FIRST_SLOT - 2;
    /// The right to be the waiter that watches the holders.
    pub const WATCH: i64 = FIRST_SLOT - 3;
    /// The claim in the first slot.
    pub const FIRST_SLOT: i64 = 1 << 40;
}

/// A POSIX semaphore and the claims on its value.
#[derive(Debug)]
pub struct RobustSemaphore {
    name: SemaphoreName,
    semaphore: PosixSemaphore,
}

impl RobustSemaphore {
    /// Opens an existing semaphore, and reclaims the permits that no process holds any more. It does
    /// not wait for a process that is stopped while it changes slots.
    pub fn open(name: &SemaphoreName) -> Result<Self, Error> {
        let semaphore = Self { name: name.clone(), semaphore: PosixSemaphore::open(name)? };
        semaphore.reclaim()?;
        Ok(semaphore)
    }

    /// Opens the semaphore again, for locks of its own.
    fn reopen(&self) -> Result<Self, Error> {
        Ok(Self { name: self.name.clone(), semaphore: self.semaphore.reopen()? })
    }

    /// The semaphore without its claims.
    pub fn semaphore(&self) -> &PosixSemaphore {
        &self.semaphore
    }

    /// The number of permits in claims.
    pub fn held(&self) -> u32 {
        self.claims().iter().map(|claim| claim.count).sum()
    }

    /// The claims.
    fn claims(&self) -> Vec<Claim> {
        slots::held(&self.semaphore).map(|(_, claim)| claim).collect()
    }

    /// The claims, each with the process ID of a holder: the command, the `ipc` that is about to start
    /// it, or another process that the command left running. `None` if it is not visible.
    ///
    /// The process IDs in slots may be those of another PID namespace, or of processes that have
    /// ended, so they are compared with the descriptors that processes have.
    pub fn holders(&self) -> Vec<(Option<i32>, Claim)> {
        let claims: Vec<_> = slots::held(&self.semaphore).collect();
        if claims.is_empty() {
            // The search for locks looks into every process.
            return Vec::new();
        }
        let locks = lock_table::of_file(self.semaphore.status()).unwrap_or_default();
        let seen = |slot| {
            let at = lease::lock_of(slot).range.start as u64;
            let of_slot = locks.iter().filter(move |lock| lock.entry.start == at);
            of_slot.flat_map(|lock| lock.pids.iter().copied()).collect::<Vec<i32>>()
        };
        let with_holder = |(slot, claim): (usize, Claim)| (claim.holder_among(&seen(slot)), claim);
        claims.into_iter().map(with_holder).collect()
    }

    /// Repeats an attempt to decrement the value by `count` until it succeeds or `deadline` has passed.
    /// A success in memory that was lost is an error.
    fn attempt<T>(
        &self,
        count: u32,
        deadline: Deadline,
        attempt: impl Fn() -> Result<Option<T>, Error>,
    ) -> Result<Waited<T>, Error> {
        let enough = || (self.semaphore.value() >= count).then_some(());
        let waited = match attempt()? {
            Some(acquired) => Waited::Done(acquired),
            None if deadline.has_passed() => Waited::TimedOut,
            None => match Spin::default().retry(enough).map(|()| attempt()).transpose()? {
                Some(Some(acquired)) => Waited::Done(acquired),
                _ => self.wait(count, deadline, attempt)?,
            },
        };
        self.semaphore.verify()?;
        Ok(waited)
    }

    /// Waits as a waiter that the semaphore counts.
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
            Waited::Done(Turn::Acquired(acquired)) => Ok(Waited::Done(acquired)),
            Waited::Done(Turn::Next(_turn)) => self.sleep_and_attempt(count, deadline, attempt),
            Waited::TimedOut => Ok(Waited::TimedOut),
        }
    }

    /// Sleeps and attempts. Only one waiter for several permits may be here: a waiter passes on a
    /// wake-up for a value that is too small, and two such waiters would wake each other without end.
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
                && let Some(acquired) = attempt()?
            {
                return Ok(Waited::Done(acquired));
            }
            if woken && 0 < value && value < count {
                self.semaphore.wake(1);
            }
            if deadline.has_passed() {
                return Ok(Waited::TimedOut);
            }
            if value >= count {
                // Another process was faster, or is stopped while it changes slots.
                continue;
            }
            if watch.is_none() && self.semaphore.has_slots() {
                watch = Watch::start(self).ok();
            }
            woken = self.sleep(value, deadline)?;
        }
    }

    /// Sleeps while the value is this; whether another process has woken this one.
    fn sleep(&self, value: u32, deadline: Deadline) -> Result<bool, Error> {
        let slept = self.semaphore.sleep(value, deadline.min(Deadline::after(CHECK_INTERVAL)))?;
        self.semaphore.verify()?;
        if slept == Waited::TimedOut {
            self.reclaim()?;
        }
        Ok(slept == Waited::Done(()))
    }

    /// Waits to be the next waiter for several permits.
    fn wait_for_turn<T>(
        &self,
        deadline: Deadline,
        attempt: impl Fn() -> Result<Option<T>, Error>,
    ) -> Result<Waited<Turn<'_, T>>, Error> {
        loop {
            // The next waiter may be stopped, so this one attempts as well.
            let moment = deadline.min(Deadline::after(CHECK_INTERVAL));
            if let Some(turn) = Lock::of_byte(byte::TURN).guard(&self.semaphore, moment)? {
                return Ok(Waited::Done(Turn::Next(turn)));
            }
            self.reclaim()?;
            if let Some(acquired) = attempt()? {
                return Ok(Waited::Done(Turn::Acquired(acquired)));
            }
            if deadline.has_passed() {
                return Ok(Waited::TimedOut);
            }
        }
    }
}

impl Semaphore for RobustSemaphore {
    fn value(&self) -> Result<u32, Error> {
        let value = self.semaphore.value();
        self.semaphore.verify()?;
        Ok(value)
    }

    fn increment(&self, count: u32, _: AtExit) -> Result<(), Error> {
        self.semaphore.increment(count)
    }

    fn decrement(&self, count: u32, _: AtExit, deadline: Deadline) -> Result<Waited, Error> {
        self.attempt(count, deadline, || Ok(self.semaphore.try_decrement(count).then_some(())))
    }

    /// Without the right to change slots, whether permits are held cannot be known: [`Error::Busy`].
    fn set(&self, value: u32) -> Result<(), Error> {
        let exclusive = self.exclusively(Deadline::PASSED)?.ok_or(Error::Busy)?;
        exclusive.reclaim()?;
        match self.held() {
            0 => self.semaphore.set(value),
            held => Err(Error::Held(held)),
        }
    }

    fn acquire(&self, count: u32, deadline: Deadline) -> Result<Waited<Permit<'_>>, Error> {
        let lease = self.attempt(count, deadline, || self.try_lease(count, deadline))?;
        Ok(lease.map(Permit::Lease))
    }

    fn guard(
        self: Box<Self>,
        deadline: Deadline,
        before: &mut dyn FnMut(&dyn Semaphore),
    ) -> Result<Waited<Box<dyn Guard>>, Error> {
        let permit = RegisteredPermit::acquire(*self, deadline, before)?;
        Ok(permit.map(|permit| Box::new(permit) as Box<dyn Guard>))
    }

    fn users(&self) -> Vec<User> {
        let user = |claim: Claim| match claim.command {
            0 => User::Holder(claim.supervisor, claim.count),
            command => User::Holder(command, claim.count),
        };
        self.claims().into_iter().map(user).collect()
    }

    fn found(&self) -> Result<Found, Error> {
        self.semaphore.found(&self.name)
    }

    /// The file is complete before it has its name.
    fn wait_until_complete(&self, _: u32) -> Result<(), Error> {
        Ok(())
    }

    fn set_size(&self) -> Result<Option<u16>, Error> {
        Ok(None)
    }

    fn reset(&self, value: u32) -> Result<(), Error> {
        self.set(value)
    }

    fn set_mode(&self, mode: u32) -> Result<(), Error> {
        Ok(self.semaphore.set_mode(mode)?)
    }
}

/// How the wait for the turn of this process ended.
enum Turn<'a, T> {
    /// It is the next waiter.
    Next(lock::Guard<'a>),
    /// It has acquired the permits without its turn.
    Acquired(T),
}
