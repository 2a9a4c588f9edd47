//! `ipc door info`, `ipc door revoke`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::options::Format;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::name::FilePath;
use crate::io::output::Record;
use crate::mechanism::door::Description;

use super::{Limit, connect, done};

/// Show what the server says of its door
///
/// The server is asked, also while all calls that it takes at a time are in progress: its process ID
/// (pid, in its own PID namespace), the cookie, the number of calls that it has answered (answered), that
/// are in progress (running) and that wait for one of these to end (waiting), and its limits (max_calls,
/// max_size, max_fds). workers is the number of processes of --worker, and 0 if each call has a process
/// of its own.
///
/// The credentials of the socket would name the process that has listened first, which may have handed
/// the socket to another one.
#[derive(Debug, clap::Args, Plain)]
pub struct Info {
    /// The path of the door
    path: FilePath,
    #[command(flatten)]
    limit: Limit,
    #[command(flatten)]
    format: Format,
}

impl Action for Info {
    const EXAMPLES: &'static [Example] = &[
        ("See how busy a procedure is", "ipc door info ./double"),
        ("The process that serves", "ipc door info --json ./double | jq .pid"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let mut caller = connect(&self.path, self.limit.deadline())?;
        let description = done(caller.describe().map_err(Failure::from)).about(&self.path)?;
        context.output.show(&record(&self.path, &description), self.format)?;
        Ok(Exit::Done)
    }
}

fn record(path: &FilePath, description: &Description) -> Record {
    Record::new()
        .bytes("path", path.as_ref().as_encoded_bytes())
        .number("pid", description.pid)
        .optional_bytes("cookie", &description.cookie)
        .number("answered", description.answered)
        .number("running", description.running)
        .number("waiting", description.waiting)
        .number("max_calls", description.max_calls)
        .number("max_size", description.max_size)
        .number("max_fds", description.max_descriptors)
        .number("workers", description.workers)
}

/// Have a server take no more calls
///
/// The path is removed before this command ends. The server finishes the calls that it has, those that
/// wait included, and then ends with status 0. Only the user of the server and root may do that. With
/// --verbose the number of these calls is printed.
#[derive(Debug, clap::Args, Plain)]
pub struct Revoke {
    /// The path of the door
    path: FilePath,
    #[command(flatten)]
    limit: Limit,
}

impl Action for Revoke {
    const EXAMPLES: &'static [Example] =
        &[("End a server without losing a call", "ipc door revoke ./double")];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let mut caller = connect(&self.path, self.limit.deadline())?;
        let running = done(caller.revoke().map_err(Failure::from)).about(&self.path)?;
        context.output.note(format_args!("calls to finish: {running}"));
        Ok(Exit::Done)
    }
}
