//! The command line, as a user meets it: every test asserts status, stdout and stderr together.
//!
//! The binary is the one that cargo built, or the one that `IPC` names: `make test` runs this
//! crate on both builds.

mod applets;
mod fifo;
mod first_process;
mod flock;
mod generated;
mod layout;
mod lock;
mod long;
mod machine;
mod making;
mod manual;
mod map;
mod memory;
mod mkfifo;
mod mq;
mod peers;
mod pipe;
mod planted;
mod readme;
mod sem;
mod shm;
mod signal;
mod sock;
mod startup;
mod storm;
mod support;
mod threads;
mod waiting;
mod words;
