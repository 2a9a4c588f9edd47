//! `ipc fifo write`.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt::Display;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::{not_there, report_wait, stdin_failed, wait_verbosely};
use crate::app::options::{Framing, Reporting, Waiting};
use crate::app::trust::{Accepted, Trust};
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Failure, Subject, about};
use crate::base::units::Permissions;
use crate::io::frame::{Form, Messages, ReadError, first_longer};
use crate::io::output::{Output, escape};
use crate::io::progress::{Flow, Progress};
use crate::io::transfer::{Counter, Side, Transfer};
use crate::mechanism::fifo::locked::{LockedWriter, Written};
use crate::mechanism::fifo::{self, Error, LONGEST_RECORD, Writer};
use crate::run::watchdog::look_up;
use crate::sys::offset::remaining;
use crate::sys::origin::Found;

use super::{create, explain};

/// Write stdin or messages into a FIFO
///
/// The command waits for a reader, and then whenever the FIFO is full. --timeout limits each of
/// these waits. It does not limit waits for stdin, so that a slow producer is no error. Each message
/// is written as a line.
///
/// With --records each record is written in one piece, so that the records of several writers are
/// never mixed. A piece has at most 4096 bytes, including the newline or another framing. A longer
/// record is an error that names its number, and nothing of it is written.
///
/// With --lock records of any length stay whole, among writers that all use --lock: each record is
/// written under a lock of the FIFO, see flock(2). If a writer is killed within a record of more than
/// 4096 bytes, the next writer reports that, and ends the record before it writes its own. Only the
/// owner of the FIFO and root can leave a mark for that. The writer of another user has a second
/// process instead, which reports and ends the record at once; if that is killed too, no process does.
///
/// Bytes of a file on stdin are passed on without a copy: if the file changes before the reader has
/// read them, the reader may see the change. A pipe from 'cat' prevents that.
#[derive(Debug, clap::Args, Plain)]
pub struct Write {
    /// Path of the FIFO
    path: PathBuf,
    /// Messages to write, instead of stdin
    #[arg(value_name = "MESSAGE")]
    messages: Vec<OsString>,
    /// Write each record of stdin in one piece
    #[arg(long)]
    records: bool,
    /// Write each record whole, of any length, under a lock
    #[arg(long)]
    lock: bool,
    #[command(flatten)]
    framing: Framing,
    /// Create the FIFO if it does not exist
    #[arg(long)]
    create: bool,
    /// Permissions of a FIFO that is created; default 0600
    #[arg(short, long, requires = "create")]
    mode: Option<Permissions>,
    #[command(flatten)]
    trust: Trust,
    #[command(flatten)]
    reporting: Reporting,
    #[command(flatten)]
    waiting: Waiting,
}

impl Action for Write {
    const EXAMPLES: &'static [Example] = &[
        ("Send a file", "ipc fifo write ./jobs < job.txt"),
        ("Send a line if there is a reader", "ipc fifo write -n ./log 'backup done'"),
        ("Log from several scripts at once", "./backup | ipc fifo write --records ./log"),
        ("The same with lines of any length", "./backup | ipc fifo write --lock ./log"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let writer = self.writer(&context.output)?;
        if self.lock {
            // Before a thread shows the progress, because the writer may start a copy of the process.
            let writer = self.locked(writer, &context.output).about(&self.path)?;
            return self.write_records(Sink::Locked(writer), context);
        }
        if self.records || !self.messages.is_empty() {
            return self.write_records(Sink::Plain(writer), context);
        }
        self.write_bytes(&writer, context)
    }
}

/// Writes whole records.
enum Sink {
    Plain(Writer),
    Locked(LockedWriter),
}

impl Write {
    /// Writes all bytes of stdin.
    fn write_bytes(&self, writer: &Writer, context: &Context) -> anyhow::Result<Exit> {
        let (stdin, counter) = (context.stdin, Arc::default());
        let _progress = self.show_progress(context, &counter);
        let mut transfer = Transfer::new(stdin, writer.as_fd(), None).counted(&counter);
        let waited = transfer.run(|side| match side {
            Side::Source => Deadline::NEVER,
            Side::Destination => self.waiting.deadline(),
        });
        let waited = waited.map_err(|error| match error.side {
            Side::Source => stdin_failed(error.errno),
            Side::Destination => about(explain(Error::of_write(error.errno)), &self.path),
        })?;
        self.waiting.or_error(waited).about(&self.path)?;
        Ok(Exit::Done)
    }

    fn show_progress(&self, context: &Context, counter: &Arc<Counter>) -> Progress {
        let stdin = context.stdin;
        let size = if self.messages.is_empty() { remaining(stdin) } else { None };
        self.reporting.start(&context.output, &[&stdin], vec![Flow::alone(counter, size)])
    }

    /// Waits for a reader, and opens the FIFO.
    fn writer(&self, output: &Output) -> anyhow::Result<Writer> {
        let note = || report_wait(output, &self.path, "for a reader");
        let deadline = self.waiting.deadline();
        look_up(&self.path, deadline).about(&self.path)?;
        let opened = wait_verbosely(output, deadline, note, |until| self.open(until));
        self.waiting.or_error(opened.about(&self.path)?).about(&self.path)
    }

    fn open(&self, deadline: Deadline) -> Result<Waited<Writer>, Failure> {
        let open = || Writer::open(&self.path, deadline).map_err(explain);
        if !self.create {
            return open()
                .map_err(|failure| not_there(failure, &self.path, "--create makes the FIFO"));
        }
        match create(&self.path, Permissions::of_new_object(self.mode)) {
            Err(failure) if failure.exit() == Exit::InUse => {}
            created => created?,
        }
        // Before the wait for a reader, and again for the file that was opened.
        self.accept(fifo::find(&self.path))?;
        let opened = open()?;
        if let Waited::Done(writer) = &opened {
            self.accept(writer.found(&self.path))?;
        }
        Ok(opened)
    }

    fn accept(&self, found: Result<Found, Error>) -> Result<Accepted, Failure> {
        let mode = self.mode.map(|mode| Permissions::of_new_object(Some(mode)));
        self.trust.accept(&found.map_err(explain)?, mode)
    }

    fn write_records(mut self, mut sink: Sink, context: &Context) -> anyhow::Result<Exit> {
        let counter = Arc::default();
        let _progress = self.show_progress(context, &counter);
        let form = self.framing.form();
        // Without --records a message need not stay in one piece, and --lock keeps it whole.
        let is_limited = self.records && !self.lock;
        let limit = if is_limited { LONGEST_RECORD - overhead(form) } else { usize::MAX };
        let operands = std::mem::take(&mut self.messages);
        let number = first_longer(&operands, limit).map_or(0, |index| index + 1);
        let mut messages = Messages::new(operands, context.stdin, form, limit)
            .map_err(too_long(format_args!("message {number}")))
            .about(&self.path)?;
        let mut piece = Vec::with_capacity(LONGEST_RECORD);
        for number in 1_u64.. {
            let message = messages.next().map_err(too_long(format_args!("record {number}")));
            let Some(message) = message.about(&self.path)? else { break };
            piece.clear();
            form.encode(message, |part| {
                piece.extend_from_slice(part);
                Ok::<(), Infallible>(())
            })?;
            match &mut sink {
                Sink::Plain(writer) => {
                    let written = writer.write(&piece, self.waiting.deadline()).map_err(explain);
                    written.and_then(|waited| self.waiting.or_error(waited))
                }
                Sink::Locked(writer) => self.write_locked(writer, &piece, number, &context.output),
            }
            .about(&self.path)?;
            counter.add(piece.len() as u64);
        }
        Ok(Exit::Done)
    }

    /// The writer under the lock.
    fn locked(&self, writer: Writer, output: &Output) -> Result<LockedWriter, Failure> {
        let separator = match self.framing.form() {
            form @ (Form::Line | Form::Null) => form.trailer(),
            // Nothing ends a record whose length the reader knows.
            Form::Whole | Form::Len4 | Form::Netstring => b"",
        };
        let path = escape(self.path.as_os_str().as_encoded_bytes());
        LockedWriter::new(writer, separator, |number| {
            output.warn(format_args!(
                "{path}: record {number} is cut short, because its writer was killed"
            ));
        })
        .map_err(explain)
    }

    /// Writes a record that other writers with --lock leave whole.
    fn write_locked(
        &self,
        writer: &mut LockedWriter,
        record: &[u8],
        number: u64,
        output: &Output,
    ) -> Result<(), Failure> {
        let path = || escape(self.path.as_os_str().as_encoded_bytes());
        let report = || {
            let path = path();
            output.warn(format_args!("{path}: the record before record {number} is cut short"));
        };
        let deadline = || self.waiting.deadline();
        let timed_out = || self.waiting.or_error(Waited::TimedOut);
        match writer.write(record, number, deadline, report).map_err(explain)? {
            Written::Whole => Ok(()),
            Written::TimedOut => timed_out(),
            Written::CutShort(count) => {
                let (path, length) = (path(), record.len());
                output.warn(format_args!(
                    "{path}: record {number} is cut short after {count} of {length} bytes"
                ));
                timed_out()
            }
        }
    }
}

/// The failure of a record that cannot be read or written, with the words that name the record.
fn too_long(record: impl Display) -> impl FnOnce(ReadError) -> Failure {
    move |error| match error {
        ReadError::TooLong { length, limit } => Failure::failed(format!(
            "{record} of {length} is longer than a pipe keeps in one piece ({limit})"
        )),
        ReadError::Kernel(errno) => Failure::from(errno),
        error => Failure::failed(format!("{record}: {error}")),
    }
}

/// The maximum that a framing adds to a record no longer than [`LONGEST_RECORD`].
fn overhead(form: Form) -> usize {
    match form {
        Form::Whole => 0,
        Form::Line | Form::Null => 1,
        Form::Len4 => 4,
        Form::Netstring => "4096:,".len(),
    }
}
