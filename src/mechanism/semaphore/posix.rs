//! Named POSIX semaphores, in the layout of glibc, for every C library: sem_overview(7).
//!
//! A semaphore is a file `/dev/shm/sem.NAME` of 32 bytes. The file begins with a 64-bit word: the
//! value in its low half, the number of waiters in its high half. Waiters sleep on a futex at the
//! value. A process that increments the value wakes a waiter if there are any. A waiter that is killed
//! stays counted, so that later increments make a system call in vain, and has no other effect.
//!
//! `ipc` extends the file when a command holds permits, which C programs accept: the rest of the page
//! has slots. The module `robust` defines their meaning, and that of the flag, the top bit of the word.
//! C programs leave the flag as it is: they add to the number of waiters, subtract from it and compare
//! it with zero.

use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use nix::fcntl::OFlag;
use nix::sys::stat::{FileStat, Mode, fchmod, fstat};
use nix::sys::uio::{pread, pwrite};
use nix::unistd::ftruncate;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::name::SemaphoreName;
use crate::mechanism::new_file::NewFile;
use crate::mechanism::ownership::NewOwnership;
use crate::mechanism::semaphore::Error;
use crate::sys::memory::SharedWords;
use crate::sys::origin::Found;
use crate::sys::regular_file::Links;
use crate::sys::{descriptor, dev_shm, futex, inode};

/// The maximum value: SEM_VALUE_MAX.
pub const VALUE_MAX: u32 = i32::MAX as u32;

const OVERFLOW: Error = Error::Overflow { maximum: VALUE_MAX };

/// The slots of a semaphore.
pub const SLOTS: usize = (GROWN.get() - FIRST_SLOT) / size_of::<u64>();

const SIZE: usize = 32;
/// The size of a semaphore with slots. A smaller file is mapped as far, since memory behind the end of a
/// file reads as zeros up to the end of its page; so processes that have the semaphore open see slots
/// when they are added.
const GROWN: NonZeroUsize = NonZeroUsize::new(4096).expect("4096 is not 0");
/// Marks a semaphore with slots.
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

/// The offset of that field.
const SHARED_OFFSET: usize = 8;

/// Why a file is no semaphore.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Malformed {
    /// It has another size.
    #[error("not a semaphore: a file of {0} bytes, where a semaphore has 32")]
    Size(i64),
    /// It has the size of a semaphore with slots and another content.
    #[error("not a semaphore: a file of 4096 bytes without a semaphore at its beginning")]
    NotGrown,
    /// It is a link, a FIFO or a directory.
    #[error("not a semaphore: not a regular file")]
    NotAFile,
    /// Its value is too large.
    #[error("not a semaphore: its value would be above the maximum, 2147483647")]
    Value,
}

/// Creates a semaphore with this value and exactly these permissions.
///
/// # Errors
/// [`Error::Exists`].
pub fn create(name: &SemaphoreName, value: u32, mode: u32) -> Result<(), Error> {
    if value > VALUE_MAX {
        return Err(OVERFLOW);
    }
    let mut image = [0; SIZE];
    image[..8].copy_from_slice(&u64::from(value).to_ne_bytes());
    image[SHARED_OFFSET..][..4].copy_from_slice(&SHARED.to_ne_bytes());
    Ok(NewFile::holding(&dev_shm::path(&file_name(name)), mode, &image)?.link()?)
}

/// Removes the name. Processes that have the semaphore open go on using it.
pub fn unlink(name: &SemaphoreName) -> Result<(), Errno> {
    dev_shm::unlink(&file_name(name))
}

/// An open semaphore. Dropping it closes the handle; the name stays.
#[derive(Debug)]
pub struct PosixSemaphore {
    words: SharedWords,
    file: OwnedFd,
    status: FileStat,
}

impl PosixSemaphore {
    /// Opens an existing semaphore.
    pub fn open(name: &SemaphoreName) -> Result<Self, Error> {
        let (file, status) = dev_shm::open_object(&file_name(name), OFlag::O_RDWR)?;
        Self::of(file, status)
    }

    /// Opens the semaphore again, whatever its name leads to by now.
    pub fn reopen(&self) -> Result<Self, Error> {
        let file = self.new_description()?;
        let status = fstat(&file)?;
        Self::of(file, status)
    }

    /// Checks the size and the content. This is the first access to the memory, so it shows memory
    /// that the system cannot provide.
    fn of(file: OwnedFd, status: FileStat) -> Result<Self, Error> {
        let size = usize::try_from(status.st_size).unwrap_or(0);
        if size != SIZE && size != GROWN.get() {
            return Err(Malformed::Size(status.st_size).into());
        }
        let semaphore = Self { words: SharedWords::new(&file, GROWN)?, file, status };
        let value = semaphore.value();
        semaphore.verify()?;
        if size == GROWN.get() && !semaphore.has_slots() && !semaphore.is_shared() {
            return Err(Malformed::NotGrown.into());
        }
        if value > VALUE_MAX {
            return Err(Malformed::Value.into());
        }
        Ok(semaphore)
    }

    /// The creator and the permissions.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the name leads to another semaphore by now.
    pub fn found(&self, name: &SemaphoreName) -> Result<Found, Error> {
        Ok(Found::of_open(&dev_shm::path(&file_name(name)), &self.status)?)
    }

    /// Changes the permissions.
    ///
    /// # Errors
    /// EPERM for users other than the owner.
    pub fn set_mode(&self, mode: u32) -> Result<(), Errno> {
        Ok(fchmod(&self.file, Mode::from_bits_truncate(mode as _))?)
    }

    /// Opens a new file description of the file, with locks of its own.
    pub fn new_description(&self) -> Result<OwnedFd, Errno> {
        descriptor::reopen(&self.file, OFlag::O_RDWR | OFlag::O_CLOEXEC)
    }

    /// Checks that all accesses to the memory so far reached the file.
    ///
    /// # Errors
    /// [`Error::Lost`].
    pub fn verify(&self) -> Result<(), Error> {
        self.words.verify().map_err(|_| Error::Lost)
    }

    /// The value.
    pub fn value(&self) -> u32 {
        value_of(self.word().load(Ordering::SeqCst))
    }

    /// The number of waiters.
    pub fn waiters(&self) -> u32 {
        waiters_of(self.word().load(Ordering::SeqCst))
    }

    /// The status of the file.
    pub fn status(&self) -> &FileStat {
        &self.status
    }

    /// Increments the value by `count`. A signal handler may call it.
    ///
    /// # Errors
    /// [`Error::Overflow`], with nothing changed; [`Error::Lost`].
    pub fn increment(&self, count: u32) -> Result<(), Error> {
        let before = self
            .change(|word| with_value(word, value_of(word).checked_add(count)?))
            .ok_or(OVERFLOW)?;
        if before & !FLAG >= ONE_WAITER {
            self.wake(count);
        }
        self.verify()
    }

    /// Sets the value and wakes all waiters.
    ///
    /// # Errors
    /// [`Error::Overflow`], with nothing changed; [`Error::Lost`].
    pub fn set(&self, value: u32) -> Result<(), Error> {
        self.change(|word| with_value(word, value)).ok_or(OVERFLOW)?;
        self.wake(u32::MAX);
        self.verify()
    }

    /// Decrements the value by `count` if it is large enough.
    pub fn try_decrement(&self, count: u32) -> bool {
        self.change(|word| with_value(word, value_of(word).checked_sub(count)?)).is_some()
    }

    /// As [`PosixSemaphore::try_decrement`], and raises the flag in the same operation.
    pub fn try_decrement_raising_flag(&self, count: u32) -> bool {
        self.change(|word| Some(with_value(word, value_of(word).checked_sub(count)?)? | FLAG))
            .is_some()
    }

    /// Increments the value by `count`, up to the maximum, and raises the flag in the same operation.
    /// It wakes no waiter.
    pub fn increment_raising_flag(&self, count: u32) {
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

    /// Counts the caller as a waiter until the result is dropped.
    pub fn enlist(&self) -> Enlisted<'_> {
        self.word().fetch_add(ONE_WAITER, Ordering::SeqCst);
        Enlisted(self)
    }

    /// Sleeps while the value is this, until another process wakes this one. It may return early.
    ///
    /// # Errors
    /// [`Error::Lost`].
    pub fn sleep(&self, value: u32, deadline: Deadline) -> Result<Waited, Error> {
        match futex::wait(self.futex(), value, deadline) {
            Err(Errno(libc::EFAULT)) => Err(Error::Lost),
            slept => Ok(slept?),
        }
    }

    /// Wakes up to `count` sleeping waiters.
    pub fn wake(&self, count: u32) {
        futex::wake(self.futex(), count.try_into().unwrap_or(i32::MAX));
    }

    /// Whether it has slots. Without slots, all slots read as 0.
    pub fn has_slots(&self) -> bool {
        self.words.atomic_u64(MAGIC_OFFSET).load(Ordering::SeqCst) == MAGIC
    }

    /// Whether the file says that processes share the semaphore, as every named semaphore does.
    fn is_shared(&self) -> bool {
        self.words.atomic_u32(SHARED_OFFSET).load(Ordering::Relaxed) == SHARED
    }

    /// Adds slots. The caller excludes other processes that would do so. A process that is killed in
    /// between leaves a longer file without slots, which is harmless.
    pub fn add_slots(&self) -> Result<(), Errno> {
        if !self.has_slots() {
            ftruncate(&self.file, GROWN.get() as i64)?;
            self.words.atomic_u64(MAGIC_OFFSET).store(MAGIC, Ordering::SeqCst);
        }
        Ok(())
    }

    /// The process ID of the process that changes slots, or did so last, as that process wrote it.
    pub fn changer(&self) -> &AtomicU32 {
        self.words.atomic_u32(CHANGER_OFFSET)
    }

    /// The slot of this index, below [`SLOTS`]. An unused slot is 0.
    pub fn slot(&self, index: usize) -> &AtomicU64 {
        self.words.atomic_u64(FIRST_SLOT + index * size_of::<u64>())
    }

    /// Notifies the processes that watch the file of a changed slot: the kernel does not report changes
    /// of mapped memory.
    pub fn announce(&self) -> Result<(), Errno> {
        pwrite(&self.file, &MAGIC.to_ne_bytes(), MAGIC_OFFSET as i64)?;
        Ok(())
    }

    /// Replaces the word by `to` of it, unless that is `None`; returns the word before.
    fn change(&self, to: impl Fn(u64) -> Option<u64>) -> Option<u64> {
        // A process that decrements the value sees what was written before it was incremented.
        self.word().fetch_update(Ordering::SeqCst, Ordering::SeqCst, to).ok()
    }

    fn word(&self) -> &AtomicU64 {
        self.words.atomic_u64(0)
    }

    /// The half of the word that contains the value.
    fn futex(&self) -> &AtomicU32 {
        self.words.atomic_u32(if cfg!(target_endian = "little") { 0 } else { 4 })
    }
}

impl AsFd for PosixSemaphore {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// What a semaphore looks like at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Glance {
    /// The status of its file.
    pub status: FileStat,
    /// The value and the number of waiters; `None` if it cannot be read, or is no semaphore.
    pub counts: Option<(u32, u32)>,
}

/// Reads a semaphore without mapping it: for listings, which read many, and which may read some that they
/// may not change.
///
/// # Errors
/// [`Error::NotFound`], and [`Malformed::NotAFile`].
pub fn glance(name: &SemaphoreName) -> Result<Glance, Error> {
    match dev_shm::open_object(&file_name(name), OFlag::O_RDONLY) {
        Ok((file, status)) => Ok(Glance { status, counts: counts(&file, status.st_size) }),
        Err(_) => Ok(Glance { status: status(name)?, counts: None }),
    }
}

fn counts(file: &OwnedFd, size: i64) -> Option<(u32, u32)> {
    let mut head = [0; FIRST_SLOT];
    let is_grown = size == GROWN.get() as i64;
    if size != SIZE as i64 && !is_grown || pread(file, &mut head, 0).ok()? < SIZE {
        return None;
    }
    let long = |offset: usize| head[offset..].first_chunk().map(|&bytes| u64::from_ne_bytes(bytes));
    let is_shared = head[SHARED_OFFSET..].starts_with(&SHARED.to_ne_bytes());
    if is_grown && long(MAGIC_OFFSET)? != MAGIC && !is_shared {
        return None;
    }
    let word = long(0)?;
    (value_of(word) <= VALUE_MAX).then(|| (value_of(word), waiters_of(word)))
}

/// A waiter that the semaphore counts.
#[derive(Debug)]
pub struct Enlisted<'a>(&'a PosixSemaphore);

impl Drop for Enlisted<'_> {
    fn drop(&mut self) {
        self.0.word().fetch_sub(ONE_WAITER, Ordering::SeqCst);
    }
}

/// The path of a semaphore of this name in programs that are linked to musl, which use another layout:
/// they and other programs cannot share a semaphore.
pub fn path_of_musl(name: &SemaphoreName) -> PathBuf {
    dev_shm::path(name.without_slash())
}

/// Whether a file exists that could be such a semaphore.
pub fn is_of_musl(name: &SemaphoreName) -> bool {
    dev_shm::status(name.without_slash()).is_ok_and(|status| status.st_size == SIZE as i64)
}

/// The sorted names of all semaphores, and of malformed files with such names.
pub fn list() -> Result<Vec<SemaphoreName>, Errno> {
    let names = dev_shm::list()?;
    Ok(names
        .iter()
        .filter_map(|name| {
            SemaphoreName::of_file(OsStr::from_bytes(name.as_bytes().strip_prefix(b"sem.")?)).ok()
        })
        .collect())
}

/// The path of the file.
pub fn path(name: &SemaphoreName) -> PathBuf {
    dev_shm::path(&file_name(name))
}

/// The status of the file, without opening it.
pub fn status(name: &SemaphoreName) -> Result<FileStat, Error> {
    Ok(dev_shm::status(&file_name(name))?)
}

/// Changes the owner and the permissions of a file that has the size of a semaphore.
pub fn set_ownership(name: &SemaphoreName, ownership: &NewOwnership) -> Result<(), Error> {
    let (file, status) = inode::locate(&dev_shm::path(&file_name(name)), Links::Refused)?;
    if !inode::is_regular(&status) {
        return Err(Malformed::NotAFile.into());
    }
    match usize::try_from(status.st_size) {
        Ok(size) if size == SIZE || size == GROWN.get() => Ok(ownership.apply(file)?),
        _ => Err(Malformed::Size(status.st_size).into()),
    }
}

fn value_of(word: u64) -> u32 {
    (word & VALUE) as u32
}

fn waiters_of(word: u64) -> u32 {
    ((word & !FLAG) / ONE_WAITER) as u32
}

/// The word with another value, unless that is too large.
fn with_value(word: u64, value: u32) -> Option<u64> {
    (value <= VALUE_MAX).then(|| word & !VALUE | u64::from(value))
}

fn file_name(name: &SemaphoreName) -> OsString {
    let mut file_name = OsString::from("sem.");
    file_name.push(name.without_slash());
    file_name
}
