//! `ipc mq send`, on a server.

use std::ffi::OsString;
use std::num::NonZeroU64;

use crate::app::command::Example;
use crate::app::context::Context;
use crate::app::objects::{add_sent, report_wait, wait_verbosely};
use crate::app::options::{Framing, Waiting};
use crate::app::remote::{Remote, RemoteAction, Storage};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::frame::{Messages, ReadError};
use crate::io::output::Output;
use crate::mechanism::queue::MessageQueue;
use crate::mechanism::queue::marker::MARKER;
use crate::mechanism::remote::{Creation, RemoteName};
use crate::sys::stdio::is_terminal;

use super::{opened, priority};
use crate::cmd::mq::explain as explain_any;

/// Send messages to a queue of a server
///
/// Each operand is a message. Without operands each record of standard input is one: a line, unless an
/// option says otherwise. Messages are sent in order; each waits until the queue has room for it, and until
/// the servers that store the queue have it. The timeout counts anew for each, and for the connection. All
/// operands are checked first: if one is too long for the queue, nothing is sent.
///
/// A message whose acknowledgement is lost is sent again, and is no second message. If the timeout ends the
/// wait for an acknowledgement, the message may be in the queue.
///
/// Messages of a higher priority are received first, and those of the same priority in the order in which
/// they were sent.
#[derive(Debug, clap::Args)]
pub struct Send {
    /// Name of the queue, such as nats://HOST/NAME
    name: RemoteName,
    /// Messages; records of standard input if there are none
    messages: Vec<OsString>,
    /// Priority, 0 to 32767
    #[arg(short, long, value_name = "PRIO", allow_negative_numbers = true)]
    priority: Option<i64>,
    /// Create the queue if there is none
    #[arg(long)]
    create: bool,
    /// Send N markers of the end after the messages; 1 if not given
    ///
    /// Each marker ends one 'ipc mq recv -f --until-eof'. It has priority 0, so that it comes after all
    /// messages that are in the queue.
    #[arg(
        long,
        value_name = "N",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1"
    )]
    eof: Option<NonZeroU64>,
    #[command(flatten)]
    storage: Storage,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    framing: Framing,
}

impl RemoteAction for Send {
    const EXAMPLES: &'static [Example] = &[
        ("Send a message", "ipc mq send nats://broker/jobs 'job 7'"),
        ("Send each line of a file, before others", "ipc mq send -p9 nats://broker/jobs <jobs.txt"),
    ];

    fn run(mut self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let priority = priority(self.priority).about(&self.name)?;
        let creation = self.create.then(|| Creation::from(self.storage));
        let mut queue = opened(&remote, &self.name, creation, self.waiting.deadline())?;
        let operands = std::mem::take(&mut self.messages);
        let mut sent = 0;
        let result = self.send(&mut queue, operands, priority, &mut sent, context);
        result.map_err(|failure| add_sent(failure, sent)).about(&self.name)?;
        Ok(Exit::Done)
    }
}

impl Send {
    fn send(
        &self,
        queue: &mut MessageQueue,
        operands: Vec<OsString>,
        priority: i64,
        sent: &mut u64,
        context: &Context,
    ) -> Result<(), Failure> {
        let limit = queue.limit().map_err(explain_any)?;
        // A marker can be sent from a terminal without the end of its input.
        if self.eof.is_none() || !operands.is_empty() || !is_terminal(context.stdin) {
            let mut messages = Messages::new(operands, context.stdin, self.framing.form(), limit)
                .map_err(unsendable)?;
            while let Some(message) = messages.next().map_err(unsendable)? {
                self.send_one(queue, message, priority, &context.output)?;
                *sent += 1;
            }
        }
        for _ in 0..self.eof.map_or(0, NonZeroU64::get) {
            self.send_one(queue, MARKER, 0, &context.output)?;
            *sent += 1;
        }
        Ok(())
    }

    /// Sends a message, waiting for room.
    fn send_one(
        &self,
        queue: &mut MessageQueue,
        message: &[u8],
        priority: i64,
        output: &Output,
    ) -> Result<(), Failure> {
        let deadline = self.waiting.deadline();
        let tell = || report_wait(output, &self.name, "for room: the queue is full");
        let waited =
            wait_verbosely(output, deadline, tell, |until| queue.send(message, priority, until));
        self.waiting.or_error(waited.map_err(explain_any)?)
    }
}

/// The reason why there is no next message to send.
fn unsendable(error: ReadError) -> Failure {
    match error {
        ReadError::TooLong { length, limit } => Failure::failed(format!(
            "message of {length} is longer than the queue allows ({limit})"
        ))
        .hint("--msg-size of 'ipc mq create' and max_payload of the server are the limits"),
        ReadError::Kernel(errno @ Errno(_)) => {
            Failure::new(errno.into(), format!("standard input: {errno}"))
        }
        ReadError::CutShort | ReadError::NotANetstring => Failure::failed(error.to_string()),
    }
}
