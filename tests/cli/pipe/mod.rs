//! `ipc pipe`.

mod run;
mod stat;
mod tee;
mod terminal;
