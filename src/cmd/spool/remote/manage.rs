//! `ipc spool create`, `requeue` and `rm`, on a server.

use crate::app::command::Example;
use crate::app::context::Context;
use crate::app::objects;
use crate::app::options::{TimeLimit, done};
use crate::app::remote::{Remote, RemoteAction, Storage, answered};
use crate::base::deadline::Waited;
use crate::base::exit::{Exit, Failure, Subject};
use crate::mechanism::remote::queue::Limits;
use crate::mechanism::remote::{Error, RemoteName};
use crate::mechanism::spool::name::MessageName;

use super::{decoded, explain, messages, open, spools};

/// Create a spool on a server
///
/// The status is 5 if there is a spool of that name.
#[derive(Debug, clap::Args)]
pub struct Create {
    /// Name of the spool, such as nats://HOST/NAME
    spool: RemoteName,
    /// Accept a spool that exists
    #[arg(short, long)]
    exist_ok: bool,
    #[command(flatten)]
    storage: Storage,
    #[command(flatten)]
    limit: TimeLimit,
}

impl RemoteAction for Create {
    const EXAMPLES: &'static [Example] =
        &[("Create a spool", "ipc spool create nats://broker/jobs")];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let (name, deadline) = (&self.spool, self.limit.deadline());
        let created = spools(&remote, name, deadline).and_then(|waited| match waited {
            Waited::Done(mut spools) => {
                spools.create(name.key(), Limits::default(), self.storage.into(), deadline)
            }
            Waited::TimedOut => Ok(Waited::TimedOut),
        });
        match answered(created, name)? {
            true => objects::report(&context.output, name, "created"),
            false if self.exist_ok => {}
            false => return Err(Failure::from(Error::Exists)).about(name),
        }
        Ok(Exit::Done)
    }
}

/// Return failed messages to those that wait
///
/// They have their priorities, come after the messages that wait already, and have no attempts.
#[derive(Debug, clap::Args)]
pub struct Requeue {
    /// Name of the spool
    spool: RemoteName,
    /// Names of messages
    #[arg(required_unless_present_any = ["failed"])]
    names: Vec<MessageName>,
    /// All messages that failed
    #[arg(long, conflicts_with = "names")]
    failed: bool,
    #[command(flatten)]
    limit: TimeLimit,
}

impl RemoteAction for Requeue {
    const EXAMPLES: &'static [Example] =
        &[("Try all again", "ipc spool requeue --failed nats://broker/jobs")];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let deadline = self.limit.deadline();
        let mut spool = open(&remote, &self.spool, None, deadline)?;
        let mut failed = messages(&mut *spool, &self.spool, deadline)?;
        failed.retain(|message| message.failure.is_some());
        let names = match self.failed {
            false => self.names,
            true => failed.iter().filter_map(|it| MessageName::new(&decoded(it)).ok()).collect(),
        };
        objects::each(&names, &mut context.output, |name, output| -> Result<(), Failure> {
            let found = failed.iter().find(|message| decoded(message) == name.bytes());
            let missing = || Failure::new(Exit::NotFound, "no message of this name has failed");
            done(spool.requeue(found.ok_or_else(missing)?, deadline).map_err(Failure::from))?;
            objects::report(output, name, "requeued");
            Ok(())
        })
    }
}

/// Remove a spool of a server
///
/// It is removed if no message is in it.
#[derive(Debug, clap::Args)]
pub struct Rm {
    /// Name of the spool
    spool: RemoteName,
    /// Ignore a spool that does not exist
    #[arg(short, long)]
    force: bool,
    /// Remove the spool with all that is in it
    #[arg(long)]
    purge: bool,
    #[command(flatten)]
    limit: TimeLimit,
}

impl RemoteAction for Rm {
    const EXAMPLES: &'static [Example] =
        &[("Remove a spool and its messages", "ipc spool rm --purge nats://broker/jobs")];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let (name, deadline) = (&self.spool, self.limit.deadline());
        let remove = || -> Result<Waited, Failure> {
            let Waited::Done(mut spools) = spools(&remote, name, deadline)? else {
                return Ok(Waited::TimedOut);
            };
            match spools.state(name.key(), deadline)? {
                Waited::TimedOut => return Ok(Waited::TimedOut),
                Waited::Done(state) if state.messages > 0 && !self.purge => {
                    return Err(Failure::new(Exit::InUse, "has messages")
                        .hint("--purge removes them with the spool"));
                }
                Waited::Done(_) => {}
            }
            spools.remove(name.key(), deadline).map_err(|error| explain(error, name))
        };
        match done(remove()) {
            Err(failure) if self.force && failure.exit() == Exit::NotFound => {}
            removed => {
                removed.about(name)?;
                objects::report(&context.output, name, "removed");
            }
        }
        Ok(Exit::Done)
    }
}
