//! The engine of `ipc` for objects on NATS servers.

mod api;
mod calls;
mod connection;
mod descriptor;
mod engine;
mod queue;
mod records;
mod signals;
mod stream;
mod work_queue;

use std::ffi::OsString;

/// Runs the command line of a process, and returns its exit status.
#[must_use]
pub fn run(arguments: Vec<OsString>) -> u8 {
    ipc_suite::run_remote(arguments, &engine::Nats)
}
