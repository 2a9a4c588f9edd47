//! The kernel's objects, a file for each: it owns the handle, keeps the only unsafe code, and
//! prints nothing. What a call needs beyond its object comes from the leaves of the crate.
#![allow(unsafe_code, reason = "system calls and shared memory; denied everywhere else")]

mod arena;
mod conduit;
pub mod descriptor;
pub mod dev_shm;
pub mod directory;
pub mod ending;
pub mod entry;
pub mod eventfd;
pub mod events;
pub mod executable;
pub mod fifo;
pub mod file_place;
pub mod file_segment;
pub mod futex;
pub mod inet_table;
pub mod interrupt;
pub mod lock;
pub mod lock_table;
pub mod mapped_file;
pub mod mapping;
pub mod memfd;
pub mod mqueue;
pub mod new_file;
pub mod pages;
pub mod pidfd;
pub mod poll;
pub mod process;
pub mod regular_file;
pub mod segment;
pub mod semaphore;
pub mod shared_memory;
pub mod signal;
mod sock_diag;
pub mod socket;
pub mod spawn;
pub mod stdio;
pub mod stream;
pub mod system_v;
pub mod system_v_memory;
pub mod system_v_queue;
pub mod system_v_semaphore;
pub mod transfer;
pub mod unix_diag;
pub mod watch;
pub mod window;
