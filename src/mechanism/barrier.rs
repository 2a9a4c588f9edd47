//! Barriers: several processes that go on when all of them have come.
//!
//! A barrier is a file of `/dev/shm` that exists only while somebody waits at it, and serves once:
//! who comes last opens it and removes the name, so that the next to come make a new one. Each who
//! waits has a byte of it locked, and those that are locked are counted; so one who is killed is
//! not counted any more. Who arrives or gives up has the file to himself for that moment.

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
use crate::sys::dev_shm;
use crate::sys::futex;
use crate::sys::inode;
use crate::sys::lock::{self, Guard, Lock, Range};
use crate::sys::memory::SharedWords;
use crate::sys::regular_file;

/// The name of a barrier, which leaves room for what its file's name begins with.
pub type BarrierName = PosixName<{ 255 - PREFIX.len() }>;

/// The most that may meet at a barrier.
pub const PARTIES_MAX: u32 = 4096;

const PREFIX: &str = "ipc-barrier.";
/// A word that tells what the file is, one with the number of parties, one that becomes 1 when
/// all have come, and one with who has the file to himself.
const SIZE: NonZeroUsize = NonZeroUsize::new(16).expect("16 is not 0");
const MAGIC: u32 = u32::from_ne_bytes(*b"barr");
const PARTIES: usize = 4;
const OPEN: usize = 8;
const WHO: usize = 12;

/// The byte that is locked to have the file to oneself; those before it are places.
const DOOR: i64 = PARTIES_MAX as i64;

/// How long to sleep at most before looking again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Why one cannot wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// Others wait there for another number.
    #[error("others wait here for {0} parties")]
    Parties(u32),
    /// There is something else of that name.
    #[error("is no barrier, or another user's")]
    Foreign,
    /// Its file was cut off while it was used.
    #[error("the memory of the barrier is gone: its file was cut off, or /dev/shm is full")]
    Lost,
}

impl From<nix::errno::Errno> for Error {
    fn from(errno: nix::errno::Errno) -> Self {
        Self::Kernel(errno.into())
    }
}

/// Waits until `parties` have come, of whom the caller is one. Who gives up at `deadline` is not
/// counted any more; it is a success if all have come in that moment.
///
/// # Errors
/// [`Error::Parties`] if those who wait already expect another number to come.
pub fn wait(name: &BarrierName, parties: u32, deadline: Deadline) -> Result<Waited, Error> {
    let file_name = file_name(name);
    loop {
        let barrier = Barrier::open_or_create(&file_name, parties)?;
        let arrival = barrier.arrive(parties, deadline)?;
        let waited = match arrival {
            Arrival::Last => Waited::Done(()),
            Arrival::Waits => barrier.sleep(deadline)?,
            Arrival::NotLetIn => Waited::TimedOut,
            Arrival::Late => continue,
        };
        barrier.verify()?;
        return Ok(waited);
    }
}

/// What coming to a barrier was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Arrival {
    /// The others have come before.
    Last,
    /// Others have yet to come.
    Waits,
    /// It has been opened, or is nobody's any more: there will be another one.
    Late,
    /// Somebody is stopped who has the file to himself.
    NotLetIn,
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
                // Somebody else was faster.
                Err(Errno(libc::EEXIST)) => {}
                created => {
                    let file = created?;
                    let status = fstat(&file)?;
                    return Self::of(file_name, file, status);
                }
            }
        }
    }

    /// Looks at a file before trusting it: whoever may write to it could end us by shortening it.
    fn of(file_name: &'a OsStr, file: OwnedFd, status: FileStat) -> Result<Self, Error> {
        let is_ours = status.st_uid == geteuid().as_raw() && status.st_mode & 0o077 == 0;
        if !is_ours || status.st_size != SIZE.get() as i64 {
            return Err(Error::Foreign);
        }
        let barrier = Self { file_name, words: SharedWords::new(&file, SIZE)?, file, status };
        let magic = barrier.words.atomic_u32(0).load(Ordering::SeqCst);
        barrier.verify()?;
        if magic == MAGIC { Ok(barrier) } else { Err(Error::Foreign) }
    }

    /// Whether all that was seen was the barrier's.
    fn verify(&self) -> Result<(), Error> {
        self.words.verify().map_err(|_| Error::Lost)
    }

    /// Takes a place, or opens the barrier if the places of all others are taken.
    fn arrive(&self, parties: u32, deadline: Deadline) -> Result<Arrival, Error> {
        let Some(_door) = self.door(deadline)? else { return Ok(Arrival::NotLetIn) };
        if !self.has_name()? {
            return Ok(Arrival::Late);
        }
        if self.is_open() {
            // Who came last was killed before he could remove the name.
            self.remove_name()?;
            return Ok(Arrival::Late);
        }
        let expected = self.words.atomic_u32(PARTIES).load(Ordering::SeqCst);
        let (present, free) = self.places(expected.min(PARTIES_MAX))?;
        if expected != parties {
            if present > 0 {
                return Err(Error::Parties(expected));
            }
            // Those who waited were killed.
            self.remove_name()?;
            return Ok(Arrival::Late);
        }
        if present + 1 < parties {
            // The place is free, and only who is in the door takes one.
            let place = Lock::of_byte(free).acquire(&self.file, Deadline::PASSED);
            return Ok(match place.map_err(lock::Error::errno)? {
                Waited::Done(()) => Arrival::Waits,
                Waited::TimedOut => Arrival::Late,
            });
        }
        // One call, so that nobody can be killed who has opened it and woken no one.
        futex::add_and_wake_all(self.open_word());
        self.remove_name()?;
        Ok(Arrival::Last)
    }

    /// Waits in one's place until the barrier is open. Who is ended by a signal meanwhile gives up.
    fn sleep(&self, deadline: Deadline) -> Result<Waited, Error> {
        let end = Postponed::new();
        while !self.is_open() {
            if deadline.has_passed() || end.is_wanted() {
                return self.give_up();
            }
            match futex::wait(self.open_word(), 0, deadline.min(Deadline::after(LOOK_AGAIN))) {
                Err(Errno(libc::EFAULT)) => return Err(Error::Lost),
                slept => drop(slept?),
            }
            self.verify()?;
        }
        Ok(Waited::Done(()))
    }

    /// Frees one's place, and takes the file along if nobody else is there.
    fn give_up(&self) -> Result<Waited, Error> {
        // Whoever is in the door may be stopped there, and that is no reason to stay.
        let _door = self.door(Deadline::PASSED)?;
        if self.is_open() {
            return Ok(Waited::Done(()));
        }
        // Before the next one may count.
        ALL_PLACES.release(&self.file)?;
        let parties = self.words.atomic_u32(PARTIES).load(Ordering::SeqCst);
        if self.places(parties.min(PARTIES_MAX))?.0 == 0 && self.has_name()? {
            self.remove_name()?;
        }
        Ok(Waited::TimedOut)
    }

    /// Lets those who come make a new one.
    fn remove_name(&self) -> Result<(), Errno> {
        match dev_shm::unlink(self.file_name) {
            Err(Errno(libc::ENOENT)) => Ok(()),
            removed => removed,
        }
    }

    /// How many others have a place, and the first place that is free.
    fn places(&self, parties: u32) -> Result<(u32, i64), Errno> {
        let (mut present, mut free) = (0, None);
        for place in 0..parties.into() {
            if Lock::of_byte(place).is_excluded(&self.file)? {
                present += 1;
            } else if free.is_none() {
                free = Some(place);
            }
        }
        Ok((present, free.unwrap_or(0)))
    }

    /// Has the file to itself as long as what it returns lives; `None` if that cannot be in time.
    fn door(&self, deadline: Deadline) -> Result<Option<Guard<'_>>, Errno> {
        file_mutex::lock(&self.file, DOOR, self.words.atomic_u32(WHO), deadline)
    }

    fn is_open(&self) -> bool {
        self.open_word().load(Ordering::SeqCst) != 0
    }

    fn open_word(&self) -> &AtomicU32 {
        self.words.atomic_u32(OPEN)
    }

    /// Whether those who come find this file.
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

const ALL_PLACES: Lock =
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
    fn nobody_goes_on_before_all_have_come_in_any_round() {
        const PARTIES: u32 = 4;
        const ROUNDS: u32 = 50;
        let came = AtomicU32::new(0);
        let name = name("rounds");
        thread::scope(|scope| {
            for _ in 0..PARTIES {
                scope.spawn(|| {
                    for round in 1..=ROUNDS {
                        came.fetch_add(1, Ordering::SeqCst);
                        assert_eq!(wait(&name, PARTIES, Deadline::NEVER), Ok(Waited::Done(())));
                        assert!(came.load(Ordering::SeqCst) >= round * PARTIES);
                    }
                });
            }
        });
        assert_eq!(dev_shm::status(&file_name(&name)).unwrap_err(), Errno(libc::ENOENT).into());
    }

    #[test]
    fn who_gives_up_is_not_counted_and_leaves_nothing() {
        let name = name("alone");
        assert_eq!(wait(&name, 2, Deadline::PASSED), Ok(Waited::TimedOut));
        assert_eq!(wait(&name, 2, Deadline::PASSED), Ok(Waited::TimedOut));
        assert_eq!(dev_shm::status(&file_name(&name)).unwrap_err(), Errno(libc::ENOENT).into());
        assert_eq!(wait(&name, 1, Deadline::PASSED), Ok(Waited::Done(())));
    }

    #[test]
    fn a_file_that_somebody_left_is_no_hindrance_and_one_that_is_open_neither() {
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
