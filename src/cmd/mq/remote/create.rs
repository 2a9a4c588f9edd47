//! `ipc mq create` and `rm`, on a server.

use clap::builder::RangedU64ValueParser;

use crate::app::command::Example;
use crate::app::context::Context;
use crate::app::objects;
use crate::app::options::{TimeLimit, done};
use crate::app::remote::{Remote, RemoteAction, Storage};
use crate::base::deadline::Waited;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::units::Size;
use crate::mechanism::remote::queue::Limits;
use crate::mechanism::remote::{Error, RemoteName};

use super::{explain, queues};

/// Create a message queue on a server
///
/// The status is 5 if there is a queue of that name. Messages stay until they are received. Without a
/// maximum, the queue is full when the storage of the server is. A queue has a maximum of messages or of
/// bytes: servers have lost messages of queues with both.
#[derive(Debug, clap::Args)]
pub struct Create {
    /// Name of the queue, such as nats://HOST/NAME
    name: RemoteName,
    /// Accept a queue that exists with these limits
    #[arg(short, long)]
    exist_ok: bool,
    /// Maximum number of messages
    #[arg(
        long,
        value_name = "N",
        value_parser = RangedU64ValueParser::<u64>::new().range(1..),
        conflicts_with = "max_bytes"
    )]
    max_msgs: Option<u64>,
    /// Maximum length of a message
    #[arg(long, value_name = "SIZE", value_parser = Size::positive)]
    msg_size: Option<Size>,
    /// Maximum of all bytes
    #[arg(long, value_name = "SIZE", value_parser = Size::positive)]
    max_bytes: Option<Size>,
    #[command(flatten)]
    storage: Storage,
    #[command(flatten)]
    limit: TimeLimit,
}

impl RemoteAction for Create {
    const EXAMPLES: &'static [Example] = &[
        ("Create a queue for a thousand jobs", "ipc mq create nats://broker/jobs --max-msgs 1000"),
        ("Store it on three servers", "ipc mq create --replicas 3 nats://a,b,c/jobs"),
    ];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let created = done(self.create(&remote)).about(&self.name)?;
        if created {
            objects::report(&context.output, &self.name, "created");
        }
        Ok(Exit::Done)
    }
}

impl Create {
    fn create(&self, remote: &Remote) -> Result<Waited<bool>, Failure> {
        let (name, deadline) = (&self.name, self.limit.deadline());
        let Waited::Done(mut queues) = queues(remote, name, deadline)? else {
            return Ok(Waited::TimedOut);
        };
        let limits = Limits {
            max_msgs: self.max_msgs,
            msg_size: self.msg_size.map(|Size(bytes)| bytes),
            max_bytes: self.max_bytes.map(|Size(bytes)| bytes),
        };
        match queues.create(name.key(), limits, self.storage.into(), deadline) {
            Ok(Waited::Done(false)) if !self.exist_ok => Err(Error::Exists.into()),
            Err(Error::Exists) if self.exist_ok => {
                let reason = "exists with other limits or another number of replicas";
                Err(Failure::new(Exit::InUse, reason).hint("'ipc mq stat' shows them"))
            }
            created => Ok(created?),
        }
    }
}

/// Remove message queues of a server, and the messages in them
///
/// Processes that wait at such a queue fail.
#[derive(Debug, clap::Args)]
pub struct Rm {
    /// Names of queues
    #[arg(required = true)]
    names: Vec<RemoteName>,
    /// Ignore queues that do not exist
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    limit: TimeLimit,
}

impl RemoteAction for Rm {
    const EXAMPLES: &'static [Example] = &[("Remove a queue", "ipc mq rm -f nats://broker/jobs")];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let deadline = self.limit.deadline();
        let remove = |name: &RemoteName| -> Result<(), Failure> {
            let removed = queues(&remote, name, deadline).and_then(|waited| match waited {
                Waited::Done(mut queues) => queues.remove(name.key(), deadline),
                Waited::TimedOut => Ok(Waited::TimedOut),
            });
            done(removed.map_err(|error| explain(error, name)))
        };
        objects::remove(&self.names, self.force, &mut context.output, remove)
    }
}
