//! `ipc`: every way that Unix processes talk and coordinate, for shell scripts.
//!
//! Three layers: [`cmd`] reads a command line, calls and prints; protocols are built over plain
//! objects; `sys` has one file for each object of the kernel, and the only unsafe code. The other
//! modules are leaves that anyone may use. ARCHITECTURE.md has a line for every file.

mod app;
mod applet;
pub mod base;
mod cmd;
mod io;
mod mechanism;
pub mod program;
mod run;
mod server;
mod sys;

#[doc(hidden)]
pub use program::{run, run_among_others};
#[doc(hidden)]
pub use sys::entry::start;

/// What the programs under `benches/` compare with others, without starting a process each time.
#[doc(hidden)]
pub mod bench {
    pub use crate::base::deadline::{Deadline, Waited};
    pub use crate::mechanism::mutant;
    pub use crate::mechanism::queue::ring;
    pub use crate::mechanism::semaphore::{AtExit, Name, Semaphore, open};
}
