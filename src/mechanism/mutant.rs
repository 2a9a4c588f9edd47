//! Faults that a test injects into the algorithms, to check that it would find them.
//!
//! Without debug assertions no fault can be active: there [`is`] is the constant `false`.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

/// A fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Mutant {
    /// No fault.
    Nothing,
    /// A commit is a store, and a separate call wakes the sleepers.
    WakeAfterCommit,
    /// The committer removes the mark of a sleeper before the commit that wakes it.
    MarkRemovedFirst,
    /// The locker sets the pending operation after it acquires the lock.
    PendingLate,
    /// The consumer marks a message at the head as done, and then moves the head.
    MarkThenMove,
    /// The locker clears the pending operation before it releases the lock.
    PendingClearedEarly,
    /// The committer changes the live state in place.
    InPlace,
}

static ACTIVE: AtomicU8 = AtomicU8::new(Mutant::Nothing as u8);

/// Activates a fault in this process.
pub fn activate(mutant: Mutant) {
    ACTIVE.store(mutant as u8, Ordering::SeqCst);
}

/// Whether this build can inject faults.
pub const fn is_possible() -> bool {
    cfg!(debug_assertions)
}

/// Whether this fault is active.
#[inline(always)]
pub fn is(mutant: Mutant) -> bool {
    is_possible() && ACTIVE.load(Ordering::Relaxed) == mutant as u8
}

static LOOK: AtomicU64 = AtomicU64::new(0);

/// Sets the interval at which sleepers of this process check without a wake-up. A long interval
/// lets a test distinguish a lost wake-up from a wait for the CPU.
pub fn look_after(seconds: u64) {
    LOOK.store(seconds, Ordering::SeqCst);
}

/// The interval at which a sleeper checks without a wake-up: `ordinary` unless a test sets another.
#[inline]
pub fn look(ordinary: Duration) -> Duration {
    match LOOK.load(Ordering::Relaxed) {
        1.. if is_possible() => Duration::from_secs(LOOK.load(Ordering::Relaxed)),
        _ => ordinary,
    }
}
