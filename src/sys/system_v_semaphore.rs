//! System V semaphores, which come in sets: sysvipc(7), semop(2).

use std::ffi::{c_int, c_ushort};

use nix::sys::time::TimeSpec;

use super::system_v::{self, Kind, NEW, Row, Target};
use super::time;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;

/// The maximum value: SEMVMX.
pub const VALUE_MAX: u32 = i16::MAX as u32;

/// The action of the kernel on a change when the process that made it exits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AtExit {
    /// The change stays.
    Keep,
    /// The kernel reverts the change: SEM_UNDO. A process stays the same across execve(2).
    Undo,
}

impl AtExit {
    fn flag(self) -> c_int {
        match self {
            Self::Keep => 0,
            Self::Undo => libc::SEM_UNDO,
        }
    }
}

/// A set of semaphores. The kernel has no handles for these: any process may use an identifier at
/// any time, and the set exists until a process removes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Set {
    id: c_int,
}

/// Creates a set of `count` semaphores with the value 0; returns its identifier.
///
/// # Errors
/// EEXIST if the key has a set; EINVAL if `count` exceeds the maximum of a set; ENOSPC at a limit
/// of the kernel.
pub fn create(key: i32, count: u16, mode: u32) -> Result<i32, Errno> {
    get(key, count.into(), NEW | mode as c_int)
}

impl Set {
    /// Finds an existing set. The calls that use it check the permissions.
    ///
    /// # Errors
    /// ENOENT if the set does not exist.
    pub fn open(target: Target) -> Result<Self, Errno> {
        target.find(|key| get(key, 0, 0), |id| control(id, 0, libc::GETVAL)).map(Self::of_id)
    }

    /// The set with this identifier.
    pub fn of_id(id: i32) -> Self {
        Self { id }
    }

    /// The identifier.
    pub fn id(self) -> i32 {
        self.id
    }

    /// Removes the set. Waiting processes fail with EIDRM.
    pub fn remove(self) -> Result<(), Errno> {
        control(self.id, 0, libc::IPC_RMID).map(drop)
    }

    /// Adds to a semaphore.
    ///
    /// # Errors
    /// ERANGE if the value would be above the maximum; EFBIG if the set has no such semaphore;
    /// ENOSPC if the kernel cannot record the change to revert.
    pub fn add(self, index: u16, amount: i16, at_exit: AtExit) -> Result<(), Errno> {
        match self.change(&[operation(index, amount, at_exit)], Deadline::NEVER)? {
            Waited::Done(()) | Waited::TimedOut => Ok(()),
        }
    }

    /// Adds to each of the first `count` semaphores; `count` is at most SEMOPM.
    ///
    /// # Errors
    /// Those of [`Set::add`].
    pub fn add_to_each(self, count: u16, amount: i16) -> Result<(), Errno> {
        let operations: Vec<libc::sembuf> =
            (0..count).map(|index| operation(index, amount, AtExit::Keep)).collect();
        self.change(&operations, Deadline::PASSED).map(drop)
    }

    /// Subtracts from a semaphore, waiting until its value is large enough.
    ///
    /// # Errors
    /// EFBIG if the set has no such semaphore; EIDRM if the set is removed; ENOSPC if the kernel
    /// cannot record the change to revert.
    pub fn subtract(
        self,
        index: u16,
        amount: i16,
        at_exit: AtExit,
        deadline: Deadline,
    ) -> Result<Waited, Errno> {
        self.change(&[operation(index, -amount, at_exit)], deadline)
    }

    /// Waits until the value of a semaphore is 0.
    ///
    /// # Errors
    /// EFBIG if the set has no such semaphore; EIDRM if the set is removed.
    pub fn wait_for_zero(self, index: u16, deadline: Deadline) -> Result<Waited, Errno> {
        self.change(&[operation(index, 0, AtExit::Keep)], deadline)
    }

    /// Sets the values of all semaphores. The kernel discards the changes to revert at them.
    pub fn set_values(self, values: &[c_ushort]) -> Result<(), Errno> {
        // SAFETY: the caller has a value for each semaphore, and the values outlive the call.
        Errno::check(unsafe { libc::semctl(self.id, 0, libc::SETALL, values.as_ptr()) })
    }

    /// The values of all its `count` semaphores.
    ///
    /// # Errors
    /// EACCES if the process has no permission to read the set.
    pub fn values(self, count: u16) -> Result<Vec<c_ushort>, Errno> {
        let mut values = vec![0; count.into()];
        // SAFETY: the kernel writes a value for each semaphore, and the values outlive the call.
        Errno::check(unsafe { libc::semctl(self.id, 0, libc::GETALL, values.as_mut_ptr()) })?;
        Ok(values)
    }

    /// Changes the permissions.
    ///
    /// # Errors
    /// EPERM if the user is neither the owner nor the creator.
    pub fn set_mode(self, mode: u32) -> Result<(), Errno> {
        let mut status = Kind::Set.status(self.id)?;
        status.set_mode(mode);
        Kind::Set.set_status(self.id, status)
    }

    /// The value of a semaphore.
    pub fn value(self, index: u16) -> Result<u32, Errno> {
        control(self.id, index, libc::GETVAL)
    }

    /// The number of processes that wait for a larger value.
    pub fn waiters(self, index: u16) -> Result<u32, Errno> {
        control(self.id, index, libc::GETNCNT)
    }

    /// The number of processes that wait for the value 0.
    pub fn zero_waiters(self, index: u16) -> Result<u32, Errno> {
        control(self.id, index, libc::GETZCNT)
    }

    /// The process that changed a semaphore last; 0 if none did.
    pub fn last_pid(self, index: u16) -> Result<u32, Errno> {
        control(self.id, index, libc::GETPID)
    }

    /// Sets the value of a semaphore. The kernel discards the changes to revert at it.
    ///
    /// # Errors
    /// ERANGE if the value is above the maximum; EINVAL if the set has no such semaphore.
    pub fn set_value(self, index: u16, value: u32) -> Result<(), Errno> {
        let value = c_int::try_from(value).map_err(|_| Errno(libc::ERANGE))?;
        // SAFETY: this command takes a number.
        let result = unsafe { libc::semctl(self.id, index.into(), libc::SETVAL, value) };
        Errno::check(result)
    }

    /// The row of the set in the kernel's table, which needs no permission to read the set.
    ///
    /// # Errors
    /// ENOENT if the set was removed.
    pub fn row(self) -> Result<Row, Errno> {
        system_v::row("sem", self.id)
    }

    /// Makes all changes atomically. The kernel takes the remaining time and not a deadline, so it
    /// is computed again after each interruption.
    fn change(self, operations: &[libc::sembuf], deadline: Deadline) -> Result<Waited, Errno> {
        loop {
            let left = deadline.remaining().map(TimeSpec::from_duration);
            // SAFETY: the operations and the time outlive the call.
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
                // The set was removed before the call.
                (_, Errno(libc::EINVAL)) => return Err(Errno(libc::EIDRM)),
                (_, errno) => return Err(errno),
            }
        }
    }
}

/// The limits of the kernel: kernel.sem.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Semaphores in a set: SEMMSL.
    pub per_set: u64,
    /// Semaphores in all sets: SEMMNS.
    pub semaphores: u64,
    /// Operations in one call: SEMOPM.
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

/// The limits at this moment, which the call reads without /proc.
pub fn limits() -> Limits {
    let mut info = Info::default();
    // SAFETY: the kernel writes the structure, which outlives the call.
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

fn operation(index: u16, amount: i16, at_exit: AtExit) -> libc::sembuf {
    libc::sembuf { sem_num: index as c_ushort, sem_op: amount, sem_flg: at_exit.flag() as i16 }
}

fn get(key: c_int, count: c_int, flags: c_int) -> Result<c_int, Errno> {
    // SAFETY: the call takes numbers only.
    let id = unsafe { libc::semget(key, count, flags) };
    if id < 0 { Err(Errno::last()) } else { Ok(id) }
}

/// Calls semctl(2) with a command that takes no argument.
fn control(id: c_int, index: u16, command: c_int) -> Result<u32, Errno> {
    // SAFETY: the command takes no argument.
    let result = unsafe { libc::semctl(id, index.into(), command) };
    u32::try_from(result).map_err(|_| Errno::last())
}
