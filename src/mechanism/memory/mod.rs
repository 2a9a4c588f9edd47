//! Shared memory: segments, and numbers in them.

pub mod cell;
pub mod segment;
