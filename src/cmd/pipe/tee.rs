//! `ipc pipe tee`.

use std::path::{Path, PathBuf};

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::{report, report_wait, unreadable, wait_verbosely, write_failed};
use crate::app::options::Waiting;
use crate::base::deadline::Waited;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, about};
use crate::base::units::Size;
use crate::io::output::{Output, Unwritable};
use crate::mechanism::pipe::tee;
use crate::run::watchdog::look_up;

/// Copy stdin to files, FIFOs and stdout
///
/// All outputs get every byte, and the slowest limits the others. An output whose reader closes is
/// dropped, and the others continue; after the last one the verb ends by SIGPIPE. An output that
/// fails is reported, and the others continue; the status is then that of the first failure.
///
/// A FIFO is opened when it has a reader. --timeout limits that wait for each FIFO, and then each wait
/// for slow readers; a FIFO without a reader is an output that fails.
///
/// From a pipe to pipes and one file at most the kernel
/// moves the bytes, and none is copied through the memory of the process.
#[derive(Debug, clap::Args, Plain)]
pub struct Tee {
    /// Files to replace, and FIFOs
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Capacity of each pipe, with stdin and stdout
    ///
    /// A pipe with more bytes in it keeps its capacity.
    #[arg(long, value_name = "SIZE", value_parser = Size::positive)]
    capacity: Option<Size>,
    #[command(flatten)]
    waiting: Waiting,
}

impl Action for Tee {
    const EXAMPLES: &'static [Example] = &[
        ("Keep a copy", "./dump | ipc pipe tee dump.sql | gzip > dump.sql.gz"),
        ("Feed two programs", "mkfifo p; sha256sum < p & ./dump | ipc pipe tee p | gzip > dump.gz"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let notes = context.output.aside();
        let mut exit = Exit::Done;
        let mut fail = |error: anyhow::Error| {
            notes.error(&error);
            if exit == Exit::Done {
                exit = Exit::of(&error);
            }
        };
        let mut outputs = Vec::new();
        for file in &self.files {
            match self.open(file, &notes) {
                Ok(output) => outputs.push(output),
                Err(failure) => fail(about(failure, file)),
            }
        }
        outputs.push(tee::Output::of_caller("standard output", context.stdout));
        let mut tee = tee::Tee::new(context.stdin, outputs);
        tee = tee.with_patience(self.waiting.duration());
        if let Some(Size(bytes)) = self.capacity {
            tee.set_capacity(bytes).map_err(super::capacity_refused)?;
        }
        let ended = tee.run(&mut |output: tee::Output<'_>, why| match why {
            tee::Why::Ended | tee::Why::TooSlow => {}
            tee::Why::ReaderClosed => report(&notes, output.name(), "its reader has closed"),
            tee::Why::Failed(errno) => fail(about(write_failed(errno), output.name())),
        });
        let ended = ended.map_err(unreadable)?;
        if ended == tee::Ended::TimedOut
            && let Err(failure) = self.waiting.or_error::<()>(Waited::TimedOut)
        {
            fail(failure.into());
        }
        match ended {
            tee::Ended::Outputs if exit == Exit::Done => Err(Unwritable(Errno(libc::EPIPE)).into()),
            _ => Ok(exit),
        }
    }
}

impl Tee {
    /// Opens a file, or a FIFO when it has a reader.
    fn open<'a>(&self, file: &Path, notes: &Output) -> Result<tee::Output<'a>, Failure> {
        let deadline = self.waiting.deadline();
        look_up(file, deadline)?;
        let note = || report_wait(notes, file, "for a reader");
        let opened = wait_verbosely(notes, deadline, note, |until| tee::Output::open(file, until))?;
        self.waiting.or_error(opened)
    }
}
