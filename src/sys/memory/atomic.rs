//! Atomic integers of any width.

use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

/// An atomic integer of any width.
pub trait Atomic {
    /// Loads its bits.
    fn load(&self) -> u64;
    /// Stores the low ones of these bits.
    fn store(&self, bits: u64);
    /// Stores bits if the present ones equal `seen`; returns the present ones otherwise.
    fn replace(&self, seen: u64, bits: u64) -> Result<(), u64>;
}

macro_rules! atomics {
    ($($atomic:ty => $value:ty),*) => {$(
        impl Atomic for $atomic {
            fn load(&self) -> u64 {
                self.load(Ordering::SeqCst).into()
            }

            fn store(&self, bits: u64) {
                self.store(bits as $value, Ordering::SeqCst);
            }

            fn replace(&self, seen: u64, bits: u64) -> Result<(), u64> {
                let order = Ordering::SeqCst;
                self.compare_exchange(seen as $value, bits as $value, order, order)
                    .map(drop)
                    .map_err(u64::from)
            }
        }
    )*};
}

atomics!(AtomicU8 => u8, AtomicU16 => u16, AtomicU32 => u32, AtomicU64 => u64);
