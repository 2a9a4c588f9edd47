//! What every verb shares that serves several clients at a time: admission, accepting, and the event
//! loop.

pub mod acceptor;
pub mod admission;
pub mod event_loop;
pub mod flood;
