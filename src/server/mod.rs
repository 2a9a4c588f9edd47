//! Serving several clients at a time: which of them are admitted, accepting them, and the event loop.

pub mod acceptor;
pub mod admission;
pub mod door;
pub mod event_loop;
pub mod holder;
pub mod idle_clients;
pub mod line_limit;
