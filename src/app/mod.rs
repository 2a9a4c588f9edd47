//! What the commands are made of: their shape, the options they share, and reading them.

pub mod arguments;
pub mod command;
pub mod context;
pub mod creation;
pub mod links;
pub mod listen;
pub mod machine;
pub mod objects;
pub mod options;
pub mod ready;
pub mod separator;
pub mod socket;
pub mod trust;
mod values;
