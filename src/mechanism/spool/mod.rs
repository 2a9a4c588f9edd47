//! A directory as a durable queue: ipc-spool(5) describes its format and its steps.
//!
//! A message is a file. It is synced under a temporary name and then renamed, so that it is whole or
//! not there. A claim is a lock on the inode of the message, which COMMAND inherits: the kernel
//! releases it when the last holder has ended, so that no process has to look for dead workers. A
//! message is acknowledged by the removal of its name.
//!
//! All that a worker must know before it opens a message stands in the name of the file: one scan of
//! the directory gives the order, and a change of the number of attempts is a rename.

pub mod batch;
pub mod claim;
pub mod clean;
pub mod directory;
pub mod dropped;
pub mod encoded;
pub mod entry;
pub mod failure;
pub mod feed;
mod files;
pub mod history;
pub mod join;
pub mod list;
pub mod manage;
pub mod name;
pub mod part;
pub mod put;
mod reservation;
pub mod scan;
#[cfg(test)]
mod tests;
