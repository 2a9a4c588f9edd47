//! One side of a queue: the push side or the pop side.
//!
//! A side has a lock, a position that only grows, and a number of commits. Two states take turns: a
//! commit writes the state that is not live and then increments the number, which makes that state
//! live. The live state is therefore never half written, and the other side reads it without the
//! lock.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use crate::base::deadline::Deadline;
use crate::mechanism::mutant::{self, Mutant};
use crate::mechanism::robust_lock::{Held, Place, next_look};
use crate::sys::futex;
use crate::sys::memory::fence_after_change;

use super::layout::{HINT, SEQ, STATE, STATE_SIZE, WAIT, lock_byte};
use super::{Error, Memory};

/// A side, in the memory of the queue.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    memory: &'a Memory,
    /// The offset of the side.
    base: usize,
}

/// The state of a side, which a commit makes live.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct State {
    /// The total number of bytes that have passed, with the headers and padding of the records.
    pub position: u64,
    /// The total number of messages that have passed.
    pub messages: u64,
    /// The total number of bytes of messages that have passed.
    pub bytes: u64,
}

impl State {
    /// The state after a record of a message of this length.
    #[inline]
    pub fn after(self, size: u64, length: u64) -> Self {
        Self {
            position: self.position.wrapping_add(size),
            messages: self.messages.wrapping_add(1),
            bytes: self.bytes.wrapping_add(length),
        }
    }
}

/// A state, and the number of commits at which it was live.
pub type Committed = (State, u32);

/// The maximum number of attempts to read a state between two commits.
pub const READS: u32 = 1_000_000;

impl<'a> Side<'a> {
    /// The side at this offset.
    #[inline(always)]
    pub fn new(memory: &'a Memory, base: usize) -> Self {
        Self { memory, base }
    }

    /// The lock of the side.
    #[inline(always)]
    pub fn lock(self) -> Place<'a> {
        Place { word: self.memory.word(self.base), byte: lock_byte(self.base) }
    }

    /// The other side's position, as last seen. The caller holds the lock.
    #[inline(always)]
    pub fn hint(self) -> &'a AtomicU64 {
        self.memory.long(self.base + HINT)
    }

    /// The number of commits.
    #[inline(always)]
    pub fn seq(self) -> &'a AtomicU32 {
        self.memory.word(self.base + SEQ)
    }

    /// The number of commits that a waiter sleeps on.
    #[inline(always)]
    pub fn wait(self) -> &'a AtomicU32 {
        self.memory.word(self.base + WAIT)
    }

    /// The live state and its number. The caller holds the lock.
    #[inline(always)]
    pub fn own(self) -> Committed {
        let seq = self.seq().load(Ordering::Relaxed);
        (self.state(seq), seq)
    }

    /// The live state and its number, without the lock.
    #[inline]
    pub fn peek(self) -> Result<Committed, Error> {
        for _ in 0..READS {
            let seq = self.seq().load(Ordering::Acquire);
            let state = self.state(seq);
            fence(Ordering::Acquire);
            if self.seq().load(Ordering::Relaxed) == seq {
                return Ok((state, seq));
            }
            std::hint::spin_loop();
        }
        Err(Error::Corrupt("a state never stays as it is"))
    }

    /// Makes a state live, wakes the sleepers of the other side, and unlocks.
    #[inline(always)]
    pub fn commit(self, seq: u32, state: State, held: Held<'_>) {
        self.prepare(seq, state);
        let has_sleeper = self.wait().load(Ordering::Relaxed) == seq;
        if has_sleeper && !mutant::is(Mutant::WakeAfterCommit) {
            return self.commit_and_wake(seq, held);
        }
        self.seq().store(seq.wrapping_add(1), Ordering::Release);
        drop(held);
        fence_after_change();
        // A waiter may have registered after the first load.
        if self.wait().load(Ordering::SeqCst) == seq {
            futex::wake(self.seq(), i32::MAX);
        }
    }

    /// Commits and wakes in one system call, so that SIGKILL cannot come between the two.
    #[cold]
    fn commit_and_wake(self, seq: u32, held: Held<'_>) {
        if mutant::is(Mutant::MarkRemovedFirst) {
            self.wait().store(seq.wrapping_sub(1), Ordering::SeqCst);
        }
        fence(Ordering::Release);
        futex::add_and_wake_all(self.seq());
        drop(held);
    }

    /// Writes the state that is not live.
    #[inline(always)]
    fn prepare(self, seq: u32, state: State) {
        if mutant::is(Mutant::InPlace) {
            self.store(seq, state);
        }
        self.store(seq.wrapping_add(1), state);
    }

    /// Marks that the caller will sleep on this number of commits, and returns whether the number
    /// is still current. The caller holds the lock of the *other* side.
    pub fn register(self, seq: u32) -> bool {
        self.wait().store(seq, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.seq().load(Ordering::SeqCst) == seq
    }

    /// Sleeps while this is the number of commits, for at most a second.
    pub fn sleep(self, seq: u32, deadline: Deadline) -> Result<(), Error> {
        let _ = futex::wait(self.seq(), seq, deadline.min(next_look()))?;
        Ok(())
    }

    #[inline(always)]
    fn state(self, seq: u32) -> State {
        let at = self.state_at(seq);
        let load = |offset| self.memory.long(at + offset).load(Ordering::Relaxed);
        State { position: load(0), messages: load(8), bytes: load(16) }
    }

    #[inline(always)]
    fn store(self, seq: u32, state: State) {
        let at = self.state_at(seq);
        let store = |offset, value| self.memory.long(at + offset).store(value, Ordering::Relaxed);
        store(0, state.position);
        store(8, state.messages);
        store(16, state.bytes);
    }

    #[inline(always)]
    fn state_at(self, seq: u32) -> usize {
        self.base + STATE + STATE_SIZE * (seq & 1) as usize
    }
}
