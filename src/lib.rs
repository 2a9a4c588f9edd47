//! `ipc`: every way that Unix processes talk and coordinate, for shell scripts.
//!
//! Three layers: [`cmd`] reads a command line, calls and prints; protocols are built over plain
//! objects; `sys` has one file for each object of the kernel, and the only unsafe code. The other
//! modules are leaves that anyone may use. ARCHITECTURE.md has a line for every file.

pub mod cli;
pub mod errno;
pub mod exit;
pub mod output;

mod activation;
mod address;
mod applet;
mod barrier;
mod binding;
mod bounded;
mod cell;
mod child;
mod cmd;
mod conversation;
mod crew;
mod critical;
mod deadline;
mod delivery;
mod endpoint;
mod frame;
mod guard;
mod lock_file;
mod mailbox;
mod mechanism;
mod name;
mod permits;
mod plain;
mod ready;
mod relay;
mod semaphore;
mod signals;
mod socket_table;
mod spin;
mod sys;
mod units;

use std::ffi::OsString;

#[doc(hidden)]
pub use sys::entry::start;

/// What the programs under `benches/` compare with others, without starting a process each time.
#[doc(hidden)]
pub mod bench {
    pub use crate::deadline::{Deadline, Waited};
    pub use crate::mechanism::mutant;
    pub use crate::mechanism::queue::ring;
    pub use crate::semaphore::{Name, Semaphore};
    pub use crate::sys::system_v_semaphore::AtEnd;
}

use exit::Exit;
use output::{Output, Unwritable, complain};

/// Runs `ipc` with these arguments, the name it was called by first; returns the exit status.
fn main(arguments: Vec<OsString>) -> u8 {
    if sys::entry::is_privileged_by_file() {
        complain("ipc: does not run set-user-ID, set-group-ID or with file capabilities\n");
        return Exit::Failed.code();
    }
    if let Some(applet) = applet::called_by(&arguments) {
        return (applet.run)(&arguments);
    }
    let call = match cli::parse(arguments) {
        Ok(call) => call,
        Err(message) => return message.print().code(),
    };
    let (place, mut output) = (call.place, Output::new(call.place.words(), call.verbosity));
    let outcome = (call.act)(&mut output);
    // What was printed before an error is as good as what was printed without one.
    let outcome = output.flush().map_err(Into::into).and(outcome);
    match outcome {
        Ok(exit) => exit.code(),
        Err(error) => place.verb.exit(fail(&error, &output)).code(),
    }
}

/// Says what went wrong, and finds the status for it.
///
/// If the reader of stdout has left, which is its good right, we end as SIGPIPE would end us.
fn fail(error: &anyhow::Error, output: &Output) -> Exit {
    let unwritable = error.chain().find_map(|cause| cause.downcast_ref::<Unwritable>());
    if unwritable.is_some_and(|unwritable| unwritable.reader_left()) {
        sys::signal::die_of(signals::Signal::PIPE);
    }
    output.error(error);
    Exit::of(error)
}
