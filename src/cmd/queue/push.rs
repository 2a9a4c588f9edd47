//! `ipc queue push`.

use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::{add_sent, not_there, report_wait, wait_verbosely};
use crate::app::options::{Framing, Waiting};
use crate::app::trust::Trust;
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::units::{Permissions, Size};
use crate::io::frame::{Length, ReadError, Reader, refuse_longer};
use crate::io::output::Output;
use crate::mechanism::queue::named::RingName;
use crate::mechanism::queue::ring::{Error, Outcome, Ring, size_of_record};
use crate::sys::pipe;

use super::create::create;
use super::{CREATE, attach, closed, explain, look_up};

/// Put messages into a queue
///
/// Each operand is a message or, without any, each record of standard input: a line by default. The
/// messages are put in order, and each waits until the queue has room for it; the timeout counts
/// anew for each wait. Records that are in the pipe already are put together; a record that comes
/// alone is put at once.
///
/// A message that can never fit is refused at once, and the error names the capacity that would do.
/// All operands are checked first: if one is too long, none is put. The status is 3 if the queue is
/// closed.
///
/// If the process is killed, it has put each message completely or not at all. A process that is
/// stopped while it has the lock blocks other producers; --timeout limits their wait.
#[derive(Debug, clap::Args, Plain)]
pub struct Push {
    /// Name of the queue
    name: RingName,
    /// Messages; records of standard input if there are none
    messages: Vec<OsString>,
    /// Create the queue if there is none
    #[arg(long, requires = "capacity")]
    create: bool,
    /// Bytes of the ring that is created
    #[arg(long, value_name = "SIZE", value_parser = Size::positive, requires = "create")]
    capacity: Option<Size>,
    #[command(flatten)]
    trust: Trust,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    framing: Framing,
}

impl Action for Push {
    const EXAMPLES: &'static [Example] = &[
        ("Put two messages", "ipc queue push /jobs one two"),
        ("Put each line of a file", "ipc queue push --create --capacity 1M /jobs <jobs.txt"),
        ("Put the names of files, whatever is in them", "find . -print0 | ipc queue push -0 /jobs"),
        ("Put a file as one message", "ipc queue push --frame whole /jobs <job.bin"),
    ];

    fn run(mut self, context: &mut Context) -> anyhow::Result<Exit> {
        let operands = std::mem::take(&mut self.messages);
        let mut pushed = 0;
        let result = self.push_all(&operands, &mut pushed, context);
        result.map_err(|failure| add_sent(failure, pushed)).about(&self.name)?;
        Ok(Exit::Done)
    }
}

impl Push {
    fn push_all(
        &self,
        operands: &[OsString],
        pushed: &mut u64,
        context: &Context,
    ) -> Result<(), Failure> {
        look_up(&self.name, &self.waiting)?;
        let ring = self.open(operands)?;
        if operands.is_empty() {
            return self.push_records(&ring, context.stdin, pushed, &context.output);
        }
        refuse_longer(operands, limit(ring.most())).map_err(unpushable)?;
        let rest = |count: usize| operands[count..].iter().map(|word| word.as_bytes());
        self.push_block(&ring, operands.len(), rest, pushed, &context.output)
    }

    fn push_records(
        &self,
        ring: &Ring,
        stdin: BorrowedFd<'_>,
        pushed: &mut u64,
        output: &Output,
    ) -> Result<(), Failure> {
        let mut reader = Reader::new(stdin, self.framing.form(), limit(ring.most()));
        let mut bytes = 0;
        while let Some(block) = reader.next_block().map_err(unpushable)? {
            if bytes < pipe::CAPACITY_AT_FIRST {
                bytes += block.bytes() as u64;
                if bytes >= pipe::CAPACITY_AT_FIRST {
                    pipe::enlarge(stdin);
                }
            }
            self.push_block(ring, block.len(), |count| block.after(count), pushed, output)?;
        }
        Ok(())
    }

    /// Puts messages in as few commits as the room permits; `rest` yields the messages after the
    /// first.
    fn push_block<'m, I: Iterator<Item = &'m [u8]> + Clone>(
        &self,
        ring: &Ring,
        count: usize,
        rest: impl Fn(usize) -> I,
        pushed: &mut u64,
        output: &Output,
    ) -> Result<(), Failure> {
        let mut done = 0;
        while done < count {
            let tell = || report_wait(output, &self.name, "for room: the queue is full");
            let push = |until| push(ring, rest(done), until);
            let waited = wait_verbosely(output, self.waiting.deadline(), tell, push);
            let waited = waited.map_err(|error| explain(error, &self.name))?;
            let some = self.waiting.or_error(waited)?.ok_or_else(closed)?;
            done += some;
            *pushed += some as u64;
        }
        Ok(())
    }

    /// Opens the queue, or creates one that can hold these messages.
    fn open(&self, operands: &[OsString]) -> Result<Ring, Failure> {
        let Some(Size(bytes)) = self.capacity.filter(|_| self.create) else {
            let open = self.name.open().map_err(|error| explain(error, &self.name));
            let open = open.map_err(|failure| not_there(failure, &self.name, CREATE))?;
            return attach(&self.name, open.file);
        };
        loop {
            match self.open_accepted() {
                Err(failure) if failure.exit() == Exit::NotFound => {}
                opened => return opened,
            }
            let most = Ring::capacity_for(bytes).map_or(u64::MAX, |all| all - size_of_record(0));
            refuse_longer(operands, limit(most)).map_err(unpushable)?;
            match create(&self.name, Permissions::of_new_object(None), bytes) {
                // Another process created it first.
                Err(failure) if failure.exit() == Exit::InUse => {}
                created => return created,
            }
        }
    }

    fn open_accepted(&self) -> Result<Ring, Failure> {
        let open = self.name.open().map_err(|error| explain(error, &self.name))?;
        self.trust.accept(&self.name.found(&open)?, None)?;
        attach(&self.name, open.file)
    }
}

/// Pushes some of the messages; `None` if the queue is closed.
fn push<'m>(
    ring: &Ring,
    messages: impl Iterator<Item = &'m [u8]> + Clone,
    deadline: Deadline,
) -> Result<Waited<Option<usize>>, Error> {
    Ok(match ring.push_batch(messages, deadline)? {
        Outcome::Done(count) => Waited::Done(Some(count)),
        Outcome::Closed => Waited::Done(None),
        Outcome::TimedOut => Waited::TimedOut,
    })
}

fn limit(most: u64) -> usize {
    usize::try_from(most).unwrap_or(usize::MAX)
}

/// The failure to read the next message.
fn unpushable(error: ReadError) -> Failure {
    match error {
        ReadError::TooLong { length, limit } => too_long(length, limit),
        ReadError::Kernel(errno) => Failure::new(errno.into(), format!("standard input: {errno}")),
        ReadError::CutShort | ReadError::NotANetstring => Failure::failed(error.to_string()),
    }
}

fn too_long(length: Length, limit: usize) -> Failure {
    let reason = format!("message of {length} is longer than the queue allows ({limit})");
    let capacity = match length {
        Length::Exactly(bytes) if bytes <= u32::MAX.into() => {
            Ring::capacity_for(size_of_record(bytes))
        }
        _ => None,
    };
    match capacity {
        Some(capacity) => {
            Failure::failed(reason).hint(format!("create the queue with --capacity {capacity}"))
        }
        None => Failure::failed(reason),
    }
}
