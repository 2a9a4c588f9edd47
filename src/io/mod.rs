//! Input and output: framings, stdout and diagnostics, transfers between descriptors.

pub mod fill;
pub mod frame;
pub mod outbox;
pub mod output;
pub mod progress;
pub mod screen;
pub mod sink;
pub mod spin;
pub mod transfer;
