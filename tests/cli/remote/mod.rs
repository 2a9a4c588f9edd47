//! Objects of servers: `ipc-remote` with servers that the tests start.

mod access;
mod cells;
mod cluster;
mod encryption;
mod interoperation;
mod lease;
mod lock;
mod permits;
pub mod server;
