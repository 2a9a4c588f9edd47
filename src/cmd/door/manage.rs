//! `ipc door info`, `ipc door revoke`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{self, Column, Columns, Json};
use crate::app::options::Format;
use crate::base::deadline::Deadline;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::name::FilePath;
use crate::io::output::{Key, Type, Value};
use crate::mechanism::door::{Caller, Description};

use super::{Limit, address, done};

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
    const JSON: &'static [Json] = &[Json::object::<Door>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let mut caller = connect(&self.path, self.limit.deadline())?;
        let description = done(caller.describe().map_err(Failure::from)).about(&self.path)?;
        let door = Door { path: self.path, description };
        listing::show(&door, self.format, &mut context.output)?;
        Ok(Exit::Done)
    }
}

/// What `info` shows.
#[derive(Debug)]
struct Door {
    path: FilePath,
    description: Description,
}

impl Columns for Door {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("path", Type::Text, "Path of the door"), |it| {
            Value::text(it.path.as_ref().as_encoded_bytes())
        }),
        Column::new(Key::new("pid", Type::Number, "Server, in its own PID namespace"), |it| {
            it.description.pid.into()
        }),
        Column::new(Key::new("cookie", Type::Text, "Cookie of 'door serve'").or_null(), |it| {
            Some(&it.description.cookie).filter(|cookie| !cookie.is_empty()).map(Value::text).into()
        }),
        Column::new(Key::new("answered", Type::Number, "Number of calls answered"), |it| {
            it.description.answered.into()
        }),
        Column::new(Key::new("running", Type::Number, "Number of calls in progress"), |it| {
            it.description.running.into()
        }),
        Column::new(Key::new("waiting", Type::Number, "Number of calls that wait"), |it| {
            it.description.waiting.into()
        }),
        Column::new(Key::new("max_calls", Type::Number, "Maximum of calls in progress"), |it| {
            it.description.max_calls.into()
        }),
        Column::new(
            Key::new("max_size", Type::Size, "Maximum size of an argument or answer"),
            |it| it.description.max_size.into(),
        ),
        Column::new(
            Key::new("max_fds", Type::Number, "Maximum of descriptors that a caller lends"),
            |it| it.description.max_descriptors.into(),
        ),
        Column::new(
            Key::new("workers", Type::Number, "Number of workers; 0 without --worker"),
            |it| it.description.workers.into(),
        ),
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

fn connect(path: &FilePath, deadline: Deadline) -> anyhow::Result<Caller> {
    done(Caller::connect(&address(path)?, deadline).map_err(Failure::from)).about(path)
}
