//! `ipc`: every way that Unix processes talk and coordinate, for shell scripts.
//!
//! The modules are layers: base < sys < io < run < mechanism < server < measure < app < cmd, applet < program.
//! A file uses its own layer and those below; ARCHITECTURE.md gives the reasons.

mod app;
mod applet;
pub mod base;
mod cmd;
mod io;
mod measure;
mod mechanism;
pub mod program;
mod run;
mod server;
mod sys;

#[doc(hidden)]
pub use program::{run, run_among_others, run_remote};
#[doc(hidden)]
pub use sys::entry::start;

/// What an engine for objects on servers implements, for `ipc-remote`.
#[doc(hidden)]
pub mod remote {
    pub use crate::base::deadline::{Deadline, Waited};
    pub use crate::base::text::escape;
    pub use crate::mechanism::remote::{
        Access, Change, Creation, Engine, Error, Kind, Record, Records, RemoteName, Server, call,
        queue, signal,
    };
    pub use crate::sys::eventfd::Bell;
    pub use crate::sys::thread::{keep_signals_away, start as start_thread};
    pub use crate::sys::time::since_boot;
}

/// The parts that programs under `benches/` measure without starting a process each time.
#[doc(hidden)]
pub mod bench {
    pub use crate::base::deadline::{Deadline, Waited};
    pub use crate::mechanism::mutant;
    pub use crate::mechanism::queue::ring;
    pub use crate::mechanism::semaphore::{AtExit, Name, Semaphore, open};
}
