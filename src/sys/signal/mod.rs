//! Signals of this process: dispositions, the mask, and dequeuing blocked signals.
//!
//! Sets of signals are passed to the kernel directly, because musl's functions leave out the signals
//! that it reserves, and other processes may send those.

mod disposition;
mod handler;
mod mask;

use std::mem::MaybeUninit;

use nix::sys::signal::SigSet;

pub use self::disposition::{
    Dispositions, await_children, defaults_of_caller, die_of, is_ignored, kept_by_c_libraries,
    let_writes_fail, raise, restore_dispositions, restore_dispositions_of_caller,
};
pub use self::handler::{Disposition, Handler};
pub use self::mask::{Blocked, Received, Unblocked, mask, pending, unblock_all};

use crate::base::signal::Signal;

/// A set of signals in the format of the kernel.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(transparent)]
pub struct SignalSet(u64);

impl SignalSet {
    /// The set of these bits, which `/proc` shows in hexadecimal.
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The signals that are not in the other set.
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The signals that are in both sets.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether it has no signal.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The same set as a type of the C library.
    pub(super) fn for_c_library(self) -> SigSet {
        let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: a set of the library begins with that of the kernel, and is no smaller.
        unsafe { set.as_mut_ptr().cast::<u64>().write(self.0) };
        // SAFETY: every bit of it is written.
        let set = unsafe { set.assume_init() };
        // SAFETY: it is a set as sigemptyset(3) and sigaddset(3) would have made it.
        unsafe { SigSet::from_sigset_t_unchecked(set) }
    }

    /// The set with one more signal.
    pub fn with(self, signal: Signal) -> Self {
        Self(self.0 | bit(signal))
    }

    /// Whether the signal is in it.
    pub fn contains(self, signal: Signal) -> bool {
        self.0 & bit(signal) != 0
    }
}

impl FromIterator<Signal> for SignalSet {
    fn from_iter<I: IntoIterator<Item = Signal>>(signals: I) -> Self {
        Self(signals.into_iter().fold(0, |set, signal| set | bit(signal)))
    }
}

fn bit(signal: Signal) -> u64 {
    1 << (signal.number() - 1)
}
