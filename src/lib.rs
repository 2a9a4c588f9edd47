//! `ipc`: every way that Unix processes talk and coordinate, for shell scripts.
//!
//! Three layers: [`cmd`] reads a command line, calls and prints; protocols are built over plain
//! objects; `sys` has one file for each object of the kernel, and the only unsafe code. The other
//! modules are leaves that anyone may use. ARCHITECTURE.md has a line for every file.

mod app;
mod applet;
mod base;
mod cmd;
mod io;
mod mechanism;
pub mod program;
mod run;
mod server;
mod sys;

use std::ffi::OsString;

#[doc(hidden)]
pub use sys::entry::start;

/// What the programs under `benches/` compare with others, without starting a process each time.
#[doc(hidden)]
pub mod bench {
    pub use crate::base::deadline::{Deadline, Waited};
    pub use crate::mechanism::semaphore::{Name, Semaphore};
    pub use crate::sys::system_v_semaphore::AtEnd;
}

use base::exit::Exit;
use io::output::{Output, Unwritable, complain};
use sys::heap::{self, Report};

/// Runs `ipc` with these arguments, the name it was called by first; returns the exit status.
fn main(arguments: Vec<OsString>) -> u8 {
    if sys::entry::is_privileged_by_file() {
        complain("ipc: does not run set-user-ID, set-group-ID or with file capabilities\n");
        return Exit::Failed.code();
    }
    if let Some(applet) = applet::called_by(&arguments) {
        let command = Some([applet.name, "", ""]);
        heap::report_as(Report { command, status: applet.failure });
        return (applet.run)(&arguments);
    }
    let call = match cli::parse(arguments) {
        Ok(call) => call,
        Err(message) => return message.print().code(),
    };
    heap::report_as(report_of(&call));
    let (place, mut output) = (call.place, Output::new(call.place.words(), call.verbosity));
    let outcome = (call.act)(&mut output);
    // What was printed before an error is as good as what was printed without one.
    let outcome = output.flush().map_err(Into::into).and(outcome);
    match outcome {
        Ok(exit) => exit.code(),
        Err(error) => place.verb.exit(fail(&error, &output)).code(),
    }
}

/// What a verb ends with that can allocate no more.
fn report_of(program::Call { place, verbosity, .. }: &program::Call) -> Report {
    let command = (!verbosity.quiet).then(|| place.prefix());
    Report { command, status: place.verb.exit(Exit::Failed).code() }
}

/// Says what went wrong, and finds the status for it.
///
/// If the reader of stdout has left, which is its good right, we end as SIGPIPE would end us.
fn fail(error: &anyhow::Error, output: &Output) -> Exit {
    let unwritable = error.chain().find_map(|cause| cause.downcast_ref::<Unwritable>());
    if unwritable.is_some_and(|unwritable| unwritable.reader_left()) {
        sys::signal::die_of(base::signal::Signal::PIPE);
    }
    output.error(error);
    Exit::of(error)
}
