//! `ipc mq recv` and `wait`.

use std::io::Write;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example, Statuses};
use crate::app::context::Context;
use crate::app::objects::{tell_wait, wait_aloud};
use crate::app::options::Framing;
use crate::app::options::Waiting;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::outbox::{Origin, Outbox, Returned};
use crate::io::output::{Output, Record, escape};
use crate::mechanism::queue::{MessageQueue, QueueName, Taken, WaitError};
use crate::sys::heap;
use crate::sys::mqueue::Access;
use crate::sys::stdio::Stream;
use crate::sys::system_v_queue::Selection;

use super::exec::{self, Task};
use super::{explain, not_for_this_kind, not_sent_back, unopened};
use crate::app::worker::Execution;

/// Take messages from a queue and print them
///
/// One message, unless told otherwise. A POSIX queue gives the oldest of the highest priority, a
/// System V queue the oldest, or that which the options choose. The timeout counts anew for each
/// message, with the wait for room on standard output; --all waits for that alone.
///
/// What is taken is gone from the queue. So signals that would end us wait until it is written, and
/// nothing is taken while standard output has no room for it, or no reader. What standard output
/// does not take after all, because it is full or its reader has just left, goes back to the queue,
/// behind the messages of its priority: whole, even if its beginning was printed. So does what a
/// signal finds waiting halfway for the reader of a pipe, as a message of more than 4096 bytes may.
///
/// What can be lost: by KILL, the messages of the write under way, of 32 KiB at most or one; by a
/// reader that leaves, what it has not read of a pipe; by an output that fails, what finds no room in
/// the queue any more, or may not be sent to it, which is told. Of a System V queue also a message
/// without any bytes, by a signal in the very moment in which it comes.
///
/// With --exec each message is the standard input of a COMMAND instead. A signal is passed on to
/// the COMMANDs, and ends us after them, and after what goes back has gone; a second one does not
/// wait for a queue that is full. USR1 and USR2 only end us while no COMMAND runs. The status is that
/// of the first COMMAND that fails; the others are run all the same. The message of one that cannot
/// be started goes back, if you may send to the queue, and with --requeue so does that of one that
/// fails: behind those of its priority, and as soon as the queue has room. With --requeue, --all takes
/// as many messages as there are at first.
#[derive(Debug, clap::Args, Plain)]
pub struct Recv {
    /// Name of the queue
    name: QueueName,
    /// How many messages
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// All messages that are there; none is success as well
    #[arg(long, conflicts_with_all = ["count", "timeout", "nonblock"])]
    all: bool,
    /// Go on until a signal
    #[arg(short, long, conflicts_with_all = ["count", "all"])]
    follow: bool,
    /// Print a copy of the message at this place of a System V queue, the oldest being 0
    #[arg(long, value_name = "INDEX", conflicts_with_all = ["count", "all", "follow", "kind", "except", "timeout", "nonblock", "exec"])]
    peek: Option<u32>,
    /// Print the priority, or the type, and a tab in front of each message
    #[arg(long, conflicts_with = "exec")]
    show_priority: bool,
    /// Print each message as a line of JSON, with its priority or its type
    #[arg(short, long, conflicts_with_all = ["show_priority", "exec"])]
    json: bool,
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    framing: Framing,
    #[command(flatten)]
    execution: Execution,
}

/// Which messages of a System V queue.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
struct Choice {
    /// The first message of this System V type; -N is the lowest type up to N
    #[arg(
        long = "type",
        value_name = "N",
        allow_negative_numbers = true,
        conflicts_with = "except"
    )]
    kind: Option<i64>,
    /// The first message of any other System V type
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    except: Option<i64>,
}

impl Choice {
    /// The choice, for a queue that can make it.
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
        ("Take a message, waiting for it", "job=$(ipc mq recv /jobs)"),
        ("Take all that are there", "ipc mq recv --all /jobs"),
        ("Log messages as they come", "ipc mq recv -f --show-priority /jobs >>log"),
        (
            "Work off a queue, four at a time",
            "ipc mq recv -f --exec --jobs 4 --requeue /jobs -- ./worker",
        ),
        ("Take what is of type 7", "ipc mq recv --type 7 sysv:0x2a"),
    ];
    const STATUSES: Statuses = Statuses::OfCommandIfAny;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let selection = self.choice.selection(&self.name).about(&self.name)?;
        self.execution.refuse_options_without()?;
        if self.execution.is_wanted() {
            let count = self.count();
            if self.framing.is_given() {
                let reason = "--null and --frame are for messages that are printed, not for --exec";
                return Err(Failure::new(Exit::Usage, reason).into());
            }
            let Self { name, waiting, execution, .. } = self;
            return exec::run(Task { name, selection, count, waiting }, execution, context);
        }
        let output = &mut context.output;
        let opened = MessageQueue::open_to_receive(&self.name);
        let mailbox = opened.map_err(|errno| unopened(errno, &self.name)).about(&self.name)?;
        let delivery = Outbox::new(self.framing.form())?;
        let mut reception = Reception {
            mailbox,
            selection,
            delivery,
            prefixed: Vec::new(),
            has_told: false,
            recv: &self,
        };
        let received = match self.peek {
            Some(index) => reception.peek(output, index),
            None => reception.receive(output),
        };
        // While signals still wait, whatever happened.
        let written = reception.delivery.flush(output);
        reception.put_back(output);
        written?;
        received.map(|()| Exit::Done)
    }
}

impl Recv {
    /// How many messages; `None` is as many as are there.
    fn count(&self) -> Option<u64> {
        match (self.all, self.follow) {
            (true, _) => None,
            (_, true) => Some(u64::MAX),
            _ => Some(self.count.unwrap_or(1)),
        }
    }
}

fn explain_peek(errno: Errno) -> Failure {
    match errno {
        Errno(libc::EOPNOTSUPP) => {
            not_for_this_kind("a message of a POSIX queue cannot be seen without taking it")
        }
        Errno(libc::E2BIG) => Failure::failed("it is longer than sysctl kernel.msgmax is now"),
        Errno(libc::ENOSYS) => {
            Failure::failed("this kernel cannot copy messages (CONFIG_CHECKPOINT_RESTORE)")
        }
        errno => explain(errno),
    }
}

/// Messages on their way from a queue to stdout.
struct Reception<'a> {
    recv: &'a Recv,
    mailbox: MessageQueue,
    selection: Selection,
    delivery: Outbox,
    /// A message with its priority in front.
    prefixed: Vec<u8>,
    /// Whether it was said that we wait.
    has_told: bool,
}

impl Reception<'_> {
    fn receive(&mut self, output: &mut Output) -> anyhow::Result<()> {
        let count = self.recv.count();
        for _ in 0..count.unwrap_or(u64::MAX) {
            let deadline = match count {
                Some(_) => self.recv.waiting.deadline(),
                None => Deadline::PASSED,
            };
            match self.next(output, deadline)? {
                Waited::Done(taken) => self.deliver(output, taken, Some(taken.priority))?,
                Waited::TimedOut if count.is_none() => break,
                timed_out => {
                    self.recv.waiting.or_error(timed_out).about(&self.recv.name)?;
                }
            }
        }
        Ok(())
    }

    fn peek(&mut self, output: &mut Output, index: u32) -> anyhow::Result<()> {
        let found = self.mailbox.peek(index).map_err(explain_peek).about(&self.recv.name)?;
        let nothing = || Failure::no(format!("no message at {index}"));
        let copied = found.ok_or_else(nothing).about(&self.recv.name)?;
        self.deliver(output, copied, None)
    }

    /// Takes the next message. What was taken before is written before it waits.
    fn next(&mut self, output: &mut Output, deadline: Deadline) -> anyhow::Result<Waited<Taken>> {
        loop {
            if !self.has_room(output)? && self.wait_for_room(deadline)? == Waited::TimedOut {
                return Ok(Waited::TimedOut);
            }
            let taken = self.take(deadline).map_err(explain).about(&self.recv.name)?;
            if let Some(taken) = taken {
                return Ok(Waited::Done(taken));
            }
            if deadline == Deadline::PASSED {
                self.delivery.flush(output)?;
                return Ok(Waited::TimedOut);
            }
            if !std::mem::replace(&mut self.has_told, true) {
                tell_wait(output, &self.recv.name, "for a message");
            }
            let waited = self.delivery.wait(output, || {
                self.mailbox.wait_for(self.selection, Some(Stream::Output.fd()), deadline)
            })?;
            if waited.map_err(explain).about(&self.recv.name)? == Waited::TimedOut {
                return Ok(Waited::TimedOut);
            }
        }
    }

    fn has_room(&mut self, output: &mut Output) -> anyhow::Result<bool> {
        let framing = self.recv.framing.form().overhead();
        self.mailbox.make_room().map_err(explain).about(&self.recv.name)?;
        let longest = self.mailbox.room() + LONGEST_PREFIX + framing;
        // A message that is taken when there is no memory for it is lost.
        output.reserve(longest)?;
        if self.recv.show_priority {
            heap::reserve(&mut self.prefixed, longest).about(&self.recv.name)?;
        }
        // What cannot go back is written before more is taken.
        Ok(self.delivery.has_room(output, self.mailbox.can_send().then_some(longest))?)
    }

    /// Waits for room to write what is taken next, if there is anything to take.
    fn wait_for_room(&mut self, deadline: Deadline) -> anyhow::Result<Waited> {
        let name = &self.recv.name;
        // While we wait for room, others may have what the wait for messages had to take. Where it
        // cannot go back it stays with us.
        let _ = self.mailbox.give_back(Deadline::PASSED);
        let takes_what_is_there = self.recv.count().is_none();
        if takes_what_is_there
            && self.mailbox.messages_of(self.selection).map_err(explain).about(name)? == 0
        {
            return Ok(Waited::TimedOut);
        }
        let deadline = if takes_what_is_there { Deadline::NEVER } else { deadline };
        Ok(self.delivery.wait_for_room(deadline)?)
    }

    fn take(&mut self, deadline: Deadline) -> Result<Option<Taken>, Errno> {
        if deadline == Deadline::PASSED {
            return self.mailbox.try_receive(self.selection);
        }
        self.mailbox.receive(self.selection)
    }

    /// Prints a message. One that was taken can go back with its priority.
    fn deliver(
        &mut self,
        output: &mut Output,
        message: Taken,
        goes_back: Option<i64>,
    ) -> anyhow::Result<()> {
        let (bytes, priority) = (self.mailbox.message(message), message.priority);
        let origin = |prefix| goes_back.map(|priority| Origin { priority, prefix });
        if self.recv.json {
            let number = match self.recv.name {
                QueueName::Posix(_) => "priority",
                QueueName::SystemV(_) => "type",
            };
            let record = Record::new().bytes("message", bytes).number(number, priority);
            return self.delivery.write_json(output, &record, bytes, goes_back);
        }
        if !self.recv.show_priority {
            return self.delivery.write(output, bytes, origin(0));
        }
        self.prefixed.clear();
        // Memory takes everything.
        let _ = write!(self.prefixed, "{priority}\t");
        let prefix = self.prefixed.len();
        self.prefixed.extend_from_slice(bytes);
        self.delivery.write(output, &self.prefixed, origin(prefix))
    }

    /// Sends back what stdout did not take.
    fn put_back(&mut self, output: &Output) {
        let unwritten = self.delivery.unwritten();
        if unwritten.is_empty() {
            return;
        }
        let name = &self.recv.name;
        let mut lost = None;
        for Returned { bytes, priority } in &unwritten {
            let reason = match self.mailbox.send(bytes, *priority, Deadline::PASSED) {
                Ok(Waited::Done(())) => continue,
                Ok(Waited::TimedOut) => "the queue is full".into(),
                Err(errno) => not_sent_back(errno),
            };
            let (count, _) = lost.get_or_insert((0, reason));
            *count += 1;
        }
        if let Some((count, reason)) = lost {
            let name = escape(name.as_ref().as_encoded_bytes());
            let what = if count == 1 { "message is" } else { "messages are" };
            output.warn(format_args!(
                "{name}: {count} {what} lost, which could not be printed, nor sent back: {reason}"
            ));
        }
    }
}

/// The most bytes of a priority or a type, and a tab.
const LONGEST_PREFIX: usize = "-9223372036854775808\t".len();

/// Wait until a message is in a queue, and take none
///
/// Somebody else may have taken it when the command ends. At a System V queue a message without any
/// bytes that comes while we wait can only be seen by taking it, and goes back behind the others, as
/// soon as there is room.
#[derive(Debug, clap::Args, Plain)]
pub struct Wait {
    /// Name of the queue
    name: QueueName,
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    waiting: Waiting,
}

impl Action for Wait {
    const EXAMPLES: &'static [Example] =
        &[("Start a worker when there is work", "ipc mq wait /jobs && ./worker")];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let deadline = self.waiting.deadline();
        let selection = self.choice.selection(&self.name).about(&self.name)?;
        let opened = MessageQueue::open(&self.name, Access::Receive);
        let mut mailbox = opened.map_err(|errno| unopened(errno, &self.name)).about(&self.name)?;
        let tell = || tell_wait(output, &self.name, "for a message");
        let waited = wait_aloud(output, deadline, tell, |until| mailbox.wait(selection, until));
        let waited = waited.map_err(|error| match error {
            WaitError::Kernel(errno) => explain(errno),
            WaitError::NoRoom | WaitError::NotPutBack(_) => Failure::failed(error.to_string()),
        });
        self.waiting.or_error(waited.about(&self.name)?).about(&self.name)?;
        Ok(Exit::Done)
    }
}
