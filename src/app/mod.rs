//! What the commands are made of: their shape, the options they share, and reading them.

pub mod arguments;
pub mod links;
pub mod listen;
pub mod machine;
pub mod ready;
pub mod trust;
