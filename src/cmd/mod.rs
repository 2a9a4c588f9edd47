//! The commands, a file or a folder for each noun: the options of its verbs, the calls, the answers.
#![forbid(unsafe_code)]

pub mod applets;
pub mod bench;
pub mod door;
pub mod fd;
pub mod fifo;
pub mod guide;
pub mod limits;
pub mod lock;
pub mod look;
pub mod man;
pub mod map;
pub mod mq;
pub mod pipe;
pub mod queue;
pub mod remote;
pub mod sem;
pub mod shm;
pub mod signal;
pub mod sock;
pub mod spool;
pub mod top;
