//! Objects of servers: `ipc-remote` with servers that the tests start.

mod access;
mod cells;
mod cluster;
mod lease;
mod lock;
mod mq;
mod others;
mod permits;
pub mod server;
