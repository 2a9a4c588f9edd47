//! `ipc door info`, `ipc door revoke`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::door::connect;
use crate::app::listing::{Column, Columns, Json, show};
use crate::app::options::{Format, TimeLimit, done};
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::name::FilePath;
use crate::io::output::{Key, Type, Value};
use crate::mechanism::door::Description;

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
    limit: TimeLimit,
    #[command(flatten)]
    format: Format,
}

impl Action for Info {
    const EXAMPLES: &'static [Example] = &[
        ("See how busy a procedure is", "ipc door info ./double"),
        ("The process that serves", "ipc door info --json ./double | jq .pid"),
    ];
    const JSON: &'static [Json] = &[Json::object::<Shown>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let mut caller = connect(&self.path, self.limit)?;
        let description = done(caller.describe().map_err(Failure::from)).about(&self.path)?;
        let path = self.path.as_ref().as_encoded_bytes().to_vec();
        show(&Shown { path, description }, self.format, &mut context.output)?;
        Ok(Exit::Done)
    }
}

/// The answer of `info`.
#[derive(Debug)]
struct Shown {
    path: Vec<u8>,
    description: Description,
}

impl Columns for Shown {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("path", Type::Text, "Path of the door"), |it| Value::text(&it.path)),
        Column::new(Key::new("pid", Type::Number, "Process of the server"), |it| {
            it.description.pid.into()
        }),
        Column::new(Key::new("cookie", Type::Text, "Its cookie").or_null(), |it| {
            match it.description.cookie.as_slice() {
                [] => Value::MISSING,
                cookie => Value::text(cookie),
            }
        }),
        Column::new(Key::new("answered", Type::Number, "Calls that it has answered"), |it| {
            it.description.answered.into()
        }),
        Column::new(Key::new("running", Type::Number, "Calls in progress"), |it| {
            it.description.running.into()
        }),
        Column::new(Key::new("waiting", Type::Number, "Calls that wait for one of these"), |it| {
            it.description.waiting.into()
        }),
        Column::new(Key::new("max_calls", Type::Number, "Calls at a time"), |it| {
            it.description.max_calls.into()
        }),
        Column::new(Key::new("max_size", Type::Size, "Longest argument and answer"), |it| {
            it.description.max_size.into()
        }),
        Column::new(
            Key::new("max_fds", Type::Number, "Descriptors that a caller may lend"),
            |it| it.description.max_descriptors.into(),
        ),
        Column::new(Key::new("workers", Type::Number, "Processes of --worker, or 0"), |it| {
            it.description.workers.into()
        }),
    ];
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
    limit: TimeLimit,
}

impl Action for Revoke {
    const EXAMPLES: &'static [Example] =
        &[("End a server without losing a call", "ipc door revoke ./double")];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let mut caller = connect(&self.path, self.limit)?;
        let running = done(caller.revoke().map_err(Failure::from)).about(&self.path)?;
        context.output.note(format_args!("calls to finish: {running}"));
        Ok(Exit::Done)
    }
}
