//! `ipc pipe stat`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{self, Column, Columns, Json};
use crate::app::objects::{Opened, columns};
use crate::app::options::{Format, Pid};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, about};
use crate::io::output::{Key, Type};
use crate::mechanism::pipe::contents::{Contents, Error};
use crate::sys::process::Openings;

/// Show the state of a pipe of a process
///
/// The verb does not read the pipe. FD may be either end, and the pipe may be a FIFO. Only root can
/// look into processes of other users.
#[derive(Debug, clap::Args, Plain)]
pub struct Stat {
    /// Number of the process
    #[arg(value_name = "PID")]
    pid: Pid,
    /// Number of the descriptor in the process
    #[arg(value_name = "FD", value_parser = clap::value_parser!(i32).range(0..))]
    fd: i32,
    #[command(flatten)]
    format: Format,
}

impl Action for Stat {
    const EXAMPLES: &'static [Example] = &[
        ("See whether a program reads its stdin", "ipc pipe stat $(pidof gzip) 0"),
        ("Ask from a program", "ipc pipe stat --json 4711 1 | jq .waiting"),
    ];
    const JSON: &'static [Json] = &[Json::object::<Status>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let contents =
            Contents::of(self.pid.number, self.fd).map_err(|error| self.explain(error))?;
        let shown = Status { pid: self.pid.number, fd: self.fd, contents };
        listing::show(&shown, self.format, &mut context.output)?;
        Ok(Exit::Done)
    }
}

/// What it shows.
#[derive(Debug)]
struct Status {
    pid: i32,
    fd: i32,
    contents: Contents,
}

impl Opened for Status {
    fn openings(&self) -> &Openings {
        &self.contents.openings
    }
}

impl Columns for Status {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("pid", Type::Number, "Process ID"), |it| it.pid.into()),
        Column::new(Key::new("fd", Type::Number, "Descriptor"), |it| it.fd.into()),
        Column::new(Key::new("waiting", Type::Size, "Bytes in the pipe"), |it| {
            (it.contents.waiting as u64).into()
        }),
        Column::new(Key::new("capacity", Type::Size, "Capacity of the pipe"), |it| {
            (it.contents.capacity as u64).into()
        }),
        columns::readers(),
        columns::writers(),
        columns::unseen(),
    ];
}

impl Stat {
    fn explain(&self, error: Error) -> anyhow::Error {
        let descriptor = format!("{} {}", self.pid.number, self.fd);
        match error {
            Error::Process(errno) => about(errno, &self.pid),
            Error::Descriptor(errno @ Errno(libc::EBADF)) => {
                about(Failure::from(errno).with_exit(Exit::NotFound), descriptor)
            }
            Error::Descriptor(errno @ Errno(libc::EPERM)) => {
                let hint = "only root, or a process that may trace it, may look into another";
                about(Failure::from(errno).hint(hint), descriptor)
            }
            Error::Descriptor(errno) => about(errno, descriptor),
            Error::NotAPipe => about(Failure::failed("not a pipe"), descriptor),
        }
    }
}
