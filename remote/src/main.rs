//! `ipc-remote`: the verbs of `ipc` on objects of NATS servers. `ipc` executes it for such names.
#![no_main]

ipc_suite::entry_point!(ipc_remote::run);
