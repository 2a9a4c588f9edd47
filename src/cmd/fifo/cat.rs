//! `ipc fifo cat`.

use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::{not_there, report_wait, wait_verbosely};
use crate::app::options::{Reporting, Waiting};
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Failure, Subject, about};
use crate::base::units::Size;
use crate::io::output::{Output, Unwritable};
use crate::io::progress::Flow;
use crate::io::transfer::{Side, Transfer};
use crate::mechanism::fifo::Reader;
use crate::run::watchdog::look_up;

use super::explain;

/// Print the bytes that are written into a FIFO
///
/// The command ends when the last writer has closed the FIFO. That is no proof that a writer had
/// finished, because the kernel also closes the FIFO for a writer that was killed. --timeout limits
/// the wait for the first byte, and then each wait for more. With --nonblock --verbose the message
/// tells whether a writer has the FIFO open that has written nothing.
///
/// Several readers of one FIFO share its bytes, in pieces that may begin and end within a record. To
/// let several readers take one record each, use 'ipc queue' or 'ipc mq'. To let each reader have all
/// records, use 'ipc fifo tee', with a FIFO for each.
#[derive(Debug, clap::Args, Plain)]
pub struct Cat {
    /// Path of the FIFO
    path: PathBuf,
    /// Wait for the next writer after the last one has left
    #[arg(short, long)]
    keep_open: bool,
    /// End after this many bytes
    #[arg(long, value_name = "SIZE")]
    count: Option<Size>,
    #[command(flatten)]
    reporting: Reporting,
    #[command(flatten)]
    waiting: Waiting,
}

impl Action for Cat {
    const EXAMPLES: &'static [Example] = &[
        ("Read the bytes of one writer", "ipc fifo cat ./jobs > job.txt"),
        ("Collect lines until it is killed", "ipc fifo cat --keep-open ./log >> all.log"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let mut reader = self.reader().about(&self.path)?;
        let mut left = self.count.map(|Size(count)| count);
        if left == Some(0) {
            return Ok(Exit::Done);
        }
        let counter = Arc::default();
        let (stdout, flow) = (context.stdout, Flow::alone(&counter, left));
        let _progress = self.reporting.start(&context.output, &[&stdout], vec![flow]);
        loop {
            let transfer = Transfer::new(reader.as_fd(), stdout, left).counted(&counter);
            let waited = self.print(&reader, transfer, &mut left, &context.output)?;
            self.waiting.or_error(waited).about(&self.path)?;
            if !self.keep_open || left == Some(0) {
                return Ok(Exit::Done);
            }
            reader.renew().map_err(explain).about(&self.path)?;
        }
    }
}

impl Cat {
    /// Opens the FIFO, which does not wait for a writer.
    fn reader(&self) -> Result<Reader, Failure> {
        look_up(&self.path, self.waiting.deadline())?;
        Reader::open(&self.path).map_err(|error| {
            not_there(explain(error), &self.path, "'ipc fifo create' makes the FIFO")
        })
    }

    /// The failure of a wait for bytes that timed out, which tells whether a writer is there.
    fn in_time(&self, reader: &Reader, waited: Waited) -> Result<(), Failure> {
        self.waiting.or_error(waited).map_err(|failure| match reader.has_writer() {
            Ok(true) => failure.adding("; a writer has it open, and has written nothing"),
            Ok(false) | Err(_) => failure,
        })
    }

    /// Prints bytes until the last writer leaves, or the count is reached.
    fn print(
        &self,
        reader: &Reader,
        mut transfer: Transfer<'_>,
        left: &mut Option<u64>,
        output: &Output,
    ) -> anyhow::Result<Waited> {
        let note = || match reader.has_writer() {
            Ok(true) => report_wait(output, &self.path, "for the writer to write"),
            Ok(false) | Err(_) => report_wait(output, &self.path, "for a writer"),
        };
        let deadline = self.waiting.deadline();
        let waited = wait_verbosely(output, deadline, note, |until| reader.wait(until));
        self.in_time(reader, waited.about(&self.path)?).about(&self.path)?;
        let waited = transfer.run(|side| match side {
            Side::Source => self.waiting.deadline(),
            Side::Destination => Deadline::NEVER,
        });
        *left = left.map(|left| left - transfer.moved());
        waited.map_err(|error| match error.side {
            Side::Source => about(error.errno, &self.path),
            Side::Destination => Unwritable(error.errno).into(),
        })
    }
}
