//! `ipc spool pause`, `resume`, `requeue` and `rm`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::{each, report};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::name::FilePath;
use crate::io::output::escape;
use crate::mechanism::spool::directory::{Removal, Spool};
use crate::mechanism::spool::manage::{self, Index};
use crate::mechanism::spool::name::MessageName;
use crate::mechanism::spool::part::Part;

use super::{explain, open};

/// Let workers take no message
///
/// COMMANDs that run go on. Messages can be put. A paused spool stays paused, also after a reboot,
/// until 'resume'.
#[derive(Debug, clap::Args, Plain)]
pub struct Pause {
    /// Path of the spool
    directory: FilePath,
}

impl Action for Pause {
    const EXAMPLES: &'static [Example] = &[("Stop the work for a while", "ipc spool pause ./jobs")];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let paused = open(&self.directory)?.pause();
        paused.map_err(|errno| explain(errno, &self.directory)).about(&self.directory)?;
        report(&context.output, &self.directory, "paused");
        Ok(Exit::Done)
    }
}

/// Let workers take messages again
#[derive(Debug, clap::Args, Plain)]
pub struct Resume {
    /// Path of the spool
    directory: FilePath,
}

impl Action for Resume {
    const EXAMPLES: &'static [Example] = &[("Continue", "ipc spool resume ./jobs")];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        open(&self.directory)?.resume().about(&self.directory)?;
        report(&context.output, &self.directory, "resumed");
        Ok(Exit::Done)
    }
}

/// Return failed messages to those that wait
///
/// They have their old places in the order, and no attempts.
#[derive(Debug, clap::Args, Plain)]
pub struct Requeue {
    /// Path of the spool
    directory: FilePath,
    /// Names of messages
    #[arg(required_unless_present_any = ["failed"])]
    names: Vec<MessageName>,
    /// All messages that failed
    #[arg(long, conflicts_with = "names")]
    failed: bool,
}

impl Action for Requeue {
    const EXAMPLES: &'static [Example] = &[
        ("Try one again", "ipc spool requeue ./jobs report"),
        ("Try all again", "ipc spool requeue --failed ./jobs"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let spool = open(&self.directory)?;
        let explained = |errno: Errno| explain(errno, &self.directory);
        let index = Index::of(&spool, &[Part::Failed]).map_err(explained);
        let index = index.about(&self.directory)?;
        let all: Vec<MessageName>;
        let names = match self.failed {
            false => &self.names,
            true => {
                all = index.entries().map(|entry| entry.message_name()).collect();
                &all
            }
        };
        let requeued = each(names, &mut context.output, |name, output| {
            let (_, entry) = index.find(name.encoded()).map_err(|errno| not_here(&spool, errno))?;
            manage::requeue(&spool, entry).map_err(explained)?;
            report(output, name, "requeued");
            Ok::<_, Failure>(())
        });
        let synced = spool.sync(Part::Ready).and_then(|()| spool.sync(Part::Failed));
        synced.map_err(explained).about(&self.directory)?;
        requeued
    }
}

/// The failure of a message that was not found.
fn not_here(spool: &Spool, errno: Errno) -> Failure {
    let path = escape(spool.as_ref().as_encoded_bytes()).into_owned();
    match errno {
        Errno(libc::ENOENT) => Failure::new(Exit::NotFound, format!("no such message in {path}")),
        Errno(libc::EBUSY) => Failure::new(Exit::InUse, "a worker has claimed it"),
        errno => errno.into(),
    }
}

/// Remove messages, or a spool
///
/// With names, messages that wait or have failed are removed; one that a worker has claimed is
/// refused with status 5. Without names the spool itself is removed, if no message is in it.
#[derive(Debug, clap::Args, Plain)]
pub struct Rm {
    /// Path of the spool
    directory: FilePath,
    /// Names of messages
    names: Vec<MessageName>,
    /// Ignore what does not exist
    #[arg(short, long)]
    force: bool,
    /// Remove the spool with all that is in it
    #[arg(long, conflicts_with = "names")]
    purge: bool,
}

impl Action for Rm {
    const EXAMPLES: &'static [Example] = &[
        ("Remove a message", "ipc spool rm ./jobs report"),
        ("Remove a spool and its messages", "ipc spool rm --purge ./jobs"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let spool = match open(&self.directory) {
            Err(error) if self.force && Exit::of(&error) == Exit::NotFound => {
                return Ok(Exit::Done);
            }
            spool => spool?,
        };
        if self.names.is_empty() {
            self.remove_spool(spool).about(&self.directory)?;
            report(&context.output, &self.directory, "removed");
            return Ok(Exit::Done);
        }
        let index = Index::of(&spool, &[Part::Ready, Part::Failed]).about(&self.directory)?;
        each(&self.names, &mut context.output, |name, output| {
            let found = index.find(name.encoded());
            match found.and_then(|found| manage::remove(&spool, found)) {
                Err(Errno(libc::ENOENT)) if self.force => Ok(()),
                Err(errno) => Err(not_here(&spool, errno)),
                Ok(()) => {
                    report(output, name, "removed");
                    Ok(())
                }
            }
        })
    }
}

impl Rm {
    fn remove_spool(&self, spool: Spool) -> Result<(), Failure> {
        let removal = if self.purge { Removal::WithMessages } else { Removal::IfEmpty };
        spool.remove(removal).map_err(|errno| match errno {
            Errno(libc::ENOTEMPTY) => Failure::new(Exit::InUse, "has messages")
                .hint("--purge removes them with the spool"),
            errno => explain(errno, &self.directory),
        })
    }
}
