//! `ipc spool create`, `requeue` and `rm`, on a server.

use crate::app::command::Example;
use crate::app::context::Context;
use crate::app::objects;
use crate::app::options::{TimeLimit, done};
use crate::app::remote::{Remote, RemoteAction, Storage, answered};
use crate::base::deadline::Waited;
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::output::escape;
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

/// Remove messages, or a spool of a server
///
/// With names, messages that wait or have failed are removed. The server does not say which of them a
/// worker has claimed: its COMMAND goes on. Without names the spool itself is removed, if no message is in
/// it.
#[derive(Debug, clap::Args)]
pub struct Rm {
    /// Name of the spool
    spool: RemoteName,
    /// Names of messages
    names: Vec<MessageName>,
    /// Ignore what does not exist
    #[arg(short, long)]
    force: bool,
    /// Remove the spool with all that is in it
    #[arg(long, conflicts_with = "names")]
    purge: bool,
    #[command(flatten)]
    limit: TimeLimit,
}

impl RemoteAction for Rm {
    const EXAMPLES: &'static [Example] = &[
        ("Remove a message", "ipc spool rm nats://broker/jobs report"),
        ("Remove a spool and its messages", "ipc spool rm --purge nats://broker/jobs"),
    ];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let names = std::slice::from_ref(&self.spool);
        if self.names.is_empty() {
            return objects::remove(names, self.force, output, |_| self.remove_spool(&remote));
        }
        let deadline = self.limit.deadline();
        let mut spool = match open(&remote, &self.spool, None, deadline) {
            Err(error) if self.force && Exit::of(&error) == Exit::NotFound => {
                return Ok(Exit::Done);
            }
            spool => spool?,
        };
        let all = messages(&mut *spool, &self.spool, deadline)?;
        objects::each(&self.names, output, |name, output| -> Result<(), Failure> {
            let mut found =
                all.iter().filter(|message| decoded(message) == name.bytes()).peekable();
            if found.peek().is_none() && !self.force {
                let path = escape(self.spool.as_ref().as_encoded_bytes());
                return Err(Failure::new(Exit::NotFound, format!("no such message in {path}")));
            }
            for message in found {
                done(spool.erase(message, deadline).map_err(Failure::from))?;
                objects::report(output, name, "removed");
            }
            Ok(())
        })
    }
}

impl Rm {
    fn remove_spool(&self, remote: &Remote) -> Result<(), Failure> {
        let (name, deadline) = (&self.spool, self.limit.deadline());
        let remove = || -> Result<Waited, Failure> {
            let Waited::Done(mut spools) = spools(remote, name, deadline)? else {
                return Ok(Waited::TimedOut);
            };
            let explained = |error| explain(error, name);
            match spools.state(name.key(), deadline).map_err(explained)? {
                Waited::TimedOut => return Ok(Waited::TimedOut),
                Waited::Done(state) if state.messages > 0 && !self.purge => {
                    return Err(Failure::new(Exit::InUse, "has messages")
                        .hint("--purge removes them with the spool"));
                }
                Waited::Done(_) => {}
            }
            spools.remove(name.key(), deadline).map_err(explained)
        };
        done(remove())
    }
}
