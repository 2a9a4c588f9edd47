//! Mechanisms that this program defines on top of the kernel's objects.

pub mod mutant;
pub mod queue;
pub mod robust_lock;
