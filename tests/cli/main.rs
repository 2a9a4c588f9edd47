//! Tests of the command line: every test asserts status, stdout and stderr together.
//!
//! The binary under test is that of cargo, or the one that `IPC` names.

mod applets;
mod bench;
mod color;
mod door;
mod fd;
mod fifo;
mod first_process;
mod flock;
mod generated;
mod guide;
mod help;
mod json;
mod layout;
mod lifetime;
mod limits;
mod listing;
mod lock;
mod long;
mod look;
mod machine;
mod making;
mod manual;
mod map;
mod memory;
mod mkfifo;
mod mq;
mod nouns;
mod ownership;
mod peers;
mod pipe;
mod planted;
mod queue;
mod readme;
mod sem;
mod shm;
mod signal;
mod sock;
mod spool;
mod startup;
mod storm;
mod support;
mod threads;
mod waiting;
mod words;
