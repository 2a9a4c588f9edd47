//! Named POSIX semaphores, in the layout of glibc, for every C library: sem_overview(7).
//!
//! A semaphore is a file `/dev/shm/sem.NAME` of 32 bytes that begins with one 64-bit word: the
//! value in its low half, the number of waiters in its high half. Waiters sleep on a futex at the
//! value. A process that posts wakes one of them if there are any, which is all that the two
//! halves have to agree on; so a waiter that is killed leaves nothing worse behind than a count
//! that costs later posts a system call.
//!
//! Ours may be longer, which C programs do not mind: the rest of the page has slots, words that
//! say who has taken units and will give them back. What they mean is not known here, nor is that
//! of the flag, the top bit of the word: C programs add to the waiters and subtract from them, and
//! compare them with zero, all of which leaves it as it is.

use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use nix::fcntl::OFlag;
use nix::sys::stat::{FileStat, Mode, fchmod, fstat};
use nix::sys::uio::pwrite;
use nix::unistd::ftruncate;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::name::SemaphoreName;
use crate::mechanism::new_file::NewFile;
use crate::sys::memory::SharedWords;
use crate::sys::origin::Found;
use crate::sys::{descriptor, dev_shm, futex, regular_file};

/// The greatest value: SEM_VALUE_MAX.
pub const VALUE_MAX: u32 = i32::MAX as u32;

/// The slots of a semaphore.
pub const SLOTS: usize = (GROWN.get() - FIRST_SLOT) / size_of::<u64>();

const SIZE: usize = 32;
/// The size of one that has slots. Memory behind the end of a file reads as zeros up to the end of
/// its page, so a small one is mapped as far, and those who had it open see the slots come.
const GROWN: NonZeroUsize = NonZeroUsize::new(4096).expect("4096 is not 0");
/// Tells a semaphore with slots from any other file of that size.
const MAGIC: u64 = u64::from_ne_bytes(*b"ipc sem1");
const MAGIC_OFFSET: usize = SIZE;
const CHANGER_OFFSET: usize = MAGIC_OFFSET + size_of::<u64>();
const FIRST_SLOT: usize = 64;

const VALUE: u64 = u32::MAX as u64;
const ONE_WAITER: u64 = 1 << 32;
const FLAG: u64 = 1 << 63;

/// The `private` field of a semaphore that processes share: FUTEX_PRIVATE_FLAG, which glibc
/// removes by exclusive or.
const SHARED: u32 = libc::FUTEX_PRIVATE_FLAG as u32;

/// Where that field is.
const SHARED_OFFSET: usize = 8;

/// Why a semaphore cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// There is a file of that name, and it has no semaphore's size.
    #[error("not a semaphore: a file of {0} bytes, where a semaphore has 32")]
    NotASemaphore(i64),
    /// There is a file of that name that is as long as a semaphore which commands have run with, and
    /// is none.
    #[error("not a semaphore: a file of 4096 bytes without a semaphore at its beginning")]
    NotGrown,
    /// There is something of that name that is no regular file: a link, a FIFO, a directory.
    #[error("not a semaphore: not a regular file")]
    NotAFile,
    /// There is a file of that name and of the right size, and it holds no semaphore.
    #[error("not a semaphore: its value would be above the greatest one, 2147483647")]
    NotAValue,
    /// Its file was cut off while it was used, or has a hole that there is no room to fill.
    #[error("the memory of the semaphore is gone: its file was cut off, or /dev/shm is full")]
    Lost,
    /// More units than a semaphore can count.
    #[error("the value would be above the greatest one, 2147483647")]
    Overflow,
}

impl From<regular_file::Error> for Error {
    fn from(error: regular_file::Error) -> Self {
        match error {
            regular_file::Error::Kernel(errno) => errno.into(),
            regular_file::Error::NotRegular => Self::NotAFile,
        }
    }
}

impl From<nix::errno::Errno> for Error {
    fn from(errno: nix::errno::Errno) -> Self {
        Self::Kernel(errno.into())
    }
}

/// An open semaphore. Dropping it closes the handle; the name stays.
#[derive(Debug)]
pub struct Semaphore {
    words: SharedWords,
    file: OwnedFd,
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
        let mut image = [0; SIZE];
        image[..8].copy_from_slice(&u64::from(value).to_ne_bytes());
        image[SHARED_OFFSET..][..4].copy_from_slice(&SHARED.to_ne_bytes());
        Ok(NewFile::holding(&dev_shm::path(&file_name(name)), mode, &image)?.link()?)
    }

    /// Opens an existing semaphore.
    pub fn open(name: &SemaphoreName) -> Result<Self, Error> {
        let (file, status) = dev_shm::open_object(&file_name(name), OFlag::O_RDWR)?;
        Self::of(file, status)
    }

    /// The same semaphore, opened once more, whatever its name leads to by now.
    pub fn reopen(&self) -> Result<Self, Error> {
        let file = self.new_description()?;
        let status = fstat(&file)?;
        Self::of(file, status)
    }

    /// What is no semaphore is told from the size and the contents; the memory is touched here for
    /// the first time, so one that cannot be had is found out.
    fn of(file: OwnedFd, status: FileStat) -> Result<Self, Error> {
        let size = usize::try_from(status.st_size).unwrap_or(0);
        if size != SIZE && size != GROWN.get() {
            return Err(Error::NotASemaphore(status.st_size));
        }
        let semaphore = Self { words: SharedWords::new(&file, GROWN)?, file, status };
        let value = semaphore.value();
        semaphore.verify()?;
        if size == GROWN.get() && !semaphore.has_slots() && !semaphore.is_shared() {
            return Err(Error::NotGrown);
        }
        if value > VALUE_MAX {
            return Err(Error::NotAValue);
        }
        Ok(semaphore)
    }

    /// Who made it, if that is where the name leads.
    ///
    /// # Errors
    /// ENOENT if the name leads to another one by now.
    pub fn found(&self, name: &SemaphoreName) -> Result<Found, Error> {
        Ok(Found::of_open(&dev_shm::path(&file_name(name)), &self.status)?)
    }

    /// Gives it other permissions.
    ///
    /// # Errors
    /// EPERM for those who are not its owner.
    pub fn set_mode(&self, mode: u32) -> Result<(), Errno> {
        Ok(fchmod(&self.file, Mode::from_bits_truncate(mode as _))?)
    }

    /// Another open file description of its file, whose locks are its own.
    pub fn new_description(&self) -> Result<OwnedFd, Errno> {
        descriptor::reopen(&self.file, OFlag::O_RDWR | OFlag::O_CLOEXEC)
    }

    /// Removes the name. Those who have the semaphore open go on using it.
    pub fn unlink(name: &SemaphoreName) -> Result<(), Errno> {
        dev_shm::unlink(&file_name(name))
    }

    /// Whether all that was done so far was done to the semaphore, and all that was seen was its.
    ///
    /// # Errors
    /// [`Error::Lost`].
    pub fn verify(&self) -> Result<(), Error> {
        self.words.verify().map_err(|_| Error::Lost)
    }

    /// The number of units.
    pub fn value(&self) -> u32 {
        (self.word().load(Ordering::SeqCst) & VALUE) as u32
    }

    /// The number of those who wait for units.
    pub fn waiters(&self) -> u32 {
        ((self.word().load(Ordering::SeqCst) & !FLAG) / ONE_WAITER) as u32
    }

    /// The file behind it.
    pub fn status(&self) -> &FileStat {
        &self.status
    }

    /// Gives `count` units, all at once.
    ///
    /// # Errors
    /// [`Error::Overflow`], with nothing given; [`Error::Lost`].
    pub fn post(&self, count: u32) -> Result<(), Error> {
        let before = self
            .change(|word| with_value(word, value_of(word).checked_add(count)?))
            .ok_or(Error::Overflow)?;
        if before & !FLAG >= ONE_WAITER {
            self.wake(count);
        }
        self.verify()
    }

    /// Sets the number of units, and lets all who wait look at it.
    ///
    /// # Errors
    /// [`Error::Overflow`], with nothing changed; [`Error::Lost`].
    pub fn set(&self, value: u32) -> Result<(), Error> {
        self.change(|word| with_value(word, value)).ok_or(Error::Overflow)?;
        self.wake(u32::MAX);
        self.verify()
    }

    /// Takes `count` units if there are as many.
    pub fn try_take(&self, count: u32) -> bool {
        self.change(|word| with_value(word, value_of(word).checked_sub(count)?)).is_some()
    }

    /// As [`Semaphore::try_take`], raising the flag in the same moment.
    pub fn try_take_raising_flag(&self, count: u32) -> bool {
        self.change(|word| Some(with_value(word, value_of(word).checked_sub(count)?)? | FLAG))
            .is_some()
    }

    /// Gives `count` units, and raises the flag in the same moment. Nobody is woken. Units that
    /// the semaphore cannot count are lost.
    pub fn give_raising_flag(&self, count: u32) {
        let full = |word| value_of(word).saturating_add(count).min(VALUE_MAX);
        self.change(|word| Some(with_value(word, full(word))? | FLAG));
    }

    /// Whether the flag is raised.
    pub fn is_flag_raised(&self) -> bool {
        self.word().load(Ordering::SeqCst) & FLAG != 0
    }

    /// Lowers the flag.
    pub fn lower_flag(&self) {
        self.word().fetch_and(!FLAG, Ordering::SeqCst);
    }

    /// Counts the caller among those who wait, until what it returns is dropped.
    pub fn enlist(&self) -> Enlisted<'_> {
        self.word().fetch_add(ONE_WAITER, Ordering::SeqCst);
        Enlisted(self)
    }

    /// Sleeps while the value is this, until somebody wakes us; or returns for no reason.
    ///
    /// # Errors
    /// [`Error::Lost`].
    pub fn sleep(&self, value: u32, deadline: Deadline) -> Result<Waited, Error> {
        match futex::wait(self.futex(), value, deadline) {
            Err(Errno(libc::EFAULT)) => Err(Error::Lost),
            slept => Ok(slept?),
        }
    }

    /// Wakes up to `count` of those who sleep.
    pub fn wake(&self, count: u32) {
        futex::wake(self.futex(), count.try_into().unwrap_or(i32::MAX));
    }

    /// Whether it has slots. One that has none shows empty ones.
    pub fn has_slots(&self) -> bool {
        self.words.atomic_u64(MAGIC_OFFSET).load(Ordering::SeqCst) == MAGIC
    }

    /// Whether it says that processes share it, as every semaphore with a name does.
    fn is_shared(&self) -> bool {
        self.words.atomic_u32(SHARED_OFFSET).load(Ordering::Relaxed) == SHARED
    }

    /// Gives it slots. Only one process may do so at a time. One that is killed in between leaves a
    /// longer file without slots, which does no harm.
    pub fn add_slots(&self) -> Result<(), Errno> {
        if !self.has_slots() {
            ftruncate(&self.file, GROWN.get() as i64)?;
            self.words.atomic_u64(MAGIC_OFFSET).store(MAGIC, Ordering::SeqCst);
        }
        Ok(())
    }

    /// The process that changes slots, or did so last, by its own account.
    pub fn changer(&self) -> &AtomicU32 {
        self.words.atomic_u32(CHANGER_OFFSET)
    }

    /// The slot of this index, below [`SLOTS`]. One that was never used is 0.
    pub fn slot(&self, index: usize) -> &AtomicU64 {
        self.words.atomic_u64(FIRST_SLOT + index * size_of::<u64>())
    }

    /// Tells those who watch the file that a slot has changed, as memory that changes tells nobody.
    pub fn announce(&self) -> Result<(), Errno> {
        pwrite(&self.file, &MAGIC.to_ne_bytes(), MAGIC_OFFSET as i64)?;
        Ok(())
    }

    /// Changes the word to what it is mapped to, unless that is nothing; returns what it was.
    fn change(&self, to: impl Fn(u64) -> Option<u64>) -> Option<u64> {
        // Acquire and release: who takes a unit sees what was written before it was given.
        self.word().fetch_update(Ordering::SeqCst, Ordering::SeqCst, to).ok()
    }

    fn word(&self) -> &AtomicU64 {
        self.words.atomic_u64(0)
    }

    /// The half of the word that has the value.
    fn futex(&self) -> &AtomicU32 {
        self.words.atomic_u32(if cfg!(target_endian = "little") { 0 } else { 4 })
    }
}

impl AsFd for Semaphore {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// One of those who wait for units, as the semaphore counts them.
#[derive(Debug)]
pub struct Enlisted<'a>(&'a Semaphore);

impl Drop for Enlisted<'_> {
    fn drop(&mut self) {
        self.0.word().fetch_sub(ONE_WAITER, Ordering::SeqCst);
    }
}

/// Where musl has a semaphore of this name. Its layout is another: the waiters of its programs and
/// those of others do not see each other.
pub fn path_of_musl(name: &SemaphoreName) -> PathBuf {
    dev_shm::path(name.without_slash())
}

/// Whether there is a file that could be such a semaphore.
pub fn is_of_musl(name: &SemaphoreName) -> bool {
    dev_shm::status(name.without_slash()).is_ok_and(|status| status.st_size == SIZE as i64)
}

/// The names of all semaphores, sorted; files that are none included, as somebody may ask why.
pub fn list() -> Result<Vec<SemaphoreName>, Errno> {
    let names = dev_shm::list()?;
    Ok(names
        .iter()
        .filter_map(|name| {
            SemaphoreName::of_file(OsStr::from_bytes(name.as_bytes().strip_prefix(b"sem.")?)).ok()
        })
        .collect())
}

/// The file of a semaphore, without opening it as one.
pub fn status(name: &SemaphoreName) -> Result<FileStat, Error> {
    Ok(dev_shm::status(&file_name(name))?)
}

fn value_of(word: u64) -> u32 {
    (word & VALUE) as u32
}

/// The word with another value, unless that is too great.
fn with_value(word: u64, value: u32) -> Option<u64> {
    (value <= VALUE_MAX).then(|| word & !VALUE | u64::from(value))
}

fn file_name(name: &SemaphoreName) -> OsString {
    let mut file_name = OsString::from("sem.");
    file_name.push(name.without_slash());
    file_name
}
