//! System V semaphores, which come in sets: sysvipc(7), semop(2).

use std::ffi::{c_int, c_ulong, c_ushort};
use std::mem::MaybeUninit;

use nix::sys::time::TimeSpec;

use super::system_v::{self, Kind, NEW, OURS, Row, Target, Unfinished};
use super::time;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;

/// The greatest value: SEMVMX.
pub const VALUE_MAX: u32 = i16::MAX as u32;

/// What becomes of a change when the process that made it ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AtEnd {
    /// It stays.
    Keep,
    /// The kernel reverts it: SEM_UNDO. A process that becomes another program is still the same.
    Undo,
}

/// A set of semaphores. The kernel has no handles to these: any process may use an identifier at
/// any time, and the set ends when it is removed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Set {
    id: c_int,
}

/// `struct semid_ds`, of which only the beginning is of use here. Not every C library has it.
#[repr(C)]
struct Status {
    permissions: libc::ipc_perm,
    rest: [c_ulong; 16],
}

impl Set {
    /// Creates a set of `count` semaphores with this value each, and exactly these permissions; the
    /// umask has no say in them. HUP, INT and TERM that come meanwhile remove it.
    ///
    /// One change of all semaphores finishes it. That gives it a time of use, so a set without one is
    /// unfinished, or of a program that sets values, which leaves no such time. The units are added
    /// rather than set, so that none is lost which somebody posts meanwhile.
    ///
    /// # Errors
    /// EEXIST; EINVAL for more semaphores than a set may have, and for an identifier; ENOSPC if
    /// there are as many sets or semaphores as there may be; ERANGE.
    pub fn create(target: Target, count: u16, value: u32, mode: u32) -> Result<Self, Errno> {
        let key = target.new_key()?;
        let amount = i16::try_from(value).map_err(|_| Errno(libc::ERANGE))?;
        let at_once = limits().operations;
        let made =
            Unfinished::make(Kind::Set, || get(key, count.into(), NEW | (mode | OURS) as c_int))?;
        let set = Self { id: made.id() };
        if u64::from(count) <= at_once {
            set.add_to_each(count, amount)?;
        } else {
            set.set_all_in_two_steps(count, amount)?;
        }
        // Until then its maker may do more than it shall, and nobody else may.
        if mode & OURS != OURS {
            set.set_mode(mode)?;
        }
        made.keep();
        Ok(set)
    }

    /// Finds an existing set of this many semaphores, and gives each of them this value. What was to
    /// be undone at them is forgotten.
    ///
    /// # Errors
    /// EACCES for those who may not change it.
    pub fn reset(self, count: u16, value: u32) -> Result<(), Errno> {
        let amount = i16::try_from(value).map_err(|_| Errno(libc::ERANGE))?;
        self.set_all_in_two_steps(count, amount)
    }

    fn add_to_each(self, count: u16, amount: i16) -> Result<(), Errno> {
        let operations: Vec<libc::sembuf> =
            (0..count).map(|index| operation(index, amount, 0)).collect();
        self.operate(&operations, Deadline::PASSED).map(drop)
    }

    /// For more semaphores than are changed at once: the change of the first one, which is the last
    /// to be made, gives the set its time of use.
    fn set_all_in_two_steps(self, count: u16, amount: i16) -> Result<(), Errno> {
        let mut values = vec![amount as c_ushort; count.into()];
        values[0] = 0;
        // SAFETY: the kernel reads a value for each semaphore, and the values live through the call.
        Errno::check(unsafe { libc::semctl(self.id, 0, libc::SETALL, values.as_ptr()) })?;
        self.add_to_each(1, amount)
    }

    /// The values of all its `count` semaphores.
    ///
    /// # Errors
    /// EACCES for those who may not read it.
    pub fn values(self, count: u16) -> Result<Vec<c_ushort>, Errno> {
        let mut values = vec![0; count.into()];
        // SAFETY: the kernel writes a value for each semaphore, and the values live through the call.
        Errno::check(unsafe { libc::semctl(self.id, 0, libc::GETALL, values.as_mut_ptr()) })?;
        Ok(values)
    }

    /// Gives it other permissions.
    ///
    /// # Errors
    /// EPERM for those who are neither its owner nor its maker.
    pub fn set_mode(self, mode: u32) -> Result<(), Errno> {
        let mut status = MaybeUninit::<Status>::zeroed();
        // SAFETY: the kernel writes the structure, which lives through the call and is no smaller.
        Errno::check(unsafe { libc::semctl(self.id, 0, libc::IPC_STAT, status.as_mut_ptr()) })?;
        // SAFETY: all zeros would have been valid, and the kernel wrote it.
        let mut status = unsafe { status.assume_init() };
        status.permissions.mode = mode as _;
        // SAFETY: the kernel reads the structure, which lives through the call.
        Errno::check(unsafe { libc::semctl(self.id, 0, libc::IPC_SET, &raw mut status) })
    }

    /// Finds an existing set. Permission is asked for by what is then done.
    ///
    /// # Errors
    /// ENOENT if there is none.
    pub fn open(target: Target) -> Result<Self, Errno> {
        target.find(|key| get(key, 0, 0), |id| control(id, 0, libc::GETVAL)).map(|id| Self { id })
    }

    /// Its identifier.
    pub fn id(self) -> i32 {
        self.id
    }

    /// Removes it. Those who wait are told with EIDRM.
    pub fn remove(self) -> Result<(), Errno> {
        control(self.id, 0, libc::IPC_RMID).map(drop)
    }

    /// Adds `count` units to a semaphore, all at once.
    ///
    /// # Errors
    /// ERANGE if it would have too many; EFBIG if the set has no such semaphore.
    pub fn post(self, index: u16, count: u32, at_end: AtEnd) -> Result<(), Errno> {
        let amount = i16::try_from(count).map_err(|_| Errno(libc::ERANGE))?;
        match self.operate(&[operation(index, amount, at_end.flag())], Deadline::NEVER)? {
            Waited::Done(()) | Waited::TimedOut => Ok(()),
        }
    }

    /// Takes `count` units from a semaphore, all at once, waiting for them until `deadline`.
    ///
    /// # Errors
    /// ERANGE for more than it can ever have; EFBIG if the set has no such semaphore; EIDRM if it
    /// is removed meanwhile; ENOSPC if there is no room to note what is to be undone.
    pub fn take(
        self,
        index: u16,
        count: u32,
        at_end: AtEnd,
        deadline: Deadline,
    ) -> Result<Waited, Errno> {
        let amount = i16::try_from(count).map_err(|_| Errno(libc::ERANGE))?;
        self.operate(&[operation(index, -amount, at_end.flag())], deadline)
    }

    /// The number of units of a semaphore.
    pub fn value(self, index: u16) -> Result<u32, Errno> {
        control(self.id, index, libc::GETVAL)
    }

    /// The number of those who wait for units of a semaphore.
    pub fn waiters(self, index: u16) -> Result<u32, Errno> {
        control(self.id, index, libc::GETNCNT)
    }

    /// The number of those who wait for a semaphore to have none.
    pub fn zero_waiters(self, index: u16) -> Result<u32, Errno> {
        control(self.id, index, libc::GETZCNT)
    }

    /// The process that changed a semaphore last; 0 if none did.
    pub fn last_pid(self, index: u16) -> Result<u32, Errno> {
        control(self.id, index, libc::GETPID)
    }

    /// Sets the number of units of a semaphore. What was to be undone at it is forgotten.
    ///
    /// # Errors
    /// ERANGE; EINVAL if the set has no such semaphore.
    pub fn set_value(self, index: u16, value: u32) -> Result<(), Errno> {
        let value = c_int::try_from(value).map_err(|_| Errno(libc::ERANGE))?;
        // SAFETY: this command takes a number.
        let result = unsafe { libc::semctl(self.id, index.into(), libc::SETVAL, value) };
        Errno::check(result)
    }

    /// Its line in the kernel's table, whoever may read the set itself.
    ///
    /// # Errors
    /// ENOENT if it has been removed.
    pub fn row(self) -> Result<Row, Errno> {
        system_v::row("sem", self.id)
    }

    /// Makes changes, all at once. The kernel takes the time that is left rather than a deadline,
    /// so that is found anew after each interruption.
    fn operate(self, operations: &[libc::sembuf], deadline: Deadline) -> Result<Waited, Errno> {
        loop {
            let left = deadline.remaining().map(TimeSpec::from_duration);
            // SAFETY: the operations and the time live through the call.
            let result = unsafe {
                libc::syscall(
                    libc::SYS_semtimedop,
                    self.id,
                    operations.as_ptr(),
                    operations.len(),
                    time::pointer(left.as_ref()),
                )
            };
            match (result, Errno::last()) {
                (0, _) => return Ok(Waited::Done(())),
                (_, Errno(libc::EAGAIN)) if deadline.has_passed() => return Ok(Waited::TimedOut),
                (_, Errno(libc::EAGAIN | libc::EINTR)) => {}
                // There is no such set any more.
                (_, Errno(libc::EINVAL)) => return Err(Errno(libc::EIDRM)),
                (_, errno) => return Err(errno),
            }
        }
    }
}

impl AtEnd {
    fn flag(self) -> c_int {
        match self {
            Self::Keep => 0,
            Self::Undo => libc::SEM_UNDO,
        }
    }
}

/// What the kernel allows: kernel.sem.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Semaphores in a set: SEMMSL.
    pub per_set: u64,
    /// Semaphores in all sets: SEMMNS.
    pub semaphores: u64,
    /// Changes that are made at once: SEMOPM.
    pub operations: u64,
    /// Sets: SEMMNI.
    pub sets: u64,
}

/// `struct seminfo`, which not every C library has.
#[derive(Default)]
#[repr(C)]
struct Info {
    map: c_int,
    sets: c_int,
    semaphores: c_int,
    undos: c_int,
    per_set: c_int,
    operations: c_int,
    undos_of_process: c_int,
    undo_size: c_int,
    greatest_value: c_int,
    greatest_undo: c_int,
}

/// The limits at this moment, as the kernel itself has them: they need no /proc.
pub fn limits() -> Limits {
    let mut info = Info::default();
    // SAFETY: the kernel writes the structure, which lives through the call.
    let result = unsafe { libc::semctl(0, 0, libc::IPC_INFO, &raw mut info) };
    if result < 0 {
        // A kernel without System V objects has the limits of none.
        return Limits { per_set: 0, semaphores: 0, operations: 0, sets: 0 };
    }
    let number = |number: c_int| u64::try_from(number).unwrap_or(0);
    Limits {
        per_set: number(info.per_set),
        semaphores: number(info.semaphores),
        operations: number(info.operations),
        sets: number(info.sets),
    }
}

/// All sets of this IPC namespace: key, semid, perms, nsems, uid, gid, cuid, cgid, otime and ctime.
pub fn list() -> Result<Vec<Row>, Errno> {
    system_v::table("sem")
}

fn operation(index: u16, amount: i16, flags: c_int) -> libc::sembuf {
    libc::sembuf { sem_num: index as c_ushort, sem_op: amount, sem_flg: flags as i16 }
}

fn get(key: c_int, count: c_int, flags: c_int) -> Result<c_int, Errno> {
    // SAFETY: the call takes numbers only.
    let id = unsafe { libc::semget(key, count, flags) };
    if id < 0 { Err(Errno::last()) } else { Ok(id) }
}

/// A command that takes no argument.
fn control(id: c_int, index: u16, command: c_int) -> Result<u32, Errno> {
    // SAFETY: the command takes no argument.
    let result = unsafe { libc::semctl(id, index.into(), command) };
    u32::try_from(result).map_err(|_| Errno::last())
}
