//! Leases of permits, and reclaiming those whose holders have ended.

use std::os::fd::OwnedFd;

use crate::base::deadline::{Deadline, Waited};
use crate::base::name::SemaphoreName;
use crate::mechanism::file_mutex;
use crate::mechanism::semaphore::Error;
use crate::mechanism::semaphore::posix::{PosixSemaphore, SLOTS};
use crate::mechanism::semaphore::robust::slots::{self, Claim};
use crate::mechanism::semaphore::robust::{RobustSemaphore, byte};
use crate::sys::descriptor;
use crate::sys::lock::{Guard, Lock};

/// Permits that are held by a descriptor, and so by each process that inherits it.
#[derive(Debug)]
pub struct Lease<'a> {
    semaphore: &'a RobustSemaphore,
    index: usize,
    claim: Claim,
    descriptor: OwnedFd,
}

impl Lease<'_> {
    /// The descriptor.
    pub fn descriptor(&self) -> &OwnedFd {
        &self.descriptor
    }

    /// Records which process has inherited the descriptor, for the processes that watch for its end.
    pub fn name_command(&mut self, pid: i32) {
        let semaphore = &self.semaphore.semaphore;
        self.claim = slots::name_command(semaphore, self.index, self.claim, pid);
        self.semaphore.announce();
    }

    /// Closes the descriptor, and releases the permits unless another process has it.
    pub fn release(self) -> Result<(), Error> {
        drop(self.descriptor);
        self.semaphore.reclaim()?;
        self.semaphore.semaphore.verify()
    }
}

impl RobustSemaphore {
    /// The number of permits that no process holds any more and that were not reclaimed yet.
    pub fn abandoned(name: &SemaphoreName) -> Result<u32, Error> {
        let semaphore = PosixSemaphore::open(name)?;
        let mut count = 0;
        for (index, claim) in slots::held(&semaphore) {
            if !lock_of(index).is_excluded(&semaphore)? {
                count += claim.count;
            }
        }
        Ok(count)
    }

    /// Reclaims the permits that no process holds any more. Without claims, which is the usual case,
    /// this only reads the slots.
    pub fn reclaim(&self) -> Result<(), Error> {
        if !slots::are_used(&self.semaphore) {
            return Ok(());
        }
        // A process that changes slots at this moment reclaims as well.
        match self.exclusively(Deadline::PASSED)? {
            Some(exclusive) => exclusive.reclaim(),
            None => Ok(()),
        }
    }

    /// Acquires permits if the value is large enough once slots may be changed.
    pub(super) fn try_lease(
        &self,
        count: u32,
        deadline: Deadline,
    ) -> Result<Option<Lease<'_>>, Error> {
        let Some(exclusive) = self.exclusively(deadline)? else { return Ok(None) };
        exclusive.reclaim()?;
        if self.semaphore.value() < count {
            return Ok(None);
        }
        self.semaphore.add_slots()?;
        let descriptor = descriptor::out_of_the_way(self.semaphore.new_description()?);
        let index = exclusive.lock_free_slot(&descriptor)?;
        let claim = Claim { count, supervisor: std::process::id() as i32, command: 0 };
        if !slots::acquire(&self.semaphore, index, claim) {
            return Ok(None);
        }
        drop(exclusive);
        self.announce();
        Ok(Some(Lease { semaphore: self, index, claim, descriptor }))
    }

    /// Notifies the processes that watch for the ends of holders of a changed claim.
    fn announce(&self) {
        // After a failure they see the change within a second.
        let _ = self.semaphore.announce();
    }

    /// The right to change slots; `None` if another process does not release it. A change that a
    /// killed process has left incomplete is completed first.
    pub(super) fn exclusively(&self, deadline: Deadline) -> Result<Option<Exclusive<'_>>, Error> {
        let (semaphore, changer) = (&self.semaphore, self.semaphore.changer());
        let locked = file_mutex::lock(semaphore, byte::CLAIMS, changer, deadline)?;
        Ok(locked.map(|locked| {
            slots::recover(&self.semaphore);
            Exclusive { semaphore: &self.semaphore, _locked: locked }
        }))
    }
}

/// The right to change slots.
pub(super) struct Exclusive<'a> {
    semaphore: &'a PosixSemaphore,
    _locked: Guard<'a>,
}

impl Exclusive<'_> {
    /// Reclaims the permits that no process holds any more.
    pub(super) fn reclaim(&self) -> Result<(), Error> {
        for (index, claim) in slots::held(self.semaphore) {
            if !lock_of(index).is_excluded(self.semaphore)? {
                slots::release(self.semaphore, index, claim);
            }
        }
        Ok(())
    }

    /// Locks the byte of a free slot. It skips a byte that a process has locked without a claim.
    fn lock_free_slot(&self, descriptor: &OwnedFd) -> Result<usize, Error> {
        for index in slots::free(self.semaphore) {
            let locked = lock_of(index).wait(descriptor, Deadline::PASSED);
            match locked? {
                Waited::Done(()) => return Ok(index),
                Waited::TimedOut => {}
            }
        }
        Err(Error::Full(SLOTS))
    }
}

/// The lock by which a process holds the claim in a slot.
pub(super) fn lock_of(slot: usize) -> Lock {
    Lock::of_byte(byte::FIRST_SLOT + slot as i64)
}
