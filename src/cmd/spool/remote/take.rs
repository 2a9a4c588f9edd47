//! `ipc spool take`, on a server.

use std::sync::Arc;
use std::time::Duration;

use crate::app::command::{Example, Statuses};
use crate::app::context::Context;
use crate::app::options::Waiting;
use crate::app::remote::work;
use crate::app::remote::{Remote, RemoteAction};
use crate::app::worker::Work;
use crate::base::exit::Exit;
use crate::mechanism::remote::RemoteName;
use crate::mechanism::remote::queue::QueueKind;

use super::open;

/// Run a COMMAND for each message of a spool on a server
///
/// It takes one message, waiting for it: the oldest of the highest priority. The timeout counts anew for
/// each wait. COMMAND has the message as standard input and finds its name in IPC_SPOOL_NAME and the number
/// of the attempt in IPC_ATTEMPT; '{}' in its arguments is /dev/stdin.
///
/// If COMMAND succeeds, the message is removed. A message whose last attempt failed is listed by 'ls
/// --failed', and 'requeue' brings it back. If the worker is ended by a signal the message stays; if it is
/// killed, or its machine fails, another worker gets the message 30 seconds later: it is delivered at least
/// once. COMMAND does not hold the claim: a COMMAND whose worker was killed may still run then.
#[derive(Debug, clap::Args)]
pub struct Take {
    /// Name of the spool, such as nats://HOST/NAME
    spool: RemoteName,
    /// How many messages; 1 if not given
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// All messages that are there; none is success as well
    #[arg(long, conflicts_with_all = ["count", "timeout", "nonblock"])]
    all: bool,
    /// Go on until a signal
    #[arg(short, long, conflicts_with_all = ["count", "all"])]
    follow: bool,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    work: Work,
}

impl RemoteAction for Take {
    const EXAMPLES: &'static [Example] = &[
        (
            "Process all that come, four at a time, on any number of machines",
            "ipc spool take -f --jobs 4 nats://broker/jobs -- ./process",
        ),
        (
            "Retry for a while",
            "ipc spool take -f --attempts 8 --retry-delay 5s nats://broker/mail -- ./send",
        ),
    ];
    const STATUSES: Statuses = Statuses::OfCommand;

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let Self { spool: name, count, all, follow, waiting, work } = self;
        if let Err(error) = open(&remote, &name, None, waiting.deadline()) {
            return work.fail(error, context);
        }
        let count = match (all, follow) {
            (true, _) => None,
            (_, true) => Some(u64::MAX),
            _ => Some(count.unwrap_or(1)),
        };
        let source = work::Work {
            remote: Arc::new(remote),
            name,
            kind: QueueKind::Spool,
            dead_letter: None,
            retry_delay: Duration::ZERO,
            attempts: work.attempts(),
            until_eof: false,
        };
        let supply = work::supply(&source, count, &waiting);
        work.run(source, supply, context)
    }
}
