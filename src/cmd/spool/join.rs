//! `ipc spool join`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::{report_wait, wait_verbosely};
use crate::app::options::Waiting;
use crate::base::exit::{Exit, Failure, Subject, about};
use crate::base::name::FilePath;
use crate::io::output::Output;
use crate::mechanism::spool::join::{self, Ending};
use crate::mechanism::spool::name::MessageName;

use super::{explain, open_until};

/// Wait until messages are done
///
/// Without names, they are those that wait or are claimed at the beginning. The status is 0 if all
/// succeeded, 1 if one failed, and 4 if it is not known how one ended: there is no such message, it
/// was removed, or its end is longer ago than 'take --keep' says. Reports on standard error name
/// these messages.
#[derive(Debug, clap::Args, Plain)]
pub struct Join {
    /// Path of the spool
    directory: FilePath,
    /// Names of messages
    names: Vec<MessageName>,
    #[command(flatten)]
    waiting: Waiting,
}

impl Action for Join {
    const EXAMPLES: &'static [Example] = &[
        ("Wait for one", "name=$(ipc spool put ./jobs <job) && ipc spool join ./jobs $name"),
        ("Wait for all, but not for long", "ipc spool join -t 1m ./jobs"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let spool = open_until(&self.directory, &self.waiting)?;
        let output = &context.output;
        let explained = |errno| explain(errno, &self.directory);
        let names = match self.names.is_empty() {
            true => join::pending(&spool).map_err(explained).about(&self.directory)?,
            false => self.names.iter().map(|name| name.encoded().into()).collect(),
        };
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        let tell = || report_wait(output, &self.directory, "for the end of messages");
        let wait = |deadline| join::wait(&spool, &names, deadline);
        let waited = wait_verbosely(output, self.waiting.deadline(), tell, wait);
        let waited = waited.map_err(explained).about(&self.directory)?;
        let endings = self.waiting.or_error(waited).about(&self.directory)?;
        Ok(names
            .iter()
            .zip(endings)
            .fold(Exit::Done, |exit, (name, ending)| worse(exit, self.show(name, ending, output))))
    }
}

impl Join {
    /// Reports a message that has not succeeded; returns the status for it.
    fn show(&self, name: &str, ending: Ending, output: &Output) -> Exit {
        let failure = match ending {
            Ending::Status(0) => return Exit::Done,
            Ending::Status(status) => {
                Failure::new(Exit::No, format!("failed with status {status}"))
            }
            Ending::Unknown => Failure::new(Exit::NotFound, "is not there, and its end is unknown"),
        };
        let exit = failure.exit();
        let named = match MessageName::decode(name) {
            Some(name) => about(failure, name),
            None => about(failure, name),
        };
        output.error(&about(named, &self.directory));
        exit
    }
}

/// A failure takes precedence over an end that is not known.
fn worse(one: Exit, other: Exit) -> Exit {
    if other == Exit::Done || one == Exit::No { one } else { other }
}
