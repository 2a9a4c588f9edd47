//! `ipc fifo stat` and `ipc fifo ls`.

use std::path::{Path, PathBuf};

use nix::sys::stat::FileStat;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{self, Column, Columns, Json, Listing};
use crate::app::objects::{Opened, Owned, Ownership, columns};
use crate::app::options::Format;
use crate::base::exit::{Exit, Subject};
use crate::io::output::{Key, Type, Value};
use crate::mechanism::fifo::{self, Contents};
use crate::sys::process::Openings;

use super::explain;

/// Show the properties, contents and users of a FIFO
///
/// The contents are the number of bytes in the FIFO and its capacity; the users are the processes
/// that have it open for reading or writing. The command does not open the FIFO, so that no process
/// notices. A process that still waits for a peer to open the FIFO is not shown.
#[derive(Debug, clap::Args, Plain)]
pub struct Stat {
    /// Path of the FIFO
    path: PathBuf,
    #[command(flatten)]
    format: Format,
}

impl Action for Stat {
    const EXAMPLES: &'static [Example] = &[
        ("Show the processes that have it open", "ipc fifo stat ./jobs"),
        ("Ask from a program", "ipc fifo stat --json ./jobs | jq .waiting"),
    ];
    const JSON: &'static [Json] = &[Json::object::<Status>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let status = fifo::status(&self.path).map_err(explain).about(&self.path)?;
        let openings = Openings::of(&status);
        let contents = fifo::contents(&openings);
        let shown = Status { path: self.path, status, contents, openings };
        listing::show(&shown, self.format, &mut context.output)?;
        Ok(Exit::Done)
    }
}

/// What `stat` shows.
#[derive(Debug)]
struct Status {
    path: PathBuf,
    status: FileStat,
    contents: Option<Contents>,
    openings: Openings,
}

impl Owned for Status {
    fn ownership(&self) -> Ownership {
        Ownership::from(&self.status)
    }
}

impl Opened for Status {
    fn openings(&self) -> &Openings {
        &self.openings
    }
}

impl Columns for Status {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("path", Type::Text, "Path of the FIFO"), |it| {
            Value::text(bytes(&it.path))
        }),
        Column::new(
            Key::new("waiting", Type::Size, "Bytes in it, if it is open").or_null(),
            |it| it.contents.as_ref().map(|contents| contents.waiting).into(),
        ),
        Column::new(Key::new("capacity", Type::Size, "Capacity, if it is open").or_null(), |it| {
            it.contents.as_ref().map(|contents| contents.capacity).into()
        }),
        columns::mode(),
        columns::uid(),
        columns::gid(),
        Column::new(Key::new("modified", Type::Time, "Time of the last write"), |it| {
            Value::Time(it.status.st_mtime)
        }),
        columns::readers(),
        columns::writers(),
        columns::unseen(),
    ];
}

/// List the FIFOs of a directory
#[derive(Debug, clap::Args, Plain)]
pub struct Ls {
    /// Directory to list
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    #[command(flatten)]
    listing: Listing<Fifo>,
}

/// A row of `ls`.
#[derive(Debug)]
pub struct Fifo {
    path: PathBuf,
    status: FileStat,
}

impl Owned for Fifo {
    fn ownership(&self) -> Ownership {
        Ownership::from(&self.status)
    }
}

impl Columns for Fifo {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("path", Type::Text, "Path of the FIFO"), |row| {
            Value::text(bytes(&row.path))
        }),
        columns::mode(),
        columns::uid(),
        columns::gid(),
        Column::new(Key::new("modified", Type::Time, "Time of the last write"), |row| {
            Value::Time(row.status.st_mtime)
        }),
    ];
}

impl Action for Ls {
    const EXAMPLES: &'static [Example] =
        &[("List the FIFOs of a service", "ipc fifo ls /run/service")];
    const JSON: &'static [Json] = &[Json::array::<Fifo>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let fifos = fifo::list(&self.directory).about(&self.directory)?;
        let rows = fifos.into_iter().map(|(name, status)| {
            let path = if self.directory == Path::new(".") {
                name.into()
            } else {
                self.directory.join(name)
            };
            Fifo { path, status }
        });
        self.listing.print(rows, &mut context.output)?;
        Ok(Exit::Done)
    }
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}
