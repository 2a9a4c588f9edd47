//! `ipc queue close` and `rm`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::{remove, report};
use crate::app::options::Waiting;
use crate::base::exit::{Exit, Subject};
use crate::mechanism::queue::named::RingName;

use super::{explain, locked, open};

/// Close a queue, so that it takes no more messages
///
/// Every later push fails with status 3, and so does one that waits. Consumers get the messages
/// that are in the queue; then 'pop --follow' and 'pop --all' end with status 0, and a 'pop' that
/// wanted another message ends with 1. A closed queue stays closed.
#[derive(Debug, clap::Args, Plain)]
pub struct Close {
    /// Name of the queue
    name: RingName,
    #[command(flatten)]
    waiting: Waiting,
}

impl Action for Close {
    const EXAMPLES: &'static [Example] =
        &[("Let the consumers end", "ipc queue push /jobs <jobs.txt && ipc queue close /jobs")];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let ring = open(&self.name)?;
        let closed = ring.close(self.waiting.deadline());
        let closed = closed.map_err(|error| explain(error, &self.name)).about(&self.name)?;
        locked(closed, &self.waiting).about(&self.name)?;
        report(&context.output, &self.name, "closed");
        Ok(Exit::Done)
    }
}

/// Remove queues, and the messages in them
///
/// Processes that have a queue open continue to use it; a new queue of the same name is another
/// queue. A file that is not a queue is refused.
#[derive(Debug, clap::Args, Plain)]
pub struct Rm {
    /// Names of queues
    #[arg(required = true)]
    names: Vec<RingName>,
    /// Ignore what does not exist
    #[arg(short, long)]
    force: bool,
}

impl Action for Rm {
    const EXAMPLES: &'static [Example] = &[("Tidy up", "ipc queue rm -f /jobs ./jobs")];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        remove(&self.names, self.force, &mut context.output, |name: &RingName| {
            name.remove().map_err(|error| explain(error, name))
        })
    }
}
