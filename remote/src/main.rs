//! `ipc-remote`: the verbs of `ipc` on objects of NATS servers. `ipc` executes it for such names.
#![no_main]

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

fn run(arguments: Vec<OsString>) -> u8 {
    ipc_suite::run_remote(arguments, &engine::Nats)
}

ipc_suite::entry_point!(run);
