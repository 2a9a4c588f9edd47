//! `ipc mq stat` and `ls`, on a server.

use crate::app::command::Example;
use crate::app::context::Context;
use crate::app::listing::{self, Column, Columns, Json, Listing};
use crate::app::options::{Format, TimeLimit, done};
use crate::app::remote::{Remote, RemoteAction, answered};
use crate::base::deadline::Waited;
use crate::base::exit::{Exit, Subject};
use crate::base::remote_name::RemoteFolder;
use crate::io::output::{Key, Type, Value};
use crate::mechanism::remote::RemoteName;
use crate::mechanism::remote::queue::State;

use super::{explain, open, queues};

/// Show the state of a message queue of a server
#[derive(Debug, clap::Args)]
pub struct Stat {
    /// Name of the queue
    name: RemoteName,
    #[command(flatten)]
    limit: TimeLimit,
    #[command(flatten)]
    format: Format,
}

impl RemoteAction for Stat {
    const EXAMPLES: &'static [Example] =
        &[("Print the number of messages", "ipc mq stat --json nats://broker/jobs | jq .messages")];
    const JSON: &'static [Json] = &[Json::object::<Shown>()];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let (name, deadline) = (&self.name, self.limit.deadline());
        let opened = open(&remote, name, None, deadline).map_err(|error| explain(error, name));
        let mut queue = done(opened).about(name)?;
        let state = answered(queue.state(deadline), name)?;
        let claimed = answered(queue.claimed(deadline), name)?;
        listing::show(&Shown { state, claimed }, self.format, &mut context.output)?;
        Ok(Exit::Done)
    }
}

/// What `stat` shows.
#[derive(Debug)]
struct Shown {
    state: State,
    claimed: u64,
}

/// A row about a queue.
trait About {
    fn state(&self) -> &State;
}

impl About for Shown {
    fn state(&self) -> &State {
        &self.state
    }
}

impl About for State {
    fn state(&self) -> &State {
        self
    }
}

const fn name<R: About>() -> Column<R> {
    Column::new(Key::new("name", Type::Text, "Name on the server"), |it| {
        Value::text(&it.state().key)
    })
}

const fn messages<R: About>() -> Column<R> {
    Column::new(Key::new("messages", Type::Number, "Number of messages"), |it| {
        it.state().messages.into()
    })
}

const fn bytes<R: About>() -> Column<R> {
    Column::new(Key::new("bytes", Type::Size, "Bytes that they take on the server"), |it| {
        it.state().bytes.into()
    })
}

const fn max_msgs<R: About>() -> Column<R> {
    Column::new(Key::new("max_msgs", Type::Number, "Maximum number of messages").or_null(), |it| {
        it.state().limits.max_msgs.into()
    })
}

const fn msg_size<R: About>() -> Column<R> {
    Column::new(Key::new("msg_size", Type::Size, "Maximum size of a message").or_null(), |it| {
        it.state().limits.msg_size.into()
    })
}

const fn max_bytes<R: About>() -> Column<R> {
    Column::new(Key::new("max_bytes", Type::Size, "Maximum number of bytes").or_null(), |it| {
        it.state().limits.max_bytes.into()
    })
}

const fn replicas<R: About>() -> Column<R> {
    Column::new(Key::new("replicas", Type::Number, "Servers that store it"), |it| {
        it.state().replicas.into()
    })
}

impl Columns for Shown {
    const COLUMNS: &'static [Column<Self>] = &[
        name(),
        messages(),
        Column::new(
            Key::new("claimed", Type::Number, "Messages that were delivered and not acknowledged"),
            |it: &Self| it.claimed.into(),
        ),
        bytes(),
        max_msgs(),
        msg_size(),
        max_bytes(),
        replicas(),
        Column::new(
            Key::new("leader", Type::Text, "Server of the cluster that leads it").or_null(),
            |it: &Self| match &it.state.leader {
                Some(leader) => Value::text(leader),
                None => Value::MISSING,
            },
        ),
    ];
}

/// List the message queues of a server
#[derive(Debug, clap::Args)]
pub struct Ls {
    /// Server, or a path that the names begin with
    folder: RemoteFolder,
    #[command(flatten)]
    limit: TimeLimit,
    #[command(flatten)]
    listing: Listing<State>,
}

impl Columns for State {
    /// A sender waits while the queue is full.
    fn needs_attention(&self) -> bool {
        self.limits.max_msgs.is_some_and(|maximum| self.messages >= maximum)
    }

    const COLUMNS: &'static [Column<Self>] =
        &[name(), messages(), bytes(), max_msgs(), msg_size(), max_bytes(), replicas()];
}

impl RemoteAction for Ls {
    const EXAMPLES: &'static [Example] = &[
        ("List all queues of a server", "ipc mq ls nats://broker"),
        ("List those that are not empty", "ipc mq ls --filter 'messages>0' nats://broker"),
    ];
    const JSON: &'static [Json] = &[Json::array::<State>()];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let (name, deadline) = (self.folder.name(), self.limit.deadline());
        let listed = queues(&remote, name, deadline).and_then(|waited| match waited {
            Waited::Done(mut queues) => queues.list(name.key(), deadline),
            Waited::TimedOut => Ok(Waited::TimedOut),
        });
        self.listing.print(answered(listed, name)?, &mut context.output)?;
        Ok(Exit::Done)
    }
}
