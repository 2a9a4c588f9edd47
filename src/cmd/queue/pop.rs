//! `ipc queue pop`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example, Statuses};
use crate::app::context::Context;
use crate::app::listing::{self, Json};
use crate::app::objects::report_wait;
use crate::app::options::{Framing, Waiting};
use crate::app::worker::Execution;
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::units::{Size, Timeout};
use crate::io::outbox::{Gathering, Outbox, Unwritten};
use crate::io::output::{Output, escape};
use crate::mechanism::queue::named::RingName;
use crate::mechanism::queue::ring::{Enclose, Outcome, Ring};

use super::exec::{self, Task};
use super::message::Message;
use super::{explain, look_up, open_until};

/// Take messages from a queue and print them
///
/// One message by default, in the order in which they were put. The timeout counts anew for each
/// wait; --all waits for room on standard output alone. When the queue is closed and empty,
/// --follow and --all end with status 0, and a 'pop' that wanted another message with 1.
///
/// A message is delivered at most once. It is not taken before standard output has room for it, and
/// signals that end the command wait until it is written. A message that standard output does not
/// take after all goes back to the end of the queue, if the queue has room and is not closed. If
/// KILL ends the command, the messages that it had taken and not written are lost: up to --batch
/// bytes, or one message. A reader that ends loses what is in its pipe: 64K at most, or up to 1M in a
/// long stream without --batch, which enlarges the pipe. With --exec none is lost.
///
/// With --exec each message is the standard input of a COMMAND instead, and leaves the queue when
/// COMMAND has succeeded: it is delivered at least once. COMMAND inherits the claim of its message;
/// if the worker is killed, the message is delivered again when COMMAND and its children have ended
/// too. IPC_ATTEMPT is the number of deliveries, those of other workers included, and
/// IPC_QUEUE_POSITION is a number that no other message has. A message whose COMMAND failed stays in the queue and is
/// delivered again after the delay, perhaps behind newer ones. The queue cannot reuse the space of
/// newer messages before the oldest claimed one is done.
///
/// A process that is stopped while it has the lock blocks other consumers; --timeout limits their
/// wait.
#[derive(Debug, clap::Args, Plain)]
pub struct Pop {
    /// Name of the queue
    name: RingName,
    /// How many messages
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// All messages that are in the queue; it may be empty
    #[arg(long, conflicts_with_all = ["count", "timeout", "nonblock"])]
    all: bool,
    /// Continue until a signal or until it is closed
    #[arg(short, long, conflicts_with_all = ["count", "all"])]
    follow: bool,
    /// Retry for this long while the queue does not exist
    #[arg(long, value_name = "DURATION")]
    retry: Option<Timeout>,
    /// Take no more than this at once, or one message; 64K if not given
    #[arg(long, value_name = "SIZE", hide_short_help = true, conflicts_with = "exec")]
    batch: Option<Size>,
    /// Print each message as a line of JSON
    #[arg(short, long, conflicts_with = "exec")]
    json: bool,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    framing: Framing,
    #[command(flatten)]
    execution: Execution,
}

/// The default of --batch: the capacity of a pipe.
const BATCH: usize = 64 << 10;

impl Action for Pop {
    const EXAMPLES: &'static [Example] = &[
        ("Take a message, waiting for it", "job=$(ipc queue pop /jobs)"),
        ("Take all that are there", "ipc queue pop --all /jobs"),
        ("Print messages as they come", "ipc queue pop -f --retry 10s /jobs >>log"),
        ("Run four COMMANDs at a time", "ipc queue pop -f --exec --jobs 4 /jobs -- ./worker"),
    ];
    const STATUSES: Statuses = Statuses::OfCommandIfAny;
    const JSON: &'static [Json] = &[Json::lines::<Message>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        self.execution.refuse_options_without()?;
        look_up(&self.name, &self.waiting).about(&self.name)?;
        if self.execution.is_wanted() {
            return self.execute(context);
        }
        let output = &mut context.output;
        let ring = open_until(&self.name, self.retry, &self.waiting, output)?;
        let mut outbox = Outbox::new(self.framing.form(), context.stdout)?;
        if self.batch.is_none() {
            outbox.enlarge_for_many();
        }
        let mut reception =
            Reception { pop: &self, ring, outbox, message: Vec::new(), has_waited: false };
        let received = reception.receive(output);
        // Signals stay blocked, even after an error.
        let written = reception.outbox.flush(output);
        reception.put_back(output);
        written?;
        received.map(|()| Exit::Done)
    }
}

impl Pop {
    // Its frame would double the stack that a 'pop' without a COMMAND touches.
    #[inline(never)]
    fn execute(self, context: &mut Context) -> anyhow::Result<Exit> {
        if self.framing.is_given() {
            let reason = "--null and --frame are for messages that are printed, not for --exec";
            return Err(Failure::new(Exit::Usage, reason).into());
        }
        let count = self.count();
        let ends_when_closed = self.all || self.follow;
        let Self { name, retry, waiting, execution, .. } = self;
        exec::run(Task { name, count, ends_when_closed, retry, waiting }, execution, context)
    }

    /// The number of messages; `None` is all that are available.
    fn count(&self) -> Option<u64> {
        match (self.all, self.follow) {
            (true, _) => None,
            (_, true) => Some(u64::MAX),
            _ => Some(self.count.unwrap_or(1)),
        }
    }

    /// The maximum number of bytes to dequeue at a time.
    fn batch(&self) -> usize {
        self.batch.map_or(BATCH, |Size(bytes)| bytes.min(BATCH as u64) as usize)
    }
}

/// Dequeues messages and writes them to stdout.
struct Reception<'a> {
    pop: &'a Pop,
    ring: Ring,
    outbox: Outbox,
    /// The message to convert to JSON.
    message: Vec<u8>,
    has_waited: bool,
}

impl Enclose for Gathering<'_> {
    #[inline]
    fn before(&mut self, length: usize, into: &mut Vec<u8>) {
        self.begin(length, into);
    }

    #[inline]
    fn after(&mut self, into: &mut Vec<u8>) {
        self.end(into);
    }

    #[inline]
    fn is_full(&self) -> bool {
        Gathering::is_full(self)
    }
}

impl Reception<'_> {
    fn receive(&mut self, output: &mut Output) -> anyhow::Result<()> {
        let (count, waiting) = (self.pop.count(), &self.pop.waiting);
        let mut left = count.unwrap_or(u64::MAX);
        while left > 0 {
            let deadline = count.map_or(Deadline::PASSED, |_| waiting.deadline());
            match self.next(output, left, deadline)? {
                Outcome::Done(taken) => left -= taken as u64,
                Outcome::TimedOut if count.is_none() => break,
                Outcome::Closed if self.pop.all || self.pop.follow => break,
                Outcome::Closed => {
                    return Err(Failure::no("the queue is closed and empty")).about(&self.pop.name);
                }
                Outcome::TimedOut => {
                    waiting.or_error(Waited::<()>::TimedOut).about(&self.pop.name)?;
                }
            }
        }
        Ok(())
    }

    /// Dequeues at most `most` messages, and writes them.
    fn next(
        &mut self,
        output: &mut Output,
        most: u64,
        deadline: Deadline,
    ) -> anyhow::Result<Outcome<usize>> {
        loop {
            if self.wait_for_room(output, deadline)? == Waited::TimedOut {
                return Ok(Outcome::TimedOut);
            }
            let taken =
                if self.pop.json { self.take_one(output)? } else { self.take(output, most)? };
            if taken != Outcome::TimedOut {
                return Ok(taken);
            }
            if deadline == Deadline::PASSED {
                return Ok(Outcome::TimedOut);
            }
            if !std::mem::replace(&mut self.has_waited, true) {
                report_wait(output, &self.pop.name, "for a message");
            }
            match self.wait(output, deadline)? {
                Outcome::Done(()) => {}
                Outcome::Closed => return Ok(Outcome::Closed),
                Outcome::TimedOut => {
                    // The reader of stdout may have closed it.
                    self.outbox.has_room(output, None)?;
                    if deadline.has_passed() {
                        return Ok(Outcome::TimedOut);
                    }
                }
            }
        }
    }

    /// Waits for room to write the next message, if the queue has one.
    fn wait_for_room(&mut self, output: &mut Output, deadline: Deadline) -> anyhow::Result<Waited> {
        if self.outbox.has_room(output, None)? {
            return Ok(Waited::Done(()));
        }
        if self.pop.count().is_some() {
            return Ok(self.outbox.wait_for_room(deadline)?);
        }
        match self.ring.wait_for_message(|| false, Deadline::PASSED) {
            Ok(Outcome::Done(())) => Ok(self.outbox.wait_for_room(Deadline::NEVER)?),
            Ok(Outcome::TimedOut | Outcome::Closed) => Ok(Waited::TimedOut),
            Err(error) => Err(explain(error, &self.pop.name)).about(&self.pop.name),
        }
    }

    /// Dequeues and writes available messages, as many as stdout has room for.
    fn take(&mut self, output: &mut Output, most: u64) -> anyhow::Result<Outcome<usize>> {
        let Self { pop, ring, outbox, .. } = self;
        let longest = pop.framing.form().overhead();
        let limit = outbox.room().min(pop.batch()).saturating_sub(longest);
        let taken = outbox.gather_batch(output, |pending, gathering| {
            gathering.at_most(most);
            ring.pop_batch(limit, gathering, pending, Deadline::PASSED)
        });
        let taken = taken.map_err(|error| explain(error, &pop.name)).about(&pop.name)?;
        if let Outcome::Done(_) = taken {
            outbox.flush(output)?;
        }
        Ok(taken)
    }

    /// Dequeues a message and prints it as JSON.
    fn take_one(&mut self, output: &mut Output) -> anyhow::Result<Outcome<usize>> {
        let Self { pop, ring, outbox, message, .. } = self;
        message.clear();
        let taken = ring.pop(message, Deadline::PASSED);
        let taken = taken.map_err(|error| explain(error, &pop.name)).about(&pop.name)?;
        if let Outcome::Done(()) = taken {
            let row = Message(message.clone());
            outbox.write_json(output, &listing::properties(&row), message, Some(0))?;
        }
        Ok(taken.map(|()| 1))
    }

    /// Waits for a message; signals end the command meanwhile.
    fn wait(&mut self, output: &mut Output, deadline: Deadline) -> anyhow::Result<Outcome> {
        let Self { pop, ring, outbox, .. } = self;
        // It checks at least once a second, because the reader of stdout may have closed it.
        let mut looks = 0;
        let has_slept = || {
            looks += 1;
            looks > 1
        };
        let waited = outbox.wait(output, || ring.wait_for_message(has_slept, deadline))?;
        waited.map_err(|error| explain(error, &pop.name)).about(&pop.name)
    }

    /// Requeues the messages that stdout did not take.
    fn put_back(&mut self, output: &Output) {
        let mut lost = None;
        for Unwritten { bytes, .. } in &self.outbox.unwritten() {
            let reason = match self.ring.push(bytes, Deadline::PASSED) {
                Ok(Outcome::Done(())) => continue,
                Ok(Outcome::TimedOut) => "the queue is full".to_owned(),
                Ok(Outcome::Closed) => "the queue is closed".to_owned(),
                Err(error) => error.to_string(),
            };
            let (count, _) = lost.get_or_insert((0, reason));
            *count += 1;
        }
        if let Some((count, reason)) = lost {
            let name = escape(self.pop.name.as_ref().as_encoded_bytes());
            let what = if count == 1 { "message is" } else { "messages are" };
            output.warn(format_args!(
                "{name}: {count} {what} lost, which could not be printed, nor put back: {reason}"
            ));
        }
    }
}
