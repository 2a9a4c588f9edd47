//! `ipc mq send`.

use std::ffi::OsString;
use std::num::NonZeroU64;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::{add_sent, report_wait, wait_verbosely};
use crate::app::options::Framing;
use crate::app::options::Waiting;
use crate::app::trust::Trust;
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::frame::{Length, Messages, ReadError, refuse_longer};
use crate::io::output::{Output, escape};
use crate::mechanism::queue::marker::{self, MARKER};
use crate::mechanism::queue::{self, Access, MessageQueue, PRIORITY_MAX, QueueName};
use crate::sys::mqueue::MOST;
use crate::sys::stdio::is_terminal;

use super::open::{create, open_trusted};
use super::{explain, not_for_this_kind, unopened};

/// Send messages to a queue
///
/// Each operand is a message. Without operands each record of standard input is one: a line, unless
/// an option says otherwise. Messages are sent in order, and each waits until the queue has room for
/// it; the timeout counts anew for each. All operands are checked first: if one is too long for the
/// queue, nothing is sent.
///
/// A POSIX queue returns messages of a higher priority first, and messages of the same priority in the
/// order in which they were sent. The messages of a System V queue have a type instead, by which
/// receivers select.
#[derive(Debug, clap::Args, Plain)]
pub struct Send {
    /// Name of the queue
    name: QueueName,
    /// Messages; records of standard input if there are none
    messages: Vec<OsString>,
    /// Priority, 0 to 32767; for System V the type, 1 and up
    #[arg(short, long, value_name = "PRIO", allow_negative_numbers = true)]
    priority: Option<i64>,
    /// Create the queue if there is none
    #[arg(long)]
    create: bool,
    /// Send N markers of the end after the messages; 1 if not given
    ///
    /// Each marker ends one 'ipc mq recv -f --until-eof'. A marker is a message of 8 bytes, a NUL and
    /// 'ipc-eof', which every program can send, and which programs that do not know it see as a message.
    /// It has priority 0 in a POSIX queue, so that it comes after all messages that are in the queue. In a
    /// System V queue it has the type of --priority, or 2147483647, the greatest number of an int.
    ///
    /// Standard input is read as without the option, unless it is a terminal.
    #[arg(
        long,
        value_name = "N",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1"
    )]
    eof: Option<NonZeroU64>,
    #[command(flatten)]
    trust: Trust,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    framing: Framing,
}

impl Action for Send {
    const EXAMPLES: &'static [Example] = &[
        (
            "Send a message, and one of higher priority",
            "ipc mq send /jobs a; ipc mq send -p9 /jobs b",
        ),
        ("Send each line of a file", "ipc mq send /jobs <jobs.txt"),
        ("Send a message that begins with a dash", "ipc mq send /jobs -- -5"),
        (
            "Send the lines of a file, and end three receivers",
            "ipc mq send --eof=3 /jobs <jobs.txt",
        ),
        ("Send a file as one message", "ipc mq send --frame whole /jobs <job.bin"),
    ];

    fn run(mut self, context: &mut Context) -> anyhow::Result<Exit> {
        let mut sent = 0;
        let operands = std::mem::take(&mut self.messages);
        let result = self.send(operands, &mut sent, context);
        result.map_err(|failure| add_sent(failure, sent)).about(&self.name)?;
        Ok(Exit::Done)
    }
}

impl Send {
    fn send(
        &self,
        operands: Vec<OsString>,
        sent: &mut u64,
        context: &Context,
    ) -> Result<(), Failure> {
        let priority = self.priority()?;
        let mut queue = self.open(&operands)?;
        let limit = queue.limit().map_err(explain)?;
        if self.eof.is_some() && limit < MARKER.len() {
            let length = Length::Exactly(MARKER.len() as u64);
            return Err(self
                .too_long(length, limit as u64)
                .adding(", and a marker has this length"));
        }
        // A marker can be sent from a terminal without the end of its input.
        if self.eof.is_none() || !operands.is_empty() || !is_terminal(context.stdin) {
            let mut messages = Messages::new(operands, context.stdin, self.framing.form(), limit)
                .map_err(|error| self.unsendable(error))?;
            while let Some(message) = messages.next().map_err(|error| self.unsendable(error))? {
                self.send_one(&mut queue, message, priority, &context.output)?;
                *sent += 1;
            }
        }
        let priority = marker::priority(&self.name, self.priority);
        for _ in 0..self.eof.map_or(0, NonZeroU64::get) {
            self.send_one(&mut queue, MARKER, priority, &context.output)?;
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
        self.waiting.or_error(waited.map_err(explain)?)
    }

    /// The priority, or the type, if queues of this kind have such a one.
    fn priority(&self) -> Result<i64, Failure> {
        match (&self.name, self.priority) {
            (QueueName::Posix(_), Some(priority)) if priority > PRIORITY_MAX.into() => {
                let reason = format!("priority {priority} is above the greatest ({PRIORITY_MAX})");
                Err(Failure::new(Exit::Usage, reason))
            }
            (QueueName::Posix(_), Some(priority @ ..0)) => {
                let reason = format!("priority {priority} is below the least (0)");
                Err(Failure::new(Exit::Usage, reason))
            }
            (QueueName::SystemV(_), Some(..=0)) => {
                Err(not_for_this_kind("the type of a System V message is 1 or more"))
            }
            (QueueName::Posix(_), priority) => Ok(priority.unwrap_or(0)),
            (QueueName::SystemV(_), kind) => Ok(kind.unwrap_or(1)),
        }
    }

    /// Opens the queue, or creates one that these messages fit in.
    fn open(&self, operands: &[OsString]) -> Result<MessageQueue, Failure> {
        loop {
            match self.open_existing() {
                Err(failure) if self.create && failure.exit() == Exit::NotFound => {}
                opened => return opened,
            }
            refuse_longer(operands, queue::limit_of_new(&self.name))
                .map_err(|error| self.unsendable(error))?;
            match create(&self.name) {
                // Another process has created it meanwhile.
                Err(failure) if failure.exit() == Exit::InUse => {}
                created => return created,
            }
        }
    }

    fn open_existing(&self) -> Result<MessageQueue, Failure> {
        if self.create {
            return open_trusted(&self.name, Access::Send, &self.trust);
        }
        let opened = MessageQueue::open(&self.name, Access::Send);
        opened.map_err(|error| unopened(error, &self.name))
    }

    /// The limit that a message is longer than, and how to raise it.
    fn too_long(&self, length: Length, limit: u64) -> Failure {
        let is_of_kernel =
            || matches!(self.name, QueueName::SystemV(_)) && limit >= queue::message_limit();
        let whose = if is_of_kernel() { "the kernel" } else { "the queue" };
        let failure =
            Failure::failed(format!("message of {length} is longer than {whose} allows ({limit})"));
        match (&self.name, length) {
            (QueueName::Posix(_), Length::Exactly(bytes)) if bytes <= MOST.msg_size => {
                failure.hint(format!("create the queue with --msg-size {bytes}"))
            }
            (QueueName::SystemV(_), Length::Exactly(bytes)) if is_of_kernel() => {
                failure.hint(format!("as root: sysctl kernel.msgmax={bytes}"))
            }
            (QueueName::SystemV(name), Length::Exactly(bytes)) => failure.hint(format!(
                "'ipc mq set {} --max-bytes {bytes}' makes room for it",
                escape(name.as_ref().as_encoded_bytes())
            )),
            _ => failure,
        }
    }

    /// The reason why there is no next message to send.
    fn unsendable(&self, error: ReadError) -> Failure {
        match error {
            ReadError::TooLong { length, limit } => self.too_long(length, limit as u64),
            ReadError::Kernel(errno) => {
                Failure::new(errno.into(), format!("standard input: {errno}"))
            }
            ReadError::CutShort | ReadError::NotANetstring => Failure::failed(error.to_string()),
        }
    }
}
