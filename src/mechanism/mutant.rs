//! Faults that a test puts into the algorithms, in order to see that it would find them.
//!
//! A build with optimisation has none of this: there [`is`] is the constant `false`.

use std::sync::atomic::{AtomicU8, Ordering};

/// A fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Mutant {
    /// None.
    Nothing,
    /// A commit is one store, and sleepers are woken by another call.
    WakeAfterCommit,
    /// The mark of a sleeper is removed before the commit that wakes it.
    MarkRemovedFirst,
    /// The kernel is told of a lock after it is taken.
    PendingLate,
    /// A message at the head is marked as done, and then the head is moved.
    MarkThenMove,
    /// The kernel is not told of a lock any more before it is released.
    PendingClearedEarly,
    /// The live state is changed in its place.
    InPlace,
}

static ACTIVE: AtomicU8 = AtomicU8::new(Mutant::Nothing as u8);

/// Puts a fault into this process.
pub fn activate(mutant: Mutant) {
    ACTIVE.store(mutant as u8, Ordering::SeqCst);
}

/// Whether faults can be put in.
pub const fn is_possible() -> bool {
    cfg!(debug_assertions)
}

/// Whether this fault is active.
#[inline(always)]
pub fn is(mutant: Mutant) -> bool {
    is_possible() && ACTIVE.load(Ordering::Relaxed) == mutant as u8
}
