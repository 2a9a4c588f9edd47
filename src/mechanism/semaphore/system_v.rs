//! Semaphores of System V sets: the kernel keeps the value and reverts changes when a process exits.
//!
//! A set is complete when it was changed once. A set is created with the value 0 in each semaphore, and
//! one change gives all of them their value, which gives the set a time of use. A program that sets
//! values instead leaves no such time, so its sets are recognized by their values.

use crate::base::deadline::{Deadline, Waited, announced};
use crate::base::errno::Errno;
use crate::base::name::SystemVName;
use crate::mechanism::semaphore::{Error, Guard, Permit, Properties, Semaphore, User};
use crate::mechanism::system_v_object::{Kind, Unfinished, wait_for_maker};
use crate::sys::origin::Found;
use crate::sys::system_v::{NewObject, OURS, Row, Target};
use crate::sys::system_v_semaphore::{self, AtExit, Set};

pub use crate::sys::system_v_semaphore::{VALUE_MAX, list};

/// One semaphore of a set.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    set: Set,
    index: u16,
}

impl Member {
    /// The semaphore of this index in an existing set.
    pub fn open(name: &SystemVName, index: u16) -> Result<Self, Error> {
        Ok(Self { set: open(name)?, index })
    }

    /// The error of a call that names the semaphore.
    fn error(&self, errno: Errno) -> Error {
        match errno {
            Errno(libc::EFBIG | libc::EINVAL) => match self.set.row() {
                Ok(row) => Error::NoMember { index: self.index, count: row.number("nsems") },
                Err(_) => Error::Removed,
            },
            errno => of_change(errno),
        }
    }

    fn row(&self) -> Result<Row, Error> {
        Ok(self.set.row()?)
    }

    fn has_value(&self, row: &Row, value: u32) -> bool {
        let values = self.set.values(count(row));
        values.is_ok_and(|values| values.iter().all(|&there| u32::from(there) == value))
    }
}

impl Semaphore for Member {
    fn value(&self) -> Result<u32, Error> {
        self.set.value(self.index).map_err(|errno| self.error(errno))
    }

    fn increment(&self, count: u32, at_exit: AtExit) -> Result<(), Error> {
        let added = self.set.add(self.index, amount(count)?, at_exit);
        added.map_err(|errno| self.error(errno))
    }

    fn decrement(&self, count: u32, at_exit: AtExit, deadline: Deadline) -> Result<Waited, Error> {
        let subtracted = self.set.subtract(self.index, amount(count)?, at_exit, deadline);
        subtracted.map_err(|errno| self.error(errno))
    }

    fn wait_for_zero(&self, deadline: Deadline) -> Result<Waited, Error> {
        self.set.wait_for_zero(self.index, deadline).map_err(|errno| self.error(errno))
    }

    fn set(&self, value: u32) -> Result<(), Error> {
        self.set.set_value(self.index, value).map_err(|errno| self.error(errno))
    }

    fn acquire(&self, count: u32, deadline: Deadline) -> Result<Waited<Permit<'_>>, Error> {
        Ok(self.decrement(count, AtExit::Undo, deadline)?.map(|()| Permit::OfProcess))
    }

    fn guard(
        self: Box<Self>,
        deadline: Deadline,
        before: &mut dyn FnMut(&dyn Semaphore),
    ) -> Result<Waited<Box<dyn Guard>>, Error> {
        let acquire = |until| self.decrement(1, AtExit::Undo, until);
        let acquired = announced(deadline, || before(&*self), acquire)?;
        Ok(acquired.map(|()| Box::new(UndonePermit(*self)) as Box<dyn Guard>))
    }

    fn users(&self) -> Vec<User> {
        let last = self.set.last_pid(self.index).ok().and_then(|pid| i32::try_from(pid).ok());
        last.filter(|&pid| pid > 0).map(User::Last).into_iter().collect()
    }

    fn found(&self) -> Result<Found, Error> {
        Ok(self.row()?.found())
    }

    fn wait_until_complete(&self, value: u32) -> Result<(), Error> {
        let completed = wait_for_maker(|| {
            let row = self.set.row()?;
            Ok(row.number("otime") != 0 || self.has_value(&row, value))
        });
        match completed? {
            Waited::Done(()) => Ok(()),
            Waited::TimedOut => Err(Error::Incomplete),
        }
    }

    fn set_size(&self) -> Result<Option<u16>, Error> {
        Ok(Some(count(&self.row()?)))
    }

    fn reset(&self, value: u32) -> Result<(), Error> {
        let amount = amount(value)?;
        set_all(self.set, count(&self.row()?), amount).map_err(of_change)
    }

    fn set_mode(&self, mode: u32) -> Result<(), Error> {
        Ok(self.set.set_mode(mode)?)
    }
}

/// A permit that the kernel releases if the process ends before the drop does.
#[derive(Debug)]
struct UndonePermit(Member);

impl Guard for UndonePermit {}

impl Drop for UndonePermit {
    fn drop(&mut self) {
        // It fails only if the set was removed: the value was larger before.
        let _ = self.0.increment(1, AtExit::Undo);
    }
}

/// Finds an existing set.
pub fn open(name: &SystemVName) -> Result<Set, Error> {
    Ok(Set::open(Target::new(name)?)?)
}

/// Removes a set. Its waiters fail with [`Error::Removed`].
pub fn remove(name: &SystemVName) -> Result<(), Error> {
    open(name)?.remove().map_err(of_change)
}

/// Whether each creation makes a new set.
pub fn is_private(name: &SystemVName) -> bool {
    Target::new(name).is_ok_and(Target::is_private)
}

/// Creates a set with exactly these permissions.
///
/// The values are added rather than set, so that increments of other processes in between are not
/// lost.
pub fn create(name: &SystemVName, properties: Properties) -> Result<NewObject, Error> {
    let target = Target::new(name)?;
    let key = target.new_key().map_err(|_| Error::Identifier)?;
    let Properties { value, set_size, mode } = properties;
    let amount = amount(value)?;
    let at_once = system_v_semaphore::limits().operations;
    // The creator needs access until the set is complete.
    let make = || system_v_semaphore::create(key, set_size, mode | OURS);
    let made =
        Unfinished::make(Kind::Set, || make().map_err(|errno| not_created(errno, set_size)))?;
    let set = Set::of_id(made.id());
    let filled = match u64::from(set_size) <= at_once {
        true => set.add_to_each(set_size, amount),
        false => set_all(set, set_size, amount),
    };
    filled.map_err(of_change)?;
    if mode & OURS != OURS {
        set.set_mode(mode)?;
    }
    Ok(NewObject { id: made.keep(), is_private: target.is_private() })
}

/// Sets all values, where one call cannot add to all semaphores: the change of the first semaphore
/// comes last and gives the set its time of use.
fn set_all(set: Set, count: u16, amount: i16) -> Result<(), Errno> {
    let mut values = vec![amount.cast_unsigned(); count.into()];
    values[0] = 0;
    set.set_values(&values)?;
    set.add_to_each(1, amount)
}

fn count(row: &Row) -> u16 {
    u16::try_from(row.number("nsems")).unwrap_or(u16::MAX)
}

fn amount(count: u32) -> Result<i16, Error> {
    i16::try_from(count).map_err(|_| Error::Overflow { maximum: VALUE_MAX })
}

fn of_change(errno: Errno) -> Error {
    match errno {
        Errno(libc::ERANGE) => Error::Overflow { maximum: VALUE_MAX },
        // A change that the kernel does not have to revert needs no room.
        Errno(libc::ENOSPC) => Error::UndoFull,
        errno => errno.into(),
    }
}

/// Finds the limit that a creation has run into.
fn not_created(errno: Errno, count: u16) -> Error {
    let limits = system_v_semaphore::limits();
    match errno {
        Errno(libc::EINVAL) if u64::from(count) > limits.per_set => {
            Error::SetTooLarge { count, maximum: limits.per_set }
        }
        Errno(libc::ENOSPC) => {
            let rows = list().unwrap_or_default();
            let sets = rows.len() as u64;
            if sets >= limits.sets {
                return Error::TooManySets { sets, maximum: limits.sets };
            }
            let used = rows.iter().map(|row| row.number("nsems")).sum();
            Error::TooManySemaphores { count, used, maximum: limits.semaphores }
        }
        errno => errno.into(),
    }
}
