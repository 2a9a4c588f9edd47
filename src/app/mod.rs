//! The parts of commands: their shape, their context, the options that they share, and the reader
//! of options.

pub mod arguments;
pub mod command;
pub mod context;
pub mod creation;
pub mod door;
pub mod handover;
pub mod lifetime;
pub mod links;
pub mod listen;
pub mod listing;
pub mod machine;
pub mod objects;
pub mod options;
pub mod ownership;
pub mod ready;
pub mod remote;
pub mod separator;
pub mod socket;
pub mod trust;
mod values;
pub mod worker;
