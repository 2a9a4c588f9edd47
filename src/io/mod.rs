//! Moving bytes and records between descriptors: framings, stdout, transfers, both directions of a
//! connection.

pub mod fill;
pub mod frame;
pub mod outbox;
pub mod output;
pub mod sink;
pub mod spin;
pub mod transfer;
