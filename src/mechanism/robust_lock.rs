//! A lock in a word of shared memory, which the kernel releases when the holder is killed.
//!
//! The word holds the number of the thread that has the lock. A thread announces the word to the
//! kernel before it changes the word, and the kernel frees the word when the thread ends. This
//! works only among threads of one PID namespace: a thread of another namespace may have the same
//! number, and the kernel would free a lock that a living thread holds. The first participant from
//! another namespace, or without a robust list, therefore moves the lock permanently to an open
//! file description lock on a byte of the object, and stores [`MOVED`] in the word.
//!
//! A stopped holder keeps the lock until it continues; every wait has a deadline.

use std::cell::Cell;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::io::spin;
use crate::sys::lock::Lock;
use crate::sys::robust_list::{RobustList, has_thread};
use crate::sys::{futex, process};

use super::mutant::{self, Mutant};

/// The bits of the word that hold a thread number.
pub const OWNER: u32 = 0x3fff_ffff;

/// The owner in a word whose lock is now a byte of the file. The kernel gives no thread this
/// number.
pub const MOVED: u32 = OWNER;

const WAITERS: u32 = libc::FUTEX_WAITERS;
const DIED: u32 = libc::FUTEX_OWNER_DIED;

/// The interval at which a sleeper checks the word without a wake-up, in case that the process that
/// should have sent the wake-up was killed.
const LOOK: Duration = Duration::from_secs(1);

/// The time at which a sleeper that begins now checks without a wake-up.
pub fn next_look() -> Deadline {
    Deadline::after(mutant::look(LOOK))
}

/// The minimum wait for a lock, even in an operation that must not wait. A holder needs the lock
/// for less than microseconds, but may not have the CPU.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);

/// The number of polls of the word before a waiter sleeps.
const LOOKS: u32 = 200;

/// A participant: a thread, and the file whose bytes replace the words. It holds at most one lock
/// at a time.
#[derive(Debug)]
pub struct Locker {
    /// `None` for a participant that must not write its thread number.
    list: Option<RobustList>,
    file: Rc<OwnedFd>,
    /// The byte that this participant holds instead of a word.
    byte: Cell<Option<i64>>,
}

/// The thread numbers that a word may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Numbers {
    /// The numbers of the PID namespace with this inode.
    Of(u64),
    /// None: this participant writes no number, and trusts none that it reads.
    Distrusted,
}

/// The location of a lock.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The word.
    pub word: &'a AtomicU32,
    /// The byte of the file that replaces the word.
    pub byte: i64,
}

/// A held lock; dropping it releases the lock. It is small, so that it stays in registers.
#[derive(Debug)]
pub struct Held<'a> {
    locker: &'a Locker,
    word: &'a AtomicU32,
}

/// The form of a lock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum By {
    Word,
    Byte,
}

impl Locker {
    /// Creates a participant for this thread, with an open file description that no other
    /// participant has. Another thread, or a child after fork(2), cannot use it.
    pub fn new(numbers: Numbers, file: Rc<OwnedFd>) -> Self {
        let is_ours = |namespace| process::pid_namespace().is_ok_and(|ours| ours == namespace);
        let list = match numbers {
            Numbers::Of(namespace) if is_ours(namespace) => RobustList::of_this_thread().ok(),
            Numbers::Of(_) | Numbers::Distrusted => None,
        };
        Self { list, file, byte: Cell::new(None) }
    }

    /// Whether this participant writes its thread number into words.
    pub fn writes_words(&self) -> bool {
        self.list.is_some()
    }

    /// Acquires the lock if it is free, which is the usual case.
    #[inline(always)]
    pub fn try_acquire<'a>(&'a self, word: &'a AtomicU32) -> Option<Held<'a>> {
        let list = self.list.as_ref()?;
        let late = mutant::is(Mutant::PendingLate);
        if !late {
            list.set(word);
        }
        let order = (Ordering::Acquire, Ordering::Relaxed);
        let taken = word.compare_exchange(0, list.thread(), order.0, order.1).is_ok();
        if late {
            list.set(word);
        }
        // After a failure the word stays pending, because the caller waits for it next. A `Held`
        // must not exist without the lock, even for a moment, because its drop unlocks.
        if taken { Some(Held { locker: self, word }) } else { None }
    }

    /// Acquires a lock after [`Locker::try_acquire`] failed.
    ///
    /// # Errors
    /// The errors of futex(2) and fcntl(2), which fail on a lock in a truncated file.
    #[cold]
    pub fn acquire<'a>(
        &'a self,
        place: Place<'a>,
        deadline: Deadline,
    ) -> Result<Waited<Held<'a>>, Errno> {
        let Some(list) = &self.list else { return self.acquire_byte(place, deadline) };
        let outcome = Self::take_word(list.thread(), place.word, extended(deadline));
        if !matches!(outcome, Ok(Waited::Done(By::Word))) {
            list.clear();
        }
        match outcome? {
            Waited::Done(By::Word) => Ok(Waited::Done(Held { locker: self, word: place.word })),
            Waited::Done(By::Byte) => self.acquire_byte(place, deadline),
            Waited::TimedOut => Ok(Waited::TimedOut),
        }
    }

    /// Acquires the word, or finds that the lock has moved to the byte.
    fn take_word(thread: u32, word: &AtomicU32, deadline: Deadline) -> Result<Waited<By>, Errno> {
        // After a sleep, this thread keeps the waiters bit set: another thread may still sleep, and
        // its bit may be gone.
        let most = if spin::has_other_cpu() { LOOKS } else { 0 };
        let (mut slept, mut looks) = (0, most);
        loop {
            let seen = word.load(Ordering::Relaxed);
            match seen & OWNER {
                MOVED => return Ok(Waited::Done(By::Byte)),
                0 => {
                    if replace(word, seen, thread | (seen & WAITERS) | slept) {
                        return Ok(Waited::Done(By::Word));
                    }
                }
                _ if looks > 0 => {
                    looks -= 1;
                    std::hint::spin_loop();
                }
                _ => {
                    if !mark(word, seen) {
                        continue;
                    }
                    if deadline.has_passed() {
                        return Ok(Waited::TimedOut);
                    }
                    sleep(word, seen | WAITERS, deadline)?;
                    (slept, looks) = (WAITERS, most);
                }
            }
        }
    }

    #[cold]
    fn release_byte(&self, byte: Option<i64>) {
        self.byte.set(None);
        if let Some(byte) = byte {
            // The call fails only for an invalid descriptor.
            let _ = Lock::of_byte(byte).release(&self.file);
        }
    }

    /// Acquires the byte, and makes sure that the word is no longer the lock.
    #[cold]
    fn acquire_byte<'a>(
        &'a self,
        place: Place<'a>,
        deadline: Deadline,
    ) -> Result<Waited<Held<'a>>, Errno> {
        let deadline = extended(deadline);
        let Waited::Done(()) = Lock::of_byte(place.byte).wait(&self.file, deadline)? else {
            return Ok(Waited::TimedOut);
        };
        self.byte.set(Some(place.byte));
        let held = Held { locker: self, word: place.word };
        loop {
            let seen = place.word.load(Ordering::Acquire);
            match seen & OWNER {
                MOVED => return Ok(Waited::Done(held)),
                0 => {
                    if replace(place.word, seen, MOVED) {
                        futex::wake(place.word, i32::MAX);
                    }
                }
                _ if deadline.has_passed() => return Ok(Waited::TimedOut),
                _ => {
                    if mark(place.word, seen) {
                        let look = deadline.min(next_look());
                        let _ = futex::wait(place.word, seen | WAITERS, look)?;
                    }
                }
            }
        }
    }
}

impl Drop for Held<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        match (&self.locker.list, self.locker.byte.get()) {
            (Some(list), None) => {
                if mutant::is(Mutant::PendingClearedEarly) {
                    list.clear();
                }
                // SeqCst: the later check for sleepers must not move before the unlock.
                let order = (Ordering::SeqCst, Ordering::Relaxed);
                let freed = self.word.compare_exchange(list.thread(), 0, order.0, order.1);
                if freed.is_err() {
                    futex::clear_and_wake_one(self.word);
                }
                list.clear();
            }
            (_, byte) => self.locker.release_byte(byte),
        }
    }
}

/// Frees a word whose owner does not exist, and returns whether it did so. The kernel has not
/// freed such a word, for example after a crash of the machine.
pub fn free_if_dead(word: &AtomicU32) -> bool {
    let seen = word.load(Ordering::Acquire);
    is_owned_by_dead(seen) && replace(word, seen, DIED | WAITERS)
}

/// Whether the owner of the word does not exist.
pub fn is_dead(word: &AtomicU32) -> bool {
    is_owned_by_dead(word.load(Ordering::Acquire))
}

fn is_owned_by_dead(seen: u32) -> bool {
    !matches!(seen & OWNER, 0 | MOVED) && !has_thread(seen & OWNER)
}

/// Sleeps while the word has the value `seen`. After a whole second without a wake-up, frees the
/// word if its owner does not exist.
fn sleep(word: &AtomicU32, seen: u32, deadline: Deadline) -> Result<(), Errno> {
    let look = next_look();
    if futex::wait(word, seen, deadline.min(look))? == Waited::TimedOut && look.has_passed() {
        free_if_dead(word);
    }
    Ok(())
}

/// Sets the waiters bit, so that the holder wakes a waiter when it unlocks.
fn mark(word: &AtomicU32, seen: u32) -> bool {
    seen & WAITERS != 0 || replace(word, seen, seen | WAITERS)
}

fn replace(word: &AtomicU32, seen: u32, new: u32) -> bool {
    word.compare_exchange(seen, new, Ordering::AcqRel, Ordering::Relaxed).is_ok()
}

/// The deadline, or the end of the minimum wait if that is later.
fn extended(deadline: Deadline) -> Deadline {
    match deadline.remaining() {
        Some(left) if left < SHORTEST_WAIT => Deadline::after(SHORTEST_WAIT),
        _ => deadline,
    }
}
