//! System V semaphores, which come in sets: sysvipc(7), semop(2).

use std::ffi::{c_int, c_ulong, c_ushort};
use std::mem::MaybeUninit;

use nix::sys::time::TimeSpec;

use super::system_v::{self, NEW, OURS, Row, Target};
use super::time;
use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;

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
    /// umask has no say in them.
    ///
    /// The units are added rather than set, so that none is lost which somebody posts meanwhile.
    /// Adding also gives the set a time of use, by which C programs know that it is complete.
    ///
    /// # Errors
    /// EEXIST; EINVAL for more semaphores than a set may have, and for an identifier; ENOSPC if
    /// there are as many sets or semaphores as there may be; ERANGE.
    pub fn create(target: Target, count: u16, value: u32, mode: u32) -> Result<Self, Errno> {
        let key = target.new_key()?;
        let amount = i16::try_from(value).map_err(|_| Errno(libc::ERANGE))?;
        let set = Self { id: get(key, count.into(), NEW | (mode | OURS) as c_int)? };
        let complete = || {
            set.add_to_each(count, amount)?;
            if mode & OURS == OURS { Ok(()) } else { set.set_mode(mode) }
        };
        if let Err(errno) = complete() {
            // What failed tells more than that the set, which is ours, could not be removed.
            let _ = set.remove();
            return Err(errno);
        }
        Ok(set)
    }

    fn add_to_each(self, count: u16, amount: i16) -> Result<(), Errno> {
        let operations: Vec<libc::sembuf> =
            (0..count).map(|index| operation(index, amount, 0)).collect();
        let at_once = limits().operations.max(1) as usize;
        operations
            .chunks(at_once)
            .try_for_each(|operations| self.operate(operations, Deadline::PASSED).map(drop))
    }

    fn set_mode(self, mode: u32) -> Result<(), Errno> {
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

/// The limits at this moment; what cannot be read is as the kernel begins.
pub fn limits() -> Limits {
    let text = std::fs::read_to_string("/proc/sys/kernel/sem").unwrap_or_default();
    let mut numbers = text.split_whitespace().map(str::parse);
    let mut next = |usual| numbers.next().and_then(Result::ok).unwrap_or(usual);
    Limits {
        per_set: next(32000),
        semaphores: next(1_024_000_000),
        operations: next(500),
        sets: next(32000),
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
