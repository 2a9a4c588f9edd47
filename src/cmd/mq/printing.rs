//! Messages of a queue on stdout: `ipc mq recv`, of this machine and of a server.

use std::ffi::OsStr;
use std::io::Write;
use std::os::fd::BorrowedFd;

use crate::app::context::Context;
use crate::app::listing::{self, Column, Columns};
use crate::app::objects::report_wait;
use crate::app::options::Waiting;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::frame::Form;
use crate::io::outbox::{Outbox, Requeueable, Unwritten};
use crate::io::output::{Key, Output, Type, Value, escape};
use crate::mechanism::queue::marker::is_marker;
use crate::mechanism::queue::{Error, MessageQueue, Received, Selection, Until};
use crate::sys::heap;

use super::explain;

/// The length of the longest priority or type, and a tab.
const LONGEST_PREFIX: usize = "-9223372036854775808\t".len();

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
