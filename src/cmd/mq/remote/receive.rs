//! `ipc mq recv` and `wait`, on a server.

use std::sync::Arc;

use crate::app::command::{Example, Statuses};
use crate::app::context::Context;
use crate::app::listing::Json;
use crate::app::objects::{report_wait, wait_verbosely};
use crate::app::options::{Framing, Waiting};
use crate::app::remote::work::{self, Work};
use crate::app::remote::{Remote, RemoteAction, Storage};
use crate::app::worker::Execution;
use crate::base::exit::{Exit, Failure, Subject};
use crate::cmd::mq::explain;
use crate::cmd::mq::printing::{Message, Printing};
use crate::cmd::mq::receive::Amount;
use crate::mechanism::queue::{Selection, WaitError};
use crate::mechanism::remote::queue::QueueKind;
use crate::mechanism::remote::{Creation, RemoteName};

use super::opened;

/// Receive messages from a queue of a server and print them
///
/// One message, unless an option says otherwise: the oldest of the highest priority. The timeout counts anew
/// for each message, and for the connection.
///
/// A message is processed at most once: it is removed from the server before it is printed. If the server
/// does not confirm that in time, the message is not printed, and the status is 3. A message that standard
/// output does not take goes back to the queue.
///
/// With --exec each message is the standard input of a COMMAND instead, which finds its priority in
/// IPC_MQ_PRIORITY. A message is then processed at least once: it is removed when COMMAND has ended with
/// status 0. Until then it stays on the server, so that KILL, or a crash of this machine, loses none: 30
/// seconds after that another worker gets it. A message whose COMMAND fails stays in the queue, and can be
/// received again after the time of --retry-delay, or goes to the dead-letter queue.
///
/// With --until-eof it ends with status 0 at a marker of the end, which 'ipc mq send --eof' sends.
#[derive(Debug, clap::Args)]
#[command(mut_args(|arg| match arg.get_id().as_str() {
    // The options of the server need its line.
    "null" => arg.hide_short_help(true),
    _ => arg,
}))]
pub struct Recv {
    /// Name of the queue, such as nats://HOST/NAME
    name: RemoteName,
    #[command(flatten)]
    amount: Amount,
    /// End at a marker of the end, which 'send --eof' sends
    #[arg(long, requires = "follow", hide_short_help = true)]
    until_eof: bool,
    /// Print a copy of a message; the oldest is 0
    #[arg(
        long,
        value_name = "INDEX",
        hide_short_help = true,
        conflicts_with_all = ["count", "all", "follow", "timeout", "nonblock", "exec"]
    )]
    peek: Option<u32>,
    /// Print the priority and a tab before each message
    #[arg(long, hide_short_help = true, conflicts_with = "exec")]
    show_priority: bool,
    /// Print messages as JSON, with the priority
    #[arg(short, long, hide_short_help = true, conflicts_with_all = ["show_priority", "exec"])]
    json: bool,
    /// Create the queue if there is none
    #[arg(long, hide_short_help = true)]
    create: bool,
    #[command(flatten)]
    storage: Storage,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    framing: Framing,
    #[command(flatten)]
    execution: Execution,
}

impl RemoteAction for Recv {
    const EXAMPLES: &'static [Example] = &[
        ("Receive a message, waiting for it", "job=$(ipc mq recv nats://broker/jobs)"),
        (
            "Process messages, four at a time, on any number of machines",
            "ipc mq recv -f --exec --jobs 4 nats://broker/jobs -- ./worker",
        ),
        (
            "Try three times, and keep what fails",
            "ipc mq recv -f --exec --attempts 3 --dead-letter nats://broker/failed \
             nats://broker/jobs -- ./worker",
        ),
    ];
    const STATUSES: Statuses = Statuses::OfCommandIfAny;
    const JSON: &'static [Json] = &[Json::lines::<Message>()];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        self.execution.refuse_options_without()?;
        let creation = self.create.then(|| Creation::from(self.storage));
        if self.execution.is_wanted() {
            return self.work(remote, creation, context);
        }
        let queue = opened(&remote, &self.name, creation, self.waiting.deadline())?;
        let printing = Printing {
            name: self.name.as_ref(),
            selection: Selection::Any,
            count: self.amount.count(),
            peek: self.peek,
            waiting: self.waiting,
            form: self.framing.form(),
            until_eof: self.until_eof,
            show_priority: self.show_priority,
            json: self.json,
            has_types: false,
            longest: None,
        };
        printing.run(queue, context)
    }
}

impl Recv {
    /// Runs a COMMAND for each message.
    fn work(
        self,
        remote: Remote,
        creation: Option<Creation>,
        context: &mut Context,
    ) -> anyhow::Result<Exit> {
        if self.framing.is_given() {
            let reason = "--null and --frame are for messages that are printed, not for --exec";
            return Err(Failure::new(Exit::Usage, reason).into());
        }
        let count = self.amount.count();
        let Self { name, waiting, execution, until_eof, .. } = self;
        // It is created, or reported as missing, before any thread opens it.
        if let Err(error) = opened(&remote, &name, creation, waiting.deadline()) {
            return execution.fail(error, context);
        }
        let dead_letter = match execution.dead_letter().map(RemoteName::new).transpose() {
            Ok(dead_letter) => dead_letter,
            Err(error) => {
                let failure = Failure::new(Exit::Usage, error.to_string());
                return Err(failure).about(execution.dead_letter().unwrap_or_default());
            }
        };
        let source = Work {
            remote: Arc::new(remote),
            name,
            kind: QueueKind::Mq,
            dead_letter,
            retry_delay: execution.retry_delay(),
            attempts: None,
            until_eof,
        };
        let supply = work::supply(&source, count, &waiting);
        execution.run(source, supply, context)
    }
}

/// Wait until there is a message, and receive none
///
/// Another process may have received it when the command ends.
#[derive(Debug, clap::Args)]
pub struct Wait {
    /// Name of the queue
    name: RemoteName,
    /// Create the queue if there is none
    #[arg(long)]
    create: bool,
    #[command(flatten)]
    storage: Storage,
    #[command(flatten)]
    waiting: Waiting,
}

impl RemoteAction for Wait {
    const EXAMPLES: &'static [Example] =
        &[("Start a worker when there is work", "ipc mq wait nats://broker/jobs && ./worker")];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let (output, deadline) = (&context.output, self.waiting.deadline());
        let creation = self.create.then(|| Creation::from(self.storage));
        let mut queue = opened(&remote, &self.name, creation, deadline)?;
        let tell = || report_wait(output, &self.name, "for a message");
        let wait = |until| queue.wait(Selection::Any, until);
        let waited = wait_verbosely(output, deadline, tell, wait);
        let waited = waited.map_err(|error| match error {
            WaitError::Queue(error) => explain(error),
            WaitError::NoRoom | WaitError::NotPutBack(_) => Failure::failed(error.to_string()),
        });
        self.waiting.or_error(waited.about(&self.name)?).about(&self.name)?;
        Ok(Exit::Done)
    }
}
