//! Claiming units, and giving back what nobody holds any more.

use std::os::fd::OwnedFd;

use crate::base::deadline::{Deadline, Waited};
use crate::mechanism::file_mutex;
use crate::mechanism::semaphore::posix::Semaphore;
use crate::mechanism::semaphore::robust::slots;
use crate::mechanism::semaphore::robust::slots::Claim;
use crate::mechanism::semaphore::robust::{Error, RobustSemaphore, byte};
use crate::sys::descriptor;
use crate::sys::lock::{self, Guard, Lock};

/// Units that are held. Who inherits the descriptor holds them as well.
#[derive(Debug)]
pub struct Hold<'a> {
    permits: &'a RobustSemaphore,
    index: usize,
    claim: Claim,
    grip: OwnedFd,
}

impl Hold<'_> {
    /// The descriptor by which they are held.
    pub fn descriptor(&self) -> &OwnedFd {
        &self.grip
    }

    /// Notes which process runs by them, for those who watch for its end.
    pub fn name_command(&mut self, pid: i32) {
        let semaphore = &self.permits.semaphore;
        self.claim = slots::name_command(semaphore, self.index, self.claim, pid);
        self.permits.announce();
    }

    /// Holds them no longer. They are given back, unless somebody else still holds them.
    pub fn release(self) -> Result<(), Error> {
        drop(self.grip);
        self.permits.reap()?;
        Ok(self.permits.semaphore.verify()?)
    }
}

impl RobustSemaphore {
    /// Gives back the units of claims that nobody holds. Where nobody has claims, which is most of
    /// the time, this is a look at the slots.
    pub fn reap(&self) -> Result<(), Error> {
        if !slots::are_used(&self.semaphore) {
            return Ok(());
        }
        // Whoever changes slots when this is in vain does this as well when he goes on.
        match self.exclusively(Deadline::PASSED)? {
            Some(exclusive) => exclusive.reap(),
            None => Ok(()),
        }
    }

    /// Claims units if there are as many now, or as soon as slots may be changed.
    pub(super) fn try_claim(
        &self,
        count: u32,
        deadline: Deadline,
    ) -> Result<Option<Hold<'_>>, Error> {
        let Some(exclusive) = self.exclusively(deadline)? else { return Ok(None) };
        exclusive.reap()?;
        if self.semaphore.value() < count {
            return Ok(None);
        }
        self.semaphore.add_slots()?;
        let grip = descriptor::out_of_the_way(self.semaphore.new_description()?);
        let index = exclusive.lock_free_slot(&grip)?;
        let claim = Claim { count, keeper: std::process::id() as i32, command: 0 };
        if !slots::take(&self.semaphore, index, claim) {
            return Ok(None);
        }
        drop(exclusive);
        self.announce();
        Ok(Some(Hold { permits: self, index, claim, grip }))
    }

    /// Lets those who watch for the ends of holders know that there is another one.
    fn announce(&self) {
        // They look again before long anyway.
        let _ = self.semaphore.announce();
    }

    /// The right to change slots; `None` if somebody else does not give it up. What one who was
    /// killed has left half done is completed first.
    pub(super) fn exclusively(&self, deadline: Deadline) -> Result<Option<Exclusive<'_>>, Error> {
        let (semaphore, changer) = (&self.semaphore, self.semaphore.changer());
        let locked = file_mutex::enter(semaphore, byte::CLAIMS, changer, deadline)?;
        Ok(locked.map(|locked| {
            slots::recover(&self.semaphore);
            Exclusive { semaphore: &self.semaphore, _locked: locked }
        }))
    }
}

/// The right to change slots.
pub(super) struct Exclusive<'a> {
    semaphore: &'a Semaphore,
    _locked: Guard<'a>,
}

impl Exclusive<'_> {
    /// Gives back the units of claims that nobody holds.
    pub(super) fn reap(&self) -> Result<(), Error> {
        for (index, claim) in slots::held(self.semaphore) {
            if !lock_of(index).is_excluded(self.semaphore)? {
                slots::give_back(self.semaphore, index, claim);
            }
        }
        Ok(())
    }

    /// Locks the byte of a slot that is free. A byte that somebody has locked who has no claim by
    /// it is passed over.
    fn lock_free_slot(&self, grip: &OwnedFd) -> Result<usize, Error> {
        for index in slots::free(self.semaphore) {
            match lock_of(index).acquire(grip, Deadline::PASSED).map_err(lock::Error::errno)? {
                Waited::Done(()) => return Ok(index),
                Waited::TimedOut => {}
            }
        }
        Err(Error::Full)
    }
}

/// The lock by which the claim in a slot is held.
pub(super) fn lock_of(slot: usize) -> Lock {
    Lock::of_byte(byte::FIRST_SLOT + slot as i64)
}
