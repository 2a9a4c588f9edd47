//! `ipc fifo tee`.

use std::ffi::OsString;
use std::os::fd::AsFd;
use std::path::PathBuf;

use crate::app::arguments::{Plain, choice};
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::{not_there, report_wait, unreadable, wait_verbosely, write_failed};
use crate::app::options::{Framing, Waiting};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject, about};
use crate::base::signal::Signal;
use crate::base::units::Size;
use crate::io::output::{Output, Unwritable, escape};
use crate::mechanism::fifo::readers::{Failed, WithReader, WithoutReader};
use crate::mechanism::pipe::tee::{self, Ended, Watcher, Why};
use crate::run::watchdog::look_up;
use crate::sys::signal::Blocked;

use super::explain;

/// Copy stdin to several FIFOs and stdout
///
/// Each FIFO has a reader of its own, and each reader gets all records, since a FIFO itself gives
/// every byte to one reader only. The command waits for the first reader. A reader that comes later
/// gets the stream from the next record on, also at a FIFO whose reader has left. When stdout and
/// all readers have left, the command ends by SIGPIPE.
///
/// By default the slowest reader limits the others. With --slow drop, a reader whose FIFO is full
/// misses whole records; their number is reported when it leaves and at the end. With --slow
/// disconnect, its FIFO is closed for the rest of the stream, perhaps within a record. stdout gets
/// every record in each case.
///
/// --timeout limits the wait for the first readers, and then each wait for slow ones. At the end of
/// stdin, readers that may miss records have a second, or this time, for the rest.
#[derive(Debug, clap::Args, Plain)]
pub struct Tee {
    /// Paths of the FIFOs
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// What happens to a reader that is too slow
    #[arg(long, value_name = "HOW", default_value = "wait")]
    slow: Slow,
    /// Start when this many FIFOs have a reader
    #[arg(long, value_name = "N", default_value = "1")]
    readers: usize,
    /// Capacity of each pipe, with stdin and stdout
    ///
    /// A pipe with more bytes in it keeps its capacity.
    #[arg(long, hide_short_help = true, value_name = "SIZE", value_parser = Size::positive)]
    capacity: Option<Size>,
    #[command(flatten)]
    framing: Framing,
    #[command(flatten)]
    waiting: Waiting,
}

/// What happens to a reader that is too slow.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
enum Slow {
    /// All others wait for it
    Wait,
    /// It misses records
    Drop,
    /// Its FIFO is closed
    Disconnect,
}

choice!(Slow);

impl Action for Tee {
    const EXAMPLES: &'static [Example] = &[
        ("Let two programs read the same lines", "./events | ipc fifo tee ./a ./b > /dev/null"),
        (
            "Start when both have opened their FIFO",
            "./events | ipc fifo tee --readers 2 ./a ./b > all",
        ),
        (
            "Let no reader delay the others",
            "./events | ipc fifo tee --slow drop ./live | ipc queue push /log",
        ),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        if self.readers > self.paths.len() {
            let failure = Failure::new(Exit::Usage, "more readers than FIFOs");
            return Err(about(failure, format!("--readers {}", self.readers)));
        }
        let without = self.fifos()?;
        let mut fifos = Fifos { without, slow: self.slow(), log: Log::new(&context.output) };
        let mut outputs = self.first_outputs(&mut fifos, &context.output)?;
        outputs.push(tee::Output::of_caller("standard output", context.stdout));
        // A signal ends the stream, and then the process, after the report of missed records.
        let blocked = (self.slow == Slow::Drop).then(|| Blocked::new(Signal::deadly().collect()));
        let stop = blocked.as_ref().and_then(|blocked| blocked.descriptor_of_effective().ok());
        let stream = tee::Tee::of_records(context.stdin, outputs, self.framing.form());
        let stream = stream.with_patience(self.waiting.duration());
        let mut stream = stream.until_readable(stop.as_ref().map(AsFd::as_fd));
        if let Some(Size(bytes)) = self.capacity {
            stream.set_capacity(bytes).map_err(crate::cmd::pipe::capacity_refused)?;
        } else if self.slow != Slow::Wait {
            stream.enlarge_now();
        }
        let ended = stream.run(&mut fifos).map_err(unreadable)?;
        // A reader that has just come, and waits in open(2), sees the end.
        drop(fifos.without.arrivals());
        match ended {
            Ended::Outputs if fifos.log.exit == Exit::Done => {
                Err(Unwritable(Errno(libc::EPIPE)).into())
            }
            Ended::Outputs | Ended::Input => Ok(fifos.log.exit),
            Ended::TimedOut => self.waiting.or_error(Waited::TimedOut).about(self.subject()),
            Ended::Stopped => Ok(match blocked.map(|blocked| blocked.take(Deadline::PASSED)) {
                Some(Ok(Waited::Done(received))) => context.cancellation.by(received.signal),
                _ => fifos.log.exit,
            }),
        }
    }
}

impl Tee {
    fn slow(&self) -> tee::Slow {
        match self.slow {
            Slow::Wait => tee::Slow::Wait,
            Slow::Drop => tee::Slow::Drop,
            Slow::Disconnect => tee::Slow::Disconnect,
        }
    }

    /// Looks the FIFOs up.
    fn fifos(&self) -> anyhow::Result<WithoutReader> {
        let deadline = self.waiting.deadline();
        for path in &self.paths {
            look_up(path, deadline).about(path)?;
        }
        WithoutReader::new(&self.paths).map_err(failed)
    }

    /// The FIFOs, as the subject of a diagnostic.
    fn subject(&self) -> OsString {
        let paths: Vec<_> = self.paths.iter().map(|path| path.as_os_str()).collect();
        paths.join(", ".as_ref())
    }

    /// Waits for the first readers.
    fn first_outputs<'a>(
        &self,
        fifos: &mut Fifos,
        output: &Output,
    ) -> anyhow::Result<Vec<tee::Output<'a>>> {
        let note = || match self.readers {
            1 => report_wait(output, self.subject(), "for a reader"),
            readers => report_wait(output, self.subject(), format_args!("for {readers} readers")),
        };
        let wait = |until| fifos.without.wait(self.readers, until);
        let waited = wait_verbosely(output, self.waiting.deadline(), note, wait).map_err(failed)?;
        let present = self.waiting.or_error(waited).about(self.subject())?;
        Ok(present.into_iter().map(|fifo| fifos.output(fifo)).collect())
    }
}

/// The FIFOs of a stream that have no reader.
struct Fifos {
    without: WithoutReader,
    slow: tee::Slow,
    log: Log,
}

/// Diagnostics about outputs, and the status of the first that failed.
struct Log {
    notes: Output,
    exit: Exit,
}

impl Fifos {
    fn output<'a>(&self, WithReader { path, writer }: WithReader) -> tee::Output<'a> {
        tee::Output::of_fifo(&path, writer.into(), self.slow)
    }
}

impl<'a> Watcher<'a> for Fifos {
    fn arrivals(&mut self) -> Vec<tee::Output<'a>> {
        let arrived = self.without.arrivals();
        arrived.into_iter().map(|fifo| self.output(fifo).joining_at_record()).collect()
    }

    fn leaves(&mut self, output: tee::Output<'a>, why: Why) {
        self.log.add(&output, why);
        if let (Why::ReaderClosed, Some(path)) = (why, output.path()) {
            self.without.add(path.to_owned());
        }
    }
}

impl Log {
    fn new(output: &Output) -> Self {
        Self { notes: output.aside(), exit: Exit::Done }
    }

    fn add(&mut self, output: &tee::Output<'_>, why: Why) {
        let name = escape(output.name().as_encoded_bytes());
        match why {
            Why::Ended => {}
            Why::ReaderClosed => self.notes.warn(format_args!("{name}: the reader has left")),
            Why::TooSlow => {
                self.notes
                    .warn(format_args!("{name}: disconnected, because its reader is too slow"));
            }
            Why::Failed(errno) => self.fail(about(write_failed(errno), output.name())),
        }
        match output.missed() {
            0 => {}
            1 => self.notes.warn(format_args!("{name}: 1 record dropped")),
            missed => self.notes.warn(format_args!("{name}: {missed} records dropped")),
        }
    }

    fn fail(&mut self, error: anyhow::Error) {
        self.notes.error(&error);
        if self.exit == Exit::Done {
            self.exit = Exit::of(&error);
        }
    }
}

fn failed(Failed { path, error }: Failed) -> anyhow::Error {
    let failure = not_there(explain(error), &path, "'ipc fifo create' makes the FIFO");
    about(failure, &path)
}
