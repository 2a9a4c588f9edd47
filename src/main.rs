//! Hands the command line to the library, from the C entry point.
#![no_main]

ipc_suite::entry_point!();
