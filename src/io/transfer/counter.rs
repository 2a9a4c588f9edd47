//! The number of bytes that a command has moved, for another thread that shows it.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number of bytes. The threads that move bytes add to it after each system call.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds bytes that were moved.
    pub fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The number until now.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
