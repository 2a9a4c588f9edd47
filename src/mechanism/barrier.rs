//! Barriers: processes that wait until all of them have arrived.
//!
//! A barrier is a file of `/dev/shm` that exists only while a process waits, and is used once: the last
//! party opens the barrier and removes the name, so that later parties create a new file. Each waiting
//! party has a byte of the file locked, its seat, and parties count the locked bytes; so a party that is
//! killed is not counted any more. A party has the mutex of the file while it arrives or leaves.

use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::sys::stat::{FileStat, fstat};
use nix::unistd::geteuid;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::name::PosixName;
use crate::mechanism::file_mutex;
use crate::mechanism::new_file::NewFile;
use crate::sys::cleanup::Postponed;
use crate::sys::lock::{Guard, Lock, Range};
use crate::sys::memory::SharedWords;
use crate::sys::{dev_shm, futex, inode, regular_file};

/// The name of a barrier, which leaves room for the prefix of the file name.
pub type BarrierName = PosixName<{ 255 - PREFIX.len() }>;

/// The maximum number of parties.
pub const PARTIES_MAX: u32 = 4096;

const PREFIX: &str = "ipc-barrier.";
/// Four words: one that marks a barrier, the number of parties, one that becomes 1 when all parties have
/// arrived, and the process ID of the holder of the mutex.
const SIZE: NonZeroUsize = NonZeroUsize::new(16).expect("16 is not 0");
const MAGIC: u32 = u32::from_ne_bytes(*b"barr");
const PARTIES: usize = 4;
const OPEN: usize = 8;
const MUTEX_HOLDER: usize = 12;

/// The byte of the mutex; the bytes before it are seats.
const MUTEX: i64 = PARTIES_MAX as i64;

/// The maximum time to sleep, in case a wake-up was lost.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Why a wait failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// Any error of the kernel.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// Other processes wait for another number of parties.
    #[error("other processes wait for {0} parties")]
    Parties(u32),
    /// The file of that name is no barrier, or another user's.
    #[error("is no barrier, or another user's")]
    Foreign,
    /// The file was truncated while it was used.
    #[error("the memory of the barrier is gone: its file was truncated, or /dev/shm is full")]
    Lost,
}

impl From<nix::errno::Errno> for Error {
    fn from(errno: nix::errno::Errno) -> Self {
        Self::Kernel(errno.into())
    }
}

/// Waits until `parties` have arrived, including the caller. A party that times out at `deadline` is not
/// counted any more, but succeeds if all have arrived at that moment.
///
/// # Errors
/// [`Error::Parties`] if waiting parties expect another number.
pub fn wait(name: &BarrierName, parties: u32, deadline: Deadline) -> Result<Waited, Error> {
    let file_name = file_name(name);
    loop {
        let barrier = Barrier::open_or_create(&file_name, parties)?;
        let arrival = barrier.arrive(parties, deadline)?;
        let waited = match arrival {
            Arrival::Last => Waited::Done(()),
            Arrival::Waits => barrier.sleep(deadline)?,
            Arrival::TimedOut => Waited::TimedOut,
            Arrival::Late => continue,
        };
        barrier.verify()?;
        return Ok(waited);
    }
}

/// The result of an arrival.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Arrival {
    /// All other parties have arrived before.
    Last,
    /// Other parties have not arrived yet.
    Waits,
    /// The barrier has been opened or abandoned, and has to be replaced.
    Late,
    /// The holder of the mutex does not release it.
    TimedOut,
}

#[derive(Debug)]
struct Barrier<'a> {
    file_name: &'a OsStr,
    words: SharedWords,
    file: OwnedFd,
    status: FileStat,
}

impl<'a> Barrier<'a> {
    fn open_or_create(file_name: &'a OsStr, parties: u32) -> Result<Self, Error> {
        loop {
            match dev_shm::open_object(file_name, OFlag::O_RDWR) {
                Ok((file, status)) => return Self::of(file_name, file, status),
                Err(regular_file::Error::Kernel(Errno(libc::ENOENT))) => {}
                Err(regular_file::Error::Kernel(errno)) => return Err(errno.into()),
                Err(regular_file::Error::NotRegular) => return Err(Error::Foreign),
            }
            match create(file_name, parties) {
                // Another process was faster.
                Err(Errno(libc::EEXIST)) => {}
                created => {
                    let file = created?;
                    let status = fstat(&file)?;
                    return Self::of(file_name, file, status);
                }
            }
        }
    }

    /// Checks a file before its memory is used: a process that may write to the file could truncate it.
    fn of(file_name: &'a OsStr, file: OwnedFd, status: FileStat) -> Result<Self, Error> {
        let is_private = status.st_uid == geteuid().as_raw() && status.st_mode & 0o077 == 0;
        if !is_private || status.st_size != SIZE.get() as i64 {
            return Err(Error::Foreign);
        }
        let barrier = Self { file_name, words: SharedWords::new(&file, SIZE)?, file, status };
        let magic = barrier.words.atomic_u32(0).load(Ordering::SeqCst);
        barrier.verify()?;
        if magic == MAGIC { Ok(barrier) } else { Err(Error::Foreign) }
    }

    /// Checks that all accesses to the memory so far reached the file.
    fn verify(&self) -> Result<(), Error> {
        self.words.verify().map_err(|_| Error::Lost)
    }

    /// Takes a seat, or opens the barrier if all other parties have one.
    fn arrive(&self, parties: u32, deadline: Deadline) -> Result<Arrival, Error> {
        let Some(_locked) = self.lock(deadline)? else { return Ok(Arrival::TimedOut) };
        if !self.has_name()? {
            return Ok(Arrival::Late);
        }
        if self.is_open() {
            // The last party was killed before it removed the name.
            self.remove_name()?;
            return Ok(Arrival::Late);
        }
        let expected = self.words.atomic_u32(PARTIES).load(Ordering::SeqCst);
        let (present, free) = self.seats(expected.min(PARTIES_MAX))?;
        if expected != parties {
            if present > 0 {
                return Err(Error::Parties(expected));
            }
            // All waiting parties were killed.
            self.remove_name()?;
            return Ok(Arrival::Late);
        }
        if present + 1 < parties {
            // The seat is free, and only the holder of the mutex takes one.
            return Ok(match Lock::of_byte(free).wait(&self.file, Deadline::PASSED)? {
                Waited::Done(()) => Arrival::Waits,
                Waited::TimedOut => Arrival::Late,
            });
        }
        // One system call opens the barrier and wakes the others, so that a kill cannot come between.
        futex::add_and_wake_all(self.open_word());
        self.remove_name()?;
        Ok(Arrival::Last)
    }

    /// Waits in a seat until the barrier is open. A fatal signal is postponed until the party has left.
    fn sleep(&self, deadline: Deadline) -> Result<Waited, Error> {
        let ending = Postponed::new();
        while !self.is_open() {
            if deadline.has_passed() || ending.is_wanted() {
                return self.leave();
            }
            match futex::wait(self.open_word(), 0, deadline.min(Deadline::after(CHECK_INTERVAL))) {
                Err(Errno(libc::EFAULT)) => return Err(Error::Lost),
                slept => drop(slept?),
            }
            self.verify()?;
        }
        Ok(Waited::Done(()))
    }

    /// Leaves the seat, and removes the name if no other party waits.
    fn leave(&self) -> Result<Waited, Error> {
        // The holder of the mutex may be stopped, which does not keep this party.
        let _locked = self.lock(Deadline::PASSED)?;
        if self.is_open() {
            return Ok(Waited::Done(()));
        }
        // Before the mutex is released, so that no other party counts the seat.
        ALL_SEATS.release(&self.file)?;
        let parties = self.words.atomic_u32(PARTIES).load(Ordering::SeqCst);
        if self.seats(parties.min(PARTIES_MAX))?.0 == 0 && self.has_name()? {
            self.remove_name()?;
        }
        Ok(Waited::TimedOut)
    }

    /// Removes the name, so that later parties create a new file.
    fn remove_name(&self) -> Result<(), Errno> {
        match dev_shm::unlink(self.file_name) {
            Err(Errno(libc::ENOENT)) => Ok(()),
            removed => removed,
        }
    }

    /// The number of other parties that have a seat, and the first free seat.
    fn seats(&self, parties: u32) -> Result<(u32, i64), Errno> {
        let (mut present, mut free) = (0, None);
        for seat in 0..parties.into() {
            if Lock::of_byte(seat).is_excluded(&self.file)? {
                present += 1;
            } else if free.is_none() {
                free = Some(seat);
            }
        }
        Ok((present, free.unwrap_or(0)))
    }

    /// Locks the mutex until the result is dropped; `None` if its holder does not release it.
    fn lock(&self, deadline: Deadline) -> Result<Option<Guard<'_>>, Errno> {
        file_mutex::lock(&self.file, MUTEX, self.words.atomic_u32(MUTEX_HOLDER), deadline)
    }

    fn is_open(&self) -> bool {
        self.open_word().load(Ordering::SeqCst) != 0
    }

    fn open_word(&self) -> &AtomicU32 {
        self.words.atomic_u32(OPEN)
    }

    /// Whether later parties find this file.
    fn has_name(&self) -> Result<bool, Errno> {
        match dev_shm::status(self.file_name) {
            Ok(status) => Ok(inode::is_same(&status, &self.status)),
            Err(
                regular_file::Error::Kernel(Errno(libc::ENOENT)) | regular_file::Error::NotRegular,
            ) => Ok(false),
            Err(regular_file::Error::Kernel(errno)) => Err(errno),
        }
    }
}

const ALL_SEATS: Lock =
    Lock { range: Range { start: 0, length: PARTIES_MAX as i64 }, ..Lock::of_byte(0) };

fn create(file_name: &OsStr, parties: u32) -> Result<OwnedFd, Errno> {
    let words = [MAGIC, parties, 0, 0].map(u32::to_ne_bytes);
    let file = NewFile::holding(&dev_shm::path(file_name), 0o600, words.as_flattened())?;
    file.link()?;
    Ok(file.into_file())
}

fn file_name(name: &BarrierName) -> OsString {
    let mut file_name = OsString::from(PREFIX);
    file_name.push(name.without_slash());
    file_name
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn name(of: &str) -> BarrierName {
        BarrierName::new(format!("ipc-unit-{of}-{}", std::process::id()).as_ref()).unwrap()
    }

    #[test]
    fn no_party_continues_before_all_have_arrived_in_any_round() {
        const PARTIES: u32 = 4;
        const ROUNDS: u32 = 50;
        let arrived = AtomicU32::new(0);
        let name = name("rounds");
        thread::scope(|scope| {
            for _ in 0..PARTIES {
                scope.spawn(|| {
                    for round in 1..=ROUNDS {
                        arrived.fetch_add(1, Ordering::SeqCst);
                        assert_eq!(wait(&name, PARTIES, Deadline::NEVER), Ok(Waited::Done(())));
                        assert!(arrived.load(Ordering::SeqCst) >= round * PARTIES);
                    }
                });
            }
        });
        assert_eq!(dev_shm::status(&file_name(&name)).unwrap_err(), Errno(libc::ENOENT).into());
    }

    #[test]
    fn a_party_that_times_out_is_not_counted_and_leaves_nothing() {
        let name = name("alone");
        assert_eq!(wait(&name, 2, Deadline::PASSED), Ok(Waited::TimedOut));
        assert_eq!(wait(&name, 2, Deadline::PASSED), Ok(Waited::TimedOut));
        assert_eq!(dev_shm::status(&file_name(&name)).unwrap_err(), Errno(libc::ENOENT).into());
        assert_eq!(wait(&name, 1, Deadline::PASSED), Ok(Waited::Done(())));
    }

    #[test]
    fn an_abandoned_file_and_an_open_barrier_are_replaced() {
        let name = name("left");
        drop(create(&file_name(&name), 7).unwrap());
        assert_eq!(wait(&name, 1, Deadline::PASSED), Ok(Waited::Done(())));
        let left = file_name(&name);
        drop(create(&left, 2).unwrap());
        let barrier = Barrier::open_or_create(&left, 2).unwrap();
        barrier.open_word().store(1, Ordering::SeqCst);
        assert_eq!(wait(&name, 2, Deadline::PASSED), Ok(Waited::TimedOut));
        assert_eq!(barrier.has_name(), Ok(false));
    }
}
