//! Faults that a test puts into the algorithms, in order to see that it would find them.
//!
//! A build with optimisation has none of this: there [`is`] is the constant `false`.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

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
    /// The pending operation is set after the lock is taken.
    PendingLate,
    /// A message at the head is marked as done, and then the head is moved.
    MarkThenMove,
    /// The pending operation is cleared before the lock is released.
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

static LOOK: AtomicU64 = AtomicU64::new(0);

/// Has sleepers of this process look by themselves after so many seconds, so that one that was not
/// woken differs from one that had to wait for a CPU.
pub fn look_after(seconds: u64) {
    LOOK.store(seconds, Ordering::SeqCst);
}

/// After how long a sleeper looks by itself, of which `ordinary` is the answer without a test.
#[inline]
pub fn look(ordinary: Duration) -> Duration {
    match LOOK.load(Ordering::Relaxed) {
        1.. if is_possible() => Duration::from_secs(LOOK.load(Ordering::Relaxed)),
        _ => ordinary,
    }
}
