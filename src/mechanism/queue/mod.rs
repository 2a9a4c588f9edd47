//! A bounded message queue in shared memory or in a file: ipc-queue(5).

pub mod ring;
