//! `ipc pipe tee`.

use std::path::PathBuf;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::{report, unreadable, write_failed};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, about};
use crate::base::units::Size;
use crate::io::output::Unwritable;
use crate::mechanism::pipe::tee;

/// Copy stdin to files, FIFOs and stdout
///
/// All outputs get every byte, and the slowest limits the others. An output whose reader closes is
/// dropped, and the others continue; after the last one the verb ends by SIGPIPE. An output that
/// fails is reported, and the others continue; the status is then that of the first failure.
///
/// A FIFO is opened when it has a reader. From a pipe to pipes and one file at most the kernel
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
            match tee::Output::open(file) {
                Ok(output) => outputs.push(output),
                Err(errno) => fail(about(errno, file)),
            }
        }
        outputs.push(tee::Output::of_caller("standard output", context.stdout));
        let mut tee = tee::Tee::new(context.stdin, outputs)?;
        if let Some(Size(bytes)) = self.capacity {
            tee.set_capacity(bytes).map_err(super::capacity_refused)?;
        }
        let ended = tee.run(&mut |output: tee::Output<'_>, why| match why {
            tee::Why::Ended | tee::Why::TooSlow => {}
            tee::Why::ReaderClosed => report(&notes, output.name(), "its reader has closed"),
            tee::Why::Failed(errno) => fail(about(write_failed(errno), output.name())),
        });
        match ended.map_err(unreadable)? {
            tee::Ended::Outputs if exit == Exit::Done => Err(Unwritable(Errno(libc::EPIPE)).into()),
            _ => Ok(exit),
        }
    }
}
