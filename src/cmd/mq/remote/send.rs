//! `ipc mq send`, on a server.

use std::ffi::OsString;
use std::num::NonZeroU64;
use std::os::fd::BorrowedFd;

use crate::app::command::Example;
use crate::app::context::Context;
use crate::app::objects::{add_sent, report_wait};
use crate::app::options::{Framing, Waiting, done};
use crate::app::remote::sending::Sending;
use crate::app::remote::{Remote, RemoteAction, Storage};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::frame::{Messages, ReadError};
use crate::mechanism::queue::marker::MARKER;
use crate::mechanism::remote::queue::{Letter, Sent};
use crate::mechanism::remote::{Creation, RemoteName};
use crate::sys::stdio::is_terminal;

use super::{explain, open, priority};

/// Send messages to a queue of a server
///
/// Each operand is a message. Without operands each record of standard input is one: a line, unless an
/// option says otherwise. Messages are sent in order; each waits until the queue has room for it, and until
/// the servers that store the queue have it. The timeout counts anew for each, and for the connection. All
/// operands are checked first: if one is too long for the queue, nothing is sent.
///
/// To a queue that one server stores, messages that are available are sent without waiting for the
/// acknowledgement of each, up to 64 at a time. If one is not stored, none after it is. A message whose
/// acknowledgement is lost is sent again, and is no second message. If the timeout ends the wait for an
/// acknowledgement, that message, and some after it, may be in the queue.
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
        let opened = open(&remote, &self.name, creation, self.waiting.deadline());
        let mut queue =
            done(opened.map_err(|error| explain(error, &self.name))).about(&self.name)?;
        let (operands, limit) = (std::mem::take(&mut self.messages), queue.limit());
        let mut sending = Sending {
            deadline: || self.waiting.deadline(),
            full: || report_wait(&context.output, &self.name, "for room: the queue is full"),
            sent: 0,
        };
        let mut send = |letters: &[Letter<'_>]| -> Result<(), Failure> {
            let sent = sending.send_all(&mut *queue, letters);
            let sent = sent.map_err(|error| explain(error, &self.name))?;
            self.waiting.or_error(sent).map(|_: Sent| ())
        };
        let result = self.send(operands, priority, limit, context.stdin, &mut send);
        result.map_err(|failure| add_sent(failure, sending.sent)).about(&self.name)?;
        Ok(Exit::Done)
    }
}

impl Send {
    /// Sends the messages and the markers, those that are available together.
    fn send(
        &self,
        operands: Vec<OsString>,
        priority: u32,
        limit: usize,
        stdin: BorrowedFd<'static>,
        send: &mut dyn FnMut(&[Letter<'_>]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        // A marker can be sent from a terminal without the end of its input.
        if self.eof.is_none() || !operands.is_empty() || !is_terminal(stdin) {
            let mut messages =
                Messages::new(operands, stdin, self.framing.form(), limit).map_err(unsendable)?;
            while let Some(batch) = messages.next_batch().map_err(unsendable)? {
                let letter = |bytes| Letter { bytes, priority, ..Letter::default() };
                send(&batch.into_iter().map(letter).collect::<Vec<_>>())?;
            }
        }
        let marker = Letter { bytes: MARKER, ..Letter::default() };
        for _ in 0..self.eof.map_or(0, NonZeroU64::get) {
            send(&[marker])?;
        }
        Ok(())
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
