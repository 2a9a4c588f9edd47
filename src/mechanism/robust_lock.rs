//! A lock in a word of shared memory that a killed holder does not keep.
//!
//! The word holds the number of the thread that has the lock. The word is announced to the kernel before
//! it is changed, and frees it when the thread ends. That works among threads whose numbers come
//! from one PID namespace: a thread of another namespace may have the same number, and the kernel
//! would free a lock that a living thread holds. So the first participant from elsewhere, or without
//! a robust list, moves the lock for good to an open file description lock on a byte of the object,
//! and puts [`MOVED`] into the word.
//!
//! A holder that is stopped keeps the lock until it continues; every wait has a deadline.

use std::cell::Cell;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::io::spin;
use crate::sys::lock::Lock;
use crate::sys::robust_list::{RobustList, has_thread};
use crate::sys::{futex, process};

use super::mutant::{self, Mutant};

/// The bits of the word that hold the number of a thread.
pub const OWNER: u32 = 0x3fff_ffff;

/// Stands for an owner: the lock is a byte of the file now. The kernel gives no thread this number.
pub const MOVED: u32 = OWNER;

const WAITERS: u32 = libc::FUTEX_WAITERS;
const DIED: u32 = libc::FUTEX_OWNER_DIED;

/// After this long a sleeper looks by itself, in case that the wake-up died with its sender.
const LOOK: Duration = Duration::from_secs(1);

/// The moment at which a sleeper that begins now looks by itself.
pub fn next_look() -> Deadline {
    Deadline::after(mutant::look(LOOK))
}

/// A lock is held for less than microseconds, so even an operation that may not wait waits for it
/// this long: the holder may have to get the CPU first.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);

/// How often the word is looked at before sleeping.
const LOOKS: u32 = 200;

/// A participant: a thread, and the file whose bytes stand in for the words. It holds no more than
/// one lock at a time.
#[derive(Debug)]
pub struct Locker {
    /// `None` for a participant that must not write its thread's number.
    list: Option<RobustList>,
    file: OwnedFd,
    /// The byte that is locked in the place of a word.
    byte: Cell<Option<i64>>,
    looks: u32,
}

/// Whose thread numbers a word may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Numbers {
    /// Those of the PID namespace of this inode.
    Of(u64),
    /// Ours are not to be written, and others are not to be believed.
    Distrusted,
}

/// A lock, and where it is.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The word.
    pub word: &'a AtomicU32,
    /// The byte of the file that takes the word's place.
    pub byte: i64,
}

/// The lock is held for as long as this lives. It is small, so that it stays in registers.
#[derive(Debug)]
pub struct Held<'a> {
    locker: &'a Locker,
    word: &'a AtomicU32,
}

/// What a lock is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum By {
    Word,
    Byte,
}

impl Locker {
    /// For this thread, and an open file description that no other participant has. It is of no use
    /// to another thread, nor after a fork.
    pub fn new(numbers: Numbers, file: OwnedFd) -> Self {
        let is_ours = |namespace| process::pid_namespace().is_ok_and(|ours| ours == namespace);
        let list = match numbers {
            Numbers::Of(namespace) if is_ours(namespace) => RobustList::of_this_thread().ok(),
            Numbers::Of(_) | Numbers::Distrusted => None,
        };
        let looks = if spin::has_other_cpu() { LOOKS } else { 0 };
        Self { list, file, byte: Cell::new(None), looks }
    }

    /// Whether this participant writes its number into words.
    pub fn writes_words(&self) -> bool {
        self.list.is_some()
    }

    /// Takes a lock that is free, as it mostly is.
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
        // Otherwise the word stays pending: it is waited for next. A lock that is not held must not
        // be made even for a moment, as dropping it unlocks.
        if taken { Some(Held { locker: self, word }) } else { None }
    }

    /// Takes a lock after an attempt that was in vain.
    ///
    /// # Errors
    /// Those of futex(2) and fcntl(2), which a lock of a file that was cut off has.
    #[cold]
    pub fn acquire<'a>(
        &'a self,
        place: Place<'a>,
        deadline: Deadline,
    ) -> Result<Waited<Held<'a>>, Errno> {
        let Some(list) = &self.list else { return self.acquire_byte(place, deadline) };
        let outcome = self.take_word(list.thread(), place.word, extended(deadline));
        if !matches!(outcome, Ok(Waited::Done(By::Word))) {
            list.clear();
        }
        match outcome? {
            Waited::Done(By::Word) => Ok(Waited::Done(Held { locker: self, word: place.word })),
            Waited::Done(By::Byte) => self.acquire_byte(place, deadline),
            Waited::TimedOut => Ok(Waited::TimedOut),
        }
    }

    /// Takes the word, or finds out that it is not the lock any more.
    fn take_word(
        &self,
        thread: u32,
        word: &AtomicU32,
        deadline: Deadline,
    ) -> Result<Waited<By>, Errno> {
        // Whether this thread has slept: another may still sleep, and its mark may be gone.
        let (mut slept, mut looks) = (0, self.looks);
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
                    (slept, looks) = (WAITERS, self.looks);
                }
            }
        }
    }

    #[cold]
    fn release_byte(&self, byte: Option<i64>) {
        self.byte.set(None);
        if let Some(byte) = byte {
            // It fails for descriptors that are none.
            let _ = Lock::of_byte(byte).release(&self.file);
        }
    }

    /// Takes the byte, and sees to it that the word is not the lock.
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
                // Nothing that comes later may move before it: the look at the sleepers is later.
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

/// Frees a word whose owner is a thread that does not exist, which the kernel has not done, as after
/// a crash of the machine; whether it was one.
pub fn free_if_dead(word: &AtomicU32) -> bool {
    let seen = word.load(Ordering::Acquire);
    is_owned_by_dead(seen) && replace(word, seen, DIED | WAITERS)
}

/// Whether the owner is a thread that does not exist.
pub fn is_dead(word: &AtomicU32) -> bool {
    is_owned_by_dead(word.load(Ordering::Acquire))
}

fn is_owned_by_dead(seen: u32) -> bool {
    !matches!(seen & OWNER, 0 | MOVED) && !has_thread(seen & OWNER)
}

/// Sleeps while the word is as it was seen. After a whole second without a wake-up the owner is
/// looked for.
fn sleep(word: &AtomicU32, seen: u32, deadline: Deadline) -> Result<(), Errno> {
    let look = next_look();
    if futex::wait(word, seen, deadline.min(look))? == Waited::TimedOut && look.has_passed() {
        free_if_dead(word);
    }
    Ok(())
}

/// Has the holder wake somebody when it unlocks.
fn mark(word: &AtomicU32, seen: u32) -> bool {
    seen & WAITERS != 0 || replace(word, seen, seen | WAITERS)
}

fn replace(word: &AtomicU32, seen: u32, new: u32) -> bool {
    word.compare_exchange(seen, new, Ordering::AcqRel, Ordering::Relaxed).is_ok()
}

/// The deadline, or the moment until which a lock is waited for in any case.
fn extended(deadline: Deadline) -> Deadline {
    match deadline.remaining() {
        Some(left) if left < SHORTEST_WAIT => Deadline::after(SHORTEST_WAIT),
        _ => deadline,
    }
}
