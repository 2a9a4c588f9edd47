//! `ipc mq recv` and `wait`.

use std::ffi::OsStr;
use std::io::Write;
use std::os::fd::BorrowedFd;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example, Statuses};
use crate::app::context::Context;
use crate::app::listing::{self, Column, Columns, Json};
use crate::app::objects::{report_wait, wait_verbosely};
use crate::app::options::Framing;
use crate::app::options::Waiting;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::frame::Form;
use crate::io::outbox::{Outbox, Requeueable, Unwritten};
use crate::io::output::{Key, Output, Type, Value, escape};
use crate::mechanism::queue::marker::is_marker;
use crate::mechanism::queue::{
    Access, Error, MessageQueue, QueueName, Received, Selection, Until, WaitError,
};
use crate::sys::heap;

use super::exec::{self, End, Task};
use super::open::Missing;
use super::truncation::Truncation;
use super::{explain, not_for_this_kind, unopened};
use crate::app::worker::Execution;

/// Receive messages from a queue and print them
///
/// One message, unless an option says otherwise. A POSIX queue returns the oldest of the highest
/// priority, a System V queue the oldest, or the one that the options select. The timeout counts anew
/// for each message, and covers the wait for room on standard output; --all waits for that alone.
///
/// A message leaves the queue when it is received. So fatal signals wait until it is written, and
/// none is received while standard output has no room for it, or no reader. A message that standard
/// output does not take after all, because it is full or its reader has just left, goes back to the
/// queue, behind the messages of its priority: whole, even if its beginning was printed. A signal also
/// sends a message back that waits halfway for the reader of a pipe, as one of more than 4096 bytes
/// may.
///
/// KILL loses the messages of the current write: 32 KiB at most, or one message. A reader that leaves
/// loses what it has not read from a pipe. If output fails, messages that cannot be requeued are
/// lost, with a warning. A signal in the moment in which a System V message without any bytes arrives
/// loses that message.
///
/// With --until-eof it ends with status 0 at a marker of the end, which 'ipc mq send --eof' sends, and
/// receives no message after it. One marker ends one receiver. A marker is a message of the 8 bytes
/// '\0ipc-eof', of which the first is NUL. Without the option it is a message as any other. With --type,
/// the marker has to be sent with that type.
///
/// With --exec each message is the standard input of a COMMAND instead, which finds the priority or the
/// type in IPC_MQ_PRIORITY. By default a message is
/// processed at most once: it has left the queue when COMMAND starts, and a COMMAND that fails loses
/// it, with a warning. With --attempts, --requeue or --dead-letter a message is processed at least
/// once, so COMMAND may see one twice. The worker holds it in memory until COMMAND has succeeded or
/// the message is in a queue again; KILL, or a crash of the machine, loses the messages that it holds.
///
/// The message of a COMMAND that cannot be started goes back. The status is that of the first COMMAND
/// that fails in its last attempt; the others run all the same. A signal is sent on to the COMMANDs,
/// and ends the worker when they have ended and the messages that go back are in the queue; a second
/// one does not wait for room in the queue. USR1 and USR2 end the worker only while no COMMAND runs.
/// With --requeue, --all receives as many messages as there are at first.
#[derive(Debug, clap::Args, Plain)]
pub struct Recv {
    /// Name of the queue
    name: QueueName,
    /// Receive N messages
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Receive all messages that there are, even none
    #[arg(long, conflicts_with_all = ["count", "timeout", "nonblock"])]
    all: bool,
    /// Receive until a signal
    #[arg(short, long, conflicts_with_all = ["count", "all"])]
    follow: bool,
    /// End at a marker of the end, which 'send --eof' sends
    #[arg(long)]
    until_eof: bool,
    /// Cut a longer message of a System V queue to this length; kernel.msgmax if not given
    ///
    /// The rest of the message is lost, with a warning: MSG_NOERROR of msgrcv(2). Without the option a
    /// message is received whole, however long it is.
    #[arg(
        long,
        value_name = "SIZE",
        hide_short_help = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "max"
    )]
    truncate: Option<Truncation>,
    /// Print a copy of a message of a System V queue; the oldest is 0
    #[arg(long, value_name = "INDEX", hide_short_help = true, conflicts_with_all = ["count", "all", "follow", "kind", "except", "timeout", "nonblock", "exec"])]
    peek: Option<u32>,
    /// Print the priority, or the type, and a tab before each message
    #[arg(long, hide_short_help = true, conflicts_with = "exec")]
    show_priority: bool,
    /// Print messages as JSON, with the priority or the type
    #[arg(short, long, hide_short_help = true, conflicts_with_all = ["show_priority", "exec"])]
    json: bool,
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    missing: Missing,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    framing: Framing,
    #[command(flatten)]
    execution: Execution,
}

/// The messages of a System V queue to receive.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
struct Choice {
    /// Select messages of this System V type; -N is the lowest type up to N
    #[arg(
        long = "type",
        value_name = "N",
        hide_short_help = true,
        allow_negative_numbers = true,
        conflicts_with = "except"
    )]
    kind: Option<i64>,
    /// Select messages of any other System V type
    #[arg(long, hide_short_help = true, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    except: Option<i64>,
}

impl Choice {
    /// The selection, for a queue that can select.
    fn selection(self, name: &QueueName) -> Result<Selection, Failure> {
        let selection = match (self.kind, self.except) {
            (Some(0), _) => Err(not_for_this_kind("a type is not 0")),
            (Some(kind @ 1..), _) => Ok(Selection::Type(kind)),
            (Some(kind), _) => Ok(Selection::UpTo(kind.saturating_neg())),
            (None, Some(kind)) => Ok(Selection::Except(kind)),
            (None, None) => return Ok(Selection::Any),
        };
        match name {
            QueueName::SystemV(_) => selection,
            QueueName::Posix(_) => Err(not_for_this_kind(
                "a POSIX queue gives the highest priority first and takes no --type or --except; \
                 System V queues (sysv:KEY) do",
            )),
        }
    }
}

impl Action for Recv {
    const EXAMPLES: &'static [Example] = &[
        ("Receive a message, waiting for it", "job=$(ipc mq recv /jobs)"),
        ("Receive all that there are", "ipc mq recv --all /jobs"),
        ("Log messages as they come", "ipc mq recv -f --show-priority /jobs >>log"),
        (
            "Process messages, four at a time",
            "ipc mq recv -f --exec --jobs 4 --requeue /jobs -- ./worker",
        ),
        (
            "Try three times, and keep what fails",
            "ipc mq recv -f --exec --attempts 3 --dead-letter /failed /jobs -- ./worker",
        ),
        ("Receive a message of type 7", "ipc mq recv --type 7 sysv:0x2a"),
        ("Receive until the sender says that it was all", "ipc mq recv -f --until-eof /jobs"),
        ("Start before the sender does", "ipc mq recv -f --retry 1m /jobs"),
    ];
    const STATUSES: Statuses = Statuses::OfCommandIfAny;
    const JSON: &'static [Json] = &[Json::lines::<Message>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let selection = self.choice.selection(&self.name).about(&self.name)?;
        self.execution.refuse_options_without()?;
        if self.until_eof && !self.follow {
            let failure = Failure::new(Exit::Usage, "--until-eof is for --follow");
            return Err(failure.hint("'ipc mq recv -f --until-eof' ends at the marker").into());
        }
        if self.truncate.is_some() && matches!(self.name, QueueName::Posix(_)) {
            return Err(explain(Error::Whole)).about(&self.name);
        }
        let prepared =
            self.missing.prepare(&self.name, &self.waiting, &context.output).about(&self.name);
        if self.execution.is_wanted() {
            if let Err(error) = prepared {
                return self.execution.fail(error, context);
            }
            let count = self.count();
            if self.framing.is_given() {
                let reason = "--null and --frame are for messages that are printed, not for --exec";
                return Err(Failure::new(Exit::Usage, reason).into());
            }
            let Self { name, waiting, execution, truncate, until_eof, .. } = self;
            let end = if until_eof { End::Marker } else { End::Never };
            let task = Task { name, selection, count, waiting, truncate, end };
            return exec::run(task, execution, context);
        }
        prepared?;
        let opened = MessageQueue::open_to_receive(&self.name);
        let mut queue = opened.map_err(|error| unopened(error, &self.name)).about(&self.name)?;
        let longest = self.truncate.map(|truncation| truncation.apply(&mut queue)).transpose();
        let longest = longest.map_err(explain).about(&self.name)?;
        let printing = Printing {
            name: self.name.as_ref(),
            selection,
            count: self.count(),
            peek: self.peek,
            waiting: self.waiting,
            form: self.framing.form(),
            until_eof: self.until_eof,
            show_priority: self.show_priority,
            json: self.json,
            has_types: matches!(self.name, QueueName::SystemV(_)),
            longest,
        };
        printing.run(queue, context)
    }
}

impl Recv {
    /// The number of messages; `None` is as many as there are.
    fn count(&self) -> Option<u64> {
        match (self.all, self.follow) {
            (true, _) => None,
            (_, true) => Some(u64::MAX),
            _ => Some(self.count.unwrap_or(1)),
        }
    }
}

fn explain_peek(error: Error) -> Failure {
    match error {
        Error::Kernel(Errno(libc::E2BIG)) => {
            Failure::failed("it is longer than sysctl kernel.msgmax is now")
        }
        Error::Unavailable => {
            Failure::failed("this kernel cannot copy messages (CONFIG_CHECKPOINT_RESTORE)")
        }
        error => explain(error),
    }
}

/// Which messages to receive, and how to print them.
#[derive(Clone, Copy, Debug)]
pub struct Printing<'a> {
    /// The name of the queue.
    pub name: &'a OsStr,
    /// Which of its messages.
    pub selection: Selection,
    /// How many; `None` is as many as there are.
    pub count: Option<u64>,
    /// The index of the only message to print, which stays in the queue.
    pub peek: Option<u32>,
    /// How long to wait for each.
    pub waiting: Waiting,
    /// How they are separated.
    pub form: Form,
    /// Whether a marker of the end ends it.
    pub until_eof: bool,
    /// Whether each follows its priority.
    pub show_priority: bool,
    /// Whether each is a line of JSON.
    pub json: bool,
    /// Whether its priority is a type.
    pub has_types: bool,
    /// The length to which messages are cut.
    pub longest: Option<usize>,
}

impl Printing<'_> {
    /// Receives and prints the messages.
    pub fn run(self, queue: MessageQueue, context: &mut Context) -> anyhow::Result<Exit> {
        let (output, stdout) = (&mut context.output, context.stdout);
        let outbox = Outbox::new(self.form, stdout)?;
        let mut reception = Reception {
            queue,
            stdout,
            outbox,
            prefixed: Vec::new(),
            has_noted_wait: false,
            printing: self,
        };
        let received = match self.peek {
            Some(index) => reception.peek(output, index),
            None => reception.receive(output),
        };
        // Signals are still blocked, whatever happened.
        let written = reception.outbox.flush(output);
        reception.requeue(output);
        written?;
        received.map(|()| Exit::Done)
    }
}

/// Moves messages from a queue to stdout.
struct Reception<'a> {
    printing: Printing<'a>,
    queue: MessageQueue,
    stdout: BorrowedFd<'static>,
    outbox: Outbox,
    /// A message behind its priority.
    prefixed: Vec<u8>,
    /// Whether a note has said that the verb waits.
    has_noted_wait: bool,
}

impl Reception<'_> {
    fn receive(&mut self, output: &mut Output) -> anyhow::Result<()> {
        let count = self.printing.count;
        for received in 0..count.unwrap_or(u64::MAX) {
            self.queue.expect(match count {
                // Others may receive what comes later.
                Some(u64::MAX) => 1,
                count => count.unwrap_or(u64::MAX) - received,
            });
            let deadline = match count {
                Some(_) => self.printing.waiting.deadline(),
                None => Deadline::PASSED,
            };
            match self.next(output, deadline)? {
                Waited::Done(message) if self.is_end(message) => break,
                Waited::Done(message) => {
                    self.print(output, message, Some(message.priority))?;
                }
                Waited::TimedOut if count.is_none() => break,
                timed_out => {
                    self.printing.waiting.or_error(timed_out).about(self.printing.name)?;
                }
            }
        }
        Ok(())
    }

    /// Whether it is a marker of the end that ends this command.
    fn is_end(&self, message: Received) -> bool {
        self.printing.until_eof && is_marker(self.queue.message(message), message)
    }

    fn peek(&mut self, output: &mut Output, index: u32) -> anyhow::Result<()> {
        let found = self.queue.peek(index).map_err(explain_peek).about(self.printing.name)?;
        let nothing = || Failure::no(format!("no message at {index}"));
        let copied = found.ok_or_else(nothing).about(self.printing.name)?;
        self.print(output, copied, None)
    }

    /// Receives the next message. The messages before it are written before a wait.
    fn next(
        &mut self,
        output: &mut Output,
        deadline: Deadline,
    ) -> anyhow::Result<Waited<Received>> {
        loop {
            if !self.has_room(output)? && self.wait_for_room(deadline)? == Waited::TimedOut {
                return Ok(Waited::TimedOut);
            }
            let received = self.try_next(deadline).map_err(explain).about(self.printing.name)?;
            if let Some(received) = received {
                return Ok(Waited::Done(received));
            }
            if deadline == Deadline::PASSED {
                self.outbox.flush(output)?;
                return Ok(Waited::TimedOut);
            }
            if !std::mem::replace(&mut self.has_noted_wait, true) {
                report_wait(output, self.printing.name, "for a message");
            }
            let waited = self.outbox.wait(output, || {
                let sink = Some(self.stdout);
                self.queue
                    .wait_for(self.printing.selection, Until { sink, ..Until::from(deadline) })
            })?;
            if waited.map_err(explain).about(self.printing.name)? == Waited::TimedOut {
                return Ok(Waited::TimedOut);
            }
        }
    }

    fn has_room(&mut self, output: &mut Output) -> anyhow::Result<bool> {
        let framing = self.printing.form.overhead();
        self.queue.make_room().map_err(explain).about(self.printing.name)?;
        let longest = self.queue.room() + LONGEST_PREFIX + framing;
        // A message that is received when there is no memory for it is lost.
        output.reserve(longest)?;
        if self.printing.show_priority {
            heap::reserve(&mut self.prefixed, longest).about(self.printing.name)?;
        }
        // A message that cannot go back is written before the next one is received.
        Ok(self.outbox.has_room(output, self.queue.can_send().then_some(longest))?)
    }

    /// Waits for room to write the next message, if there is one to receive.
    fn wait_for_room(&mut self, deadline: Deadline) -> anyhow::Result<Waited> {
        let name = self.printing.name;
        // During the wait for room, other receivers may have the message that the wait for messages had
        // to receive. If it cannot go back, it is the next one here.
        let _ = self.queue.give_back(Deadline::PASSED);
        let takes_all = self.printing.count.is_none();
        if takes_all && self.queue.count(self.printing.selection).map_err(explain).about(name)? == 0
        {
            return Ok(Waited::TimedOut);
        }
        let deadline = if takes_all { Deadline::NEVER } else { deadline };
        Ok(self.outbox.wait_for_room(deadline)?)
    }

    fn try_next(&mut self, deadline: Deadline) -> Result<Option<Received>, Error> {
        if deadline == Deadline::PASSED {
            return self.queue.try_receive(self.printing.selection);
        }
        self.queue.receive(self.printing.selection)
    }

    /// Prints a message. One with a priority can go back.
    fn print(
        &mut self,
        output: &mut Output,
        message: Received,
        requeue: Option<i64>,
    ) -> anyhow::Result<()> {
        let (bytes, priority) = (self.queue.message(message), message.priority);
        if let Some(longest) = self.printing.longest.filter(|_| message.is_cut) {
            let name = escape(self.printing.name.as_encoded_bytes());
            output.warn(format_args!(
                "{name}: a message was longer than {longest} bytes; its end is lost"
            ));
        }
        let requeueable = |prefix| requeue.map(|priority| Requeueable { priority, prefix });
        if self.printing.json {
            let has_types = self.printing.has_types;
            let row = Message { bytes: bytes.to_vec(), priority, has_types };
            let line = listing::properties(&row);
            return self.outbox.write_json(output, &line, bytes, requeue);
        }
        if !self.printing.show_priority {
            return self.outbox.write(output, bytes, requeueable(0));
        }
        self.prefixed.clear();
        // A write to memory cannot fail.
        let _ = write!(self.prefixed, "{priority}\t");
        let prefix = self.prefixed.len();
        self.prefixed.extend_from_slice(bytes);
        self.outbox.write(output, &self.prefixed, requeueable(prefix))
    }

    /// Requeues the messages that stdout did not take.
    fn requeue(&mut self, output: &Output) {
        let unwritten = self.outbox.unwritten();
        if unwritten.is_empty() {
            return;
        }
        let name = self.printing.name;
        let mut lost = None;
        for Unwritten { bytes, priority } in &unwritten {
            let reason = match self.queue.send(bytes, *priority, Deadline::PASSED) {
                Ok(Waited::Done(())) => continue,
                Ok(Waited::TimedOut) => "the queue is full".into(),
                Err(error) => error.to_string(),
            };
            let (count, _) = lost.get_or_insert((0, reason));
            *count += 1;
        }
        if let Some((count, reason)) = lost {
            let name = escape(name.as_encoded_bytes());
            let what = if count == 1 { "message is" } else { "messages are" };
            output.warn(format_args!(
                "{name}: {count} {what} lost, which could not be printed, nor sent back: {reason}"
            ));
        }
    }
}

/// The length of the longest priority or type, and a tab.
const LONGEST_PREFIX: usize = "-9223372036854775808\t".len();

/// Wait until there is a message, and receive none
///
/// Another process may have received it when the command ends. In a System V queue a message without
/// any bytes that arrives during the wait can only be seen by receiving it. It goes back behind the
/// others, as soon as there is room.
#[derive(Debug, clap::Args, Plain)]
pub struct Wait {
    /// Name of the queue
    name: QueueName,
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    missing: Missing,
    #[command(flatten)]
    waiting: Waiting,
}

impl Action for Wait {
    const EXAMPLES: &'static [Example] =
        &[("Start a worker when there is work", "ipc mq wait /jobs && ./worker")];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let selection = self.choice.selection(&self.name).about(&self.name)?;
        self.missing.prepare(&self.name, &self.waiting, output).about(&self.name)?;
        let deadline = self.waiting.deadline();
        let opened = MessageQueue::open(&self.name, Access::Receive);
        let mut queue = opened.map_err(|error| unopened(error, &self.name)).about(&self.name)?;
        let tell = || report_wait(output, &self.name, "for a message");
        let waited = wait_verbosely(output, deadline, tell, |until| queue.wait(selection, until));
        let waited = waited.map_err(|error| match error {
            WaitError::Queue(error) => explain(error),
            WaitError::NoRoom | WaitError::NotPutBack(_) => Failure::failed(error.to_string()),
        });
        self.waiting.or_error(waited.about(&self.name)?).about(&self.name)?;
        Ok(Exit::Done)
    }
}

/// A message as a line of JSON.
#[derive(Debug)]
pub struct Message {
    bytes: Vec<u8>,
    priority: i64,
    has_types: bool,
}

impl Message {
    /// The number, if it is of this kind.
    fn number(&self, is_wanted: bool) -> Value {
        if is_wanted { self.priority.into() } else { Value::Inapplicable }
    }
}

impl Columns for Message {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("message", Type::Text, "The message"), |it| Value::text(&it.bytes)),
        Column::new(
            Key::new("priority", Type::Number, "Its priority").only("POSIX queues"),
            |it| it.number(!it.has_types),
        ),
        Column::new(Key::new("type", Type::Number, "Its type").only("System V queues"), |it| {
            it.number(it.has_types)
        }),
    ];
}
