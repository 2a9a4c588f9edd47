//! `ipc spool ls` and `stat`, on a server.

use crate::app::command::Example;
use crate::app::context::Context;
use crate::app::listing::{self, Column, Columns, Json, Listing};
use crate::app::options::{Format, TimeLimit};
use crate::app::remote::{Remote, RemoteAction, answered};
use crate::base::exit::Exit;
use crate::io::output::{Key, Type, Value};
use crate::mechanism::remote::RemoteName;
use crate::mechanism::remote::queue::{Message, State};
use crate::sys::time;

use super::{decoded, messages, open};

/// Nanoseconds.
const SECOND: u64 = 1_000_000_000;

/// List the messages of a spool on a server
///
/// They are in the order in which they are taken. The server does not say which of them a worker has
/// claimed; 'stat' has their number. With --failed the messages are those whose last attempt failed.
#[derive(Debug, clap::Args)]
pub struct Ls {
    /// Name of the spool
    spool: RemoteName,
    /// List the messages whose last attempt failed
    #[arg(long)]
    failed: bool,
    #[command(flatten)]
    limit: TimeLimit,
    #[command(flatten)]
    listing: Listing<Message>,
}

impl Message {
    fn state(&self) -> &'static str {
        match (&self.failure, self.due > time::now()) {
            (Some(_), _) => "failed",
            (None, true) => "delayed",
            (None, false) => "ready",
        }
    }
}

/// The rows that the columns of a failure are for.
const FAILED: &str = "messages that failed";

impl Columns for Message {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("name", Type::Text, "Name of the message"), |row| {
            Value::text(decoded(row))
        }),
        Column::new(Key::new("state", Type::Word, "ready, delayed or failed"), |row| {
            row.state().into()
        }),
        Column::new(Key::new("priority", Type::Number, "Priority"), |row| row.priority.into()),
        Column::new(Key::new("size", Type::Size, "Its bytes"), |row| {
            (row.bytes.len() as u64).into()
        }),
        Column::new(Key::new("age", Type::Seconds, "Time since the put"), |row| {
            (time::now().saturating_sub(row.sent) / SECOND).into()
        }),
        Column::new(
            Key::new("status", Type::Number, "Status of the last COMMAND").only(FAILED),
            |row: &Self| match &row.failure {
                Some(failure) => u32::from(failure.status).into(),
                None => Value::Inapplicable,
            },
        ),
        Column::new(
            Key::new("reason", Type::Text, "How it ended, in words").only(FAILED),
            |row: &Self| match &row.failure {
                Some(failure) => Value::text(&failure.reason),
                None => Value::Inapplicable,
            },
        ),
    ];
}

impl RemoteAction for Ls {
    const EXAMPLES: &'static [Example] = &[
        ("See what waits", "ipc spool ls nats://broker/jobs"),
        ("See why messages failed", "ipc spool ls --failed nats://broker/jobs"),
    ];
    const JSON: &'static [Json] = &[Json::array::<Message>()];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let deadline = self.limit.deadline();
        let mut spool = open(&remote, &self.spool, None, deadline)?;
        let mut rows = messages(&mut *spool, &self.spool, deadline)?;
        rows.retain(|row| row.failure.is_some() == self.failed);
        rows.sort_by_key(|row| (std::cmp::Reverse(row.priority), row.sequence));
        self.listing.print(rows, &mut context.output)?;
        Ok(Exit::Done)
    }
}

/// Show the state of a spool on a server
#[derive(Debug, clap::Args)]
pub struct Stat {
    /// Name of the spool
    spool: RemoteName,
    #[command(flatten)]
    limit: TimeLimit,
    #[command(flatten)]
    format: Format,
}

/// What `stat` shows.
#[derive(Debug)]
struct Shown {
    state: State,
    claimed: u64,
    failed: u64,
}

impl Columns for Shown {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("name", Type::Text, "Name on the server"), |it| {
            Value::text(&it.state.key)
        }),
        Column::new(
            Key::new("waiting", Type::Number, "Messages that wait, delayed or not, or are claimed"),
            |it| it.state.messages.saturating_sub(it.failed).into(),
        ),
        Column::new(
            Key::new("claimed", Type::Number, "Messages that were delivered and not acknowledged"),
            |it| it.claimed.into(),
        ),
        Column::new(Key::new("failed", Type::Number, "Messages whose last attempt failed"), |it| {
            it.failed.into()
        }),
        Column::new(Key::new("bytes", Type::Size, "Bytes that they take on the server"), |it| {
            it.state.bytes.into()
        }),
        Column::new(Key::new("replicas", Type::Number, "Servers that store it"), |it| {
            it.state.replicas.into()
        }),
    ];
}

impl RemoteAction for Stat {
    const EXAMPLES: &'static [Example] =
        &[("See how much waits", "ipc spool stat nats://broker/jobs")];
    const JSON: &'static [Json] = &[Json::object::<Shown>()];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let (name, deadline) = (&self.spool, self.limit.deadline());
        let mut spool = open(&remote, name, None, deadline)?;
        let state = answered(spool.state(deadline), name)?;
        let claimed = answered(spool.claimed(deadline), name)?;
        let failed = answered(spool.failed(deadline), name)?;
        let shown = Shown { state, claimed, failed };
        listing::show(&shown, self.format, &mut context.output)?;
        Ok(Exit::Done)
    }
}
