//! Objects of servers: `ipc-remote` with servers that the tests start.

mod access;
mod cells;
mod cluster;
mod door;
mod encryption;
mod interoperation;
mod lease;
mod lock;
mod mq;
mod others;
mod permits;
pub mod server;
mod signals;
mod spool;
