//! Semaphores: one interface, and an engine for each kind of name.
//!
//! A semaphore has a value. Decrementing waits until the value is large enough. A permit is a part of
//! the value that a process holds and that comes back when the process exits.

mod error;
pub mod posix;
pub mod robust;
pub mod system_v;

use std::fmt::Debug;
use std::path::PathBuf;

use crate::base::deadline::{Deadline, Waited};
use crate::base::name::{AnyName, SemaphoreName};
use crate::mechanism::ownership::NewOwnership;
use crate::sys::origin::Found;
use crate::sys::system_v::{Kind, NewObject};

use self::robust::{Lease, RobustSemaphore};
use self::system_v::Member;

pub use self::error::Error;
pub use crate::sys::system_v_semaphore::AtExit;

/// The name of a semaphore, or of a set of them. Its kind chooses the engine.
pub type Name = AnyName<251>;

/// An open semaphore. Dropping it closes it; the name stays.
pub trait Semaphore: Debug {
    /// The value at this moment.
    fn value(&self) -> Result<u32, Error>;

    /// Increments the value by `count`. Only System V semaphores can undo that.
    ///
    /// # Errors
    /// [`Error::Overflow`], with nothing changed.
    fn increment(&self, count: u32, at_exit: AtExit) -> Result<(), Error>;

    /// Decrements the value by `count`, waiting until it is large enough or `deadline` has passed. A
    /// deadline that has passed already is a try. Only System V semaphores can undo it.
    fn decrement(&self, count: u32, at_exit: AtExit, deadline: Deadline) -> Result<Waited, Error>;

    /// Waits until the value is 0 or `deadline` has passed.
    ///
    /// # Errors
    /// [`Error::NoWaitForZero`].
    fn wait_for_zero(&self, _deadline: Deadline) -> Result<Waited, Error> {
        Err(Error::NoWaitForZero)
    }

    /// Sets the value.
    ///
    /// # Errors
    /// [`Error::Held`] where permits that commands hold would be counted twice.
    fn set(&self, value: u32) -> Result<(), Error>;

    /// Acquires `count` permits for a COMMAND, waiting as [`Semaphore::decrement`] does.
    fn acquire(&self, count: u32, deadline: Deadline) -> Result<Waited<Permit<'_>>, Error>;

    /// Acquires one permit for this process, waiting as [`Semaphore::decrement`] does. Calls `before`
    /// first where it has to wait.
    fn guard(
        self: Box<Self>,
        deadline: Deadline,
        before: &mut dyn FnMut(&dyn Semaphore),
    ) -> Result<Waited<Box<dyn Guard>>, Error>;

    /// The processes that are known to have decremented the value.
    fn users(&self) -> Vec<User>;

    /// The creator and the permissions.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the name leads to another semaphore by now.
    fn found(&self) -> Result<Found, Error>;

    /// Waits until the creator has completed the semaphore, or it has `value` all the same.
    ///
    /// # Errors
    /// [`Error::Incomplete`] after a second.
    fn wait_until_complete(&self, value: u32) -> Result<(), Error>;

    /// The number of semaphores in the set; `None` for a semaphore that is in none.
    fn set_size(&self) -> Result<Option<u16>, Error>;

    /// Sets the value of the semaphore, or of all semaphores of the set.
    ///
    /// # Errors
    /// Those of [`Semaphore::set`].
    fn reset(&self, value: u32) -> Result<(), Error>;

    /// Changes the permissions.
    fn set_mode(&self, mode: u32) -> Result<(), Error>;
}

/// Permits for a COMMAND.
#[derive(Debug)]
pub enum Permit<'a> {
    /// COMMAND holds them by a descriptor that it inherits.
    Lease(Lease<'a>),
    /// This process holds them until it exits, so it has to become COMMAND.
    OfProcess,
}

/// A permit that is released on drop, and before HUP, INT or TERM end the process.
pub trait Guard: Debug {}

/// A process that has decremented a semaphore.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum User {
    /// This process holds so many permits.
    Holder(i32, u32),
    /// This process changed the semaphore last, and the kernel knows no other.
    Last(i32),
}

/// The properties of a new semaphore.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Properties {
    /// The value.
    pub value: u32,
    /// The number of semaphores in a set.
    pub set_size: u16,
    /// The permissions, whatever the umask.
    pub mode: u32,
}

/// Opens an existing semaphore; in a set, the one of this index.
///
/// # Errors
/// [`Error::NotFound`].
pub fn open(name: &Name, index: u16) -> Result<Box<dyn Semaphore>, Error> {
    Ok(match name {
        Name::Posix(name) => Box::new(RobustSemaphore::open(name)?),
        Name::SystemV(name) => Box::new(Member::open(name, index)?),
    })
}

/// Creates a semaphore; returns the object if it is one of System V.
///
/// # Errors
/// [`Error::Exists`].
pub fn create(name: &Name, properties: Properties) -> Result<Option<NewObject>, Error> {
    match name {
        Name::Posix(name) => {
            posix::create(name, properties.value, properties.mode)?;
            Ok(None)
        }
        Name::SystemV(name) => system_v::create(name, properties).map(Some),
    }
}

/// The file of a POSIX semaphore.
pub fn path(name: &SemaphoreName) -> PathBuf {
    posix::path(name)
}

/// Removes the name of a semaphore.
///
/// # Errors
/// [`Error::NotFound`].
pub fn remove(name: &Name) -> Result<(), Error> {
    match name {
        Name::Posix(name) => Ok(posix::unlink(name)?),
        Name::SystemV(name) => system_v::remove(name),
    }
}

/// Changes the owner and the permissions of a semaphore, without permission to open it.
///
/// # Errors
/// [`Error::NotFound`].
pub fn set_ownership(name: &Name, ownership: &NewOwnership) -> Result<(), Error> {
    match name {
        Name::Posix(name) => posix::set_ownership(name, ownership),
        Name::SystemV(name) => {
            let set = system_v::open(name)?;
            Ok(ownership.apply_to_system_v(Kind::Set, set.id())?)
        }
    }
}

/// The number of permits that commands hold; 0 for a semaphore that cannot be opened, or that does
/// not count them.
pub fn held(name: &Name) -> u32 {
    match name {
        Name::Posix(name) => RobustSemaphore::open(name).map_or(0, |semaphore| semaphore.held()),
        Name::SystemV(_) => 0,
    }
}

/// Whether a name means a new semaphore each time one is created.
pub fn is_private(name: &Name) -> bool {
    match name {
        Name::Posix(_) => false,
        Name::SystemV(name) => system_v::is_private(name),
    }
}

/// The maximum value of a semaphore of this name.
pub fn maximum(name: &Name) -> u32 {
    match name {
        Name::Posix(_) => posix::VALUE_MAX,
        Name::SystemV(_) => system_v::VALUE_MAX,
    }
}
