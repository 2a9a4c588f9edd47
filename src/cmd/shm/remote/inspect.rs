//! Showing, listing and removing segments of a server.

use crate::app::command::Example;
use crate::app::context::Context;
use crate::app::listing::{self, Column, Columns, Json, Listing};
use crate::app::objects::remove;
use crate::app::options::{Format, TimeLimit, done};
use crate::app::remote::{Remote, RemoteAction, answered};
use crate::base::deadline::Waited;
use crate::base::exit::{Exit, Failure};
use crate::base::remote_name::RemoteFolder;
use crate::io::output::{Key, Type, Value};
use crate::mechanism::remote::{Error, Record, RemoteName};

use super::{EXISTING, read};

/// Show the properties of a segment of a server
#[derive(Debug, clap::Args)]
pub struct Stat {
    /// Name of the segment
    name: RemoteName,
    #[command(flatten)]
    limit: TimeLimit,
    #[command(flatten)]
    format: Format,
}

impl RemoteAction for Stat {
    const EXAMPLES: &'static [Example] = &[(
        "Print the greatest token that has changed it",
        "ipc shm stat --json nats://broker/state | jq .fence",
    )];
    const JSON: &'static [Json] = &[Json::object::<Record>()];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let record = read(&remote, &self.name, self.limit.deadline())?;
        listing::show(&record, self.format, &mut context.output)?;
        Ok(Exit::Done)
    }
}

/// List the segments of a server
#[derive(Debug, clap::Args)]
pub struct Ls {
    /// Server, or a path that the names begin with
    folder: RemoteFolder,
    #[command(flatten)]
    limit: TimeLimit,
    #[command(flatten)]
    listing: Listing<Record>,
}

impl RemoteAction for Ls {
    const EXAMPLES: &'static [Example] = &[("List all of a server", "ipc shm ls nats://broker")];
    const JSON: &'static [Json] = &[Json::array::<Record>()];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let (name, deadline) = (self.folder.name(), self.limit.deadline());
        let found =
            remote.with(name, EXISTING, deadline, |records| records.list(name.key(), deadline));
        let found = match found {
            Err(Error::NotFound) => Vec::new(),
            found => answered(found, name)?,
        };
        self.listing.print(found, &mut context.output)?;
        Ok(Exit::Done)
    }
}

impl Columns for Record {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("name", Type::Text, "Name on the server"), |row| {
            Value::text(&row.key)
        }),
        Column::new(Key::new("size", Type::Size, "Size"), |row| (row.value.len() as u64).into()),
        Column::new(Key::new("revision", Type::Number, "Number of its last change"), |row| {
            row.revision.into()
        }),
        Column::new(Key::new("fence", Type::Number, "Greatest token of its changes"), |row| {
            row.fence.into()
        }),
    ];
}

/// Remove segments of servers
#[derive(Debug, clap::Args)]
pub struct Rm {
    /// Names of segments
    #[arg(required = true, value_name = "NAME")]
    names: Vec<RemoteName>,
    /// Ignore segments that do not exist
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    limit: TimeLimit,
}

impl RemoteAction for Rm {
    const EXAMPLES: &'static [Example] = &[("Remove one", "ipc shm rm nats://broker/visits")];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let deadline = self.limit.deadline();
        remove(&self.names, self.force, &mut context.output, |name| {
            let removed = remote.with(name, EXISTING, deadline, |records| {
                loop {
                    let Waited::Done(record) = records.read(name.key(), deadline)? else {
                        return Ok(Waited::TimedOut);
                    };
                    let revision = record.ok_or(Error::NotFound)?.revision;
                    match records.remove(name.key(), revision, deadline)? {
                        Waited::Done(false) => {}
                        removed => return Ok(removed.map(drop)),
                    }
                }
            });
            done(removed.map_err(Failure::from))
        })
    }
}
