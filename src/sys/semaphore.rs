//! Named POSIX semaphores, in the layout of glibc, for every C library: sem_overview(7).
//!
//! A semaphore is a file `/dev/shm/sem.NAME` of 32 bytes that begins with one 64-bit word: the
//! value in its low half, the number of waiters in its high half. Waiters sleep on a futex at the
//! value. A process that posts wakes one of them if there are any, which is all that the two
//! halves have to agree on; so a waiter that is killed leaves nothing worse behind than a count
//! that costs later posts a system call.

use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use nix::fcntl::OFlag;
use nix::sys::stat::FileStat;
use nix::unistd::write;

use super::dev_shm::{self, Unnamed};
use super::futex;
use super::mapping::Mapping;
use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;
use crate::name::SemaphoreName;

/// The greatest value: SEM_VALUE_MAX.
pub const VALUE_MAX: u32 = i32::MAX as u32;

const SIZE: NonZeroUsize = NonZeroUsize::new(32).expect("32 is not 0");
const VALUE: u64 = u32::MAX as u64;
const ONE_WAITER: u64 = 1 << 32;

/// The `private` field of a semaphore that processes share: FUTEX_PRIVATE_FLAG, which glibc
/// removes by exclusive or.
const SHARED: u32 = libc::FUTEX_PRIVATE_FLAG as u32;

/// Why a semaphore cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// There is a file of that name, and it is no semaphore.
    #[error("not a semaphore: a file of {0} bytes, where a semaphore has 32")]
    NotASemaphore(i64),
    /// More units than a semaphore can count.
    #[error("the value would be above the greatest one, 2147483647")]
    Overflow,
}

impl From<nix::errno::Errno> for Error {
    fn from(errno: nix::errno::Errno) -> Self {
        Self::Kernel(errno.into())
    }
}

/// An open semaphore. Dropping it closes the handle; the name stays.
#[derive(Debug)]
pub struct Semaphore {
    mapping: Mapping,
    status: FileStat,
}

impl Semaphore {
    /// Makes a semaphore with this value and exactly these permissions.
    ///
    /// # Errors
    /// EEXIST if there is one of that name.
    pub fn create(name: &SemaphoreName, value: u32, mode: u32) -> Result<(), Error> {
        if value > VALUE_MAX {
            return Err(Error::Overflow);
        }
        let file = Unnamed::new(mode)?;
        let mut image = [0; SIZE.get()];
        image[..8].copy_from_slice(&u64::from(value).to_ne_bytes());
        image[8..12].copy_from_slice(&SHARED.to_ne_bytes());
        write(file.file(), &image)?;
        file.link(&file_name(name))?;
        Ok(())
    }

    /// Opens an existing semaphore.
    ///
    /// A file shorter than a semaphore would end us by SIGBUS when its memory is touched, so the
    /// size is looked at first.
    pub fn open(name: &SemaphoreName) -> Result<Self, Error> {
        let (fd, status) = open_file(name, OFlag::O_RDWR)?;
        if status.st_size != SIZE.get() as i64 {
            return Err(Error::NotASemaphore(status.st_size));
        }
        let mapping = Mapping::new(&fd, SIZE)?;
        Ok(Self { mapping, status })
    }

    /// Removes the name. Those who have the semaphore open go on using it.
    pub fn unlink(name: &SemaphoreName) -> Result<(), Errno> {
        dev_shm::unlink(&file_name(name))
    }

    /// The number of units, and the number of those who wait for one.
    pub fn value_and_waiters(&self) -> (u32, u32) {
        let word = self.word().load(Ordering::Relaxed);
        ((word & VALUE) as u32, (word >> 32) as u32)
    }

    /// The file behind it.
    pub fn status(&self) -> &FileStat {
        &self.status
    }

    /// Gives `count` units, all at once.
    ///
    /// # Errors
    /// [`Error::Overflow`], with nothing given.
    pub fn post(&self, count: u32) -> Result<(), Error> {
        let add = |word: u64| {
            let value = (word & VALUE).checked_add(count.into())?;
            (value <= VALUE_MAX.into()).then(|| word & !VALUE | value)
        };
        // Release: who takes the unit sees what was written before it was given.
        let before = self
            .word()
            .fetch_update(Ordering::Release, Ordering::Relaxed, add)
            .map_err(|_| Error::Overflow)?;
        if before >= ONE_WAITER {
            futex::wake(self.futex(), count.try_into().unwrap_or(i32::MAX));
        }
        Ok(())
    }

    /// Takes a unit, waiting for one until `deadline`.
    ///
    /// A unit that is there is taken even after the deadline, so one that has passed is a try.
    pub fn wait(&self, deadline: Deadline) -> Result<Waited, Error> {
        if self.take(1) {
            return Ok(Waited::Done(()));
        }
        self.word().fetch_add(ONE_WAITER, Ordering::Relaxed);
        let waited = loop {
            if self.take(ONE_WAITER + 1) {
                return Ok(Waited::Done(()));
            }
            match futex::wait(self.futex(), 0, deadline) {
                Ok(Waited::Done(())) => {}
                Ok(Waited::TimedOut) => break Ok(Waited::TimedOut),
                Err(errno) => break Err(errno.into()),
            }
        };
        self.word().fetch_sub(ONE_WAITER, Ordering::Relaxed);
        waited
    }

    /// Subtracts from the word if the value allows one unit to be taken.
    fn take(&self, amount: u64) -> bool {
        let subtract = |word: u64| (word & VALUE > 0).then(|| word.wrapping_sub(amount));
        // Acquire: pairs with the release of whoever gave the unit.
        self.word().fetch_update(Ordering::Acquire, Ordering::Relaxed, subtract).is_ok()
    }

    fn word(&self) -> &AtomicU64 {
        self.mapping.atomic_u64(0)
    }

    /// The half of the word that has the value.
    fn futex(&self) -> &AtomicU32 {
        self.mapping.atomic_u32(if cfg!(target_endian = "little") { 0 } else { 4 })
    }
}

/// The names of all semaphores, sorted; files that are none included, as somebody may ask why.
pub fn list() -> Result<Vec<SemaphoreName>, Errno> {
    let names = dev_shm::list()?;
    Ok(names
        .iter()
        .filter_map(|name| {
            SemaphoreName::new(OsStr::from_bytes(name.as_bytes().strip_prefix(b"sem.")?)).ok()
        })
        .collect())
}

/// The file of a semaphore, without opening it as one.
pub fn status(name: &SemaphoreName) -> Result<FileStat, Errno> {
    dev_shm::status(&file_name(name))
}

fn open_file(name: &SemaphoreName, access: OFlag) -> Result<(OwnedFd, FileStat), Errno> {
    dev_shm::open_object(&file_name(name), access)
}

fn file_name(name: &SemaphoreName) -> OsString {
    let mut file_name = OsString::from("sem.");
    file_name.push(name.without_slash());
    file_name
}
