//! `ipc fifo stat` and `ipc fifo ls`.

use std::path::{Path, PathBuf};

use nix::sys::stat::FileStat;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{Column, Columns, Listing};
use crate::app::objects::{Owned, Ownership, columns, ownership, processes};
use crate::app::options::Format;
use crate::base::exit::{Exit, Subject};
use crate::io::output::{Key, Record, Type, Value};
use crate::mechanism::fifo;
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

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let status = fifo::status(&self.path).map_err(explain).about(&self.path)?;
        let openings = Openings::of(&status);
        let contents = fifo::contents(&openings);
        let record = Record::new()
            .bytes("path", self.path.as_os_str().as_encoded_bytes())
            .optional_number("waiting", contents.map(|contents| contents.waiting))
            .optional_number("capacity", contents.map(|contents| contents.capacity));
        let record = ownership(record, &status).time("modified", status.st_mtime);
        let record = processes(record, "readers", &openings.readers(), openings.hidden);
        let record = processes(record, "writers", &openings.writers(), openings.hidden)
            .json_only("hidden", openings.hidden.into());
        context.output.show(&record, self.format)?;
        Ok(Exit::Done)
    }
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
