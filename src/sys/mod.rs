//! System calls, one per function: the only unsafe code, without policy and without messages for
//! users.
#![allow(unsafe_code, reason = "system calls and shared memory; denied everywhere else")]

pub mod accounts;
mod arena;
#[cfg(test)]
pub use arena::allocations;
pub mod cleanup;
pub mod cpu;
pub mod descriptor;
pub mod dev_shm;
pub mod directory;
pub mod entry;
pub mod eventfd;
pub mod events;
pub mod executable;
pub mod fork;
pub mod futex;
pub mod heap;
pub mod inet_table;
pub mod inode;
pub mod interrupt;
pub mod lock;
pub mod lock_table;
pub mod memfd;
pub mod meminfo;
pub mod memory;
pub mod mqueue;
pub mod object;
pub mod offset;
pub mod origin;
pub mod pidfd;
pub mod pipe;
pub mod poll;
pub mod process;
pub mod regex;
pub mod regular_file;
pub mod rename;
pub mod robust_list;
pub mod signal;
pub mod sock_diag;
pub mod socket;
pub mod spawn;
pub mod statvfs;
pub mod stdio;
pub mod stream;
pub mod sysctl;
pub mod system_v;
pub mod system_v_queue;
pub mod system_v_segment;
pub mod system_v_semaphore;
pub mod terminal;
pub mod thread;
pub mod time;
pub mod umask;
pub mod undo;
pub mod unix_diag;
pub mod watch;
