//! `ipc pipe run`.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use crate::app::arguments::{Plain, choice};
use crate::app::command::{Action, Example, Statuses};
use crate::app::context::Context;
use crate::app::separator::Separator;
use crate::base::deadline::Deadline;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, about};
use crate::base::signal::Signal;
use crate::base::units::{Size, Timeout};
use crate::io::output::{Output, escape};
use crate::mechanism::pipe::line::{Diagnostics, End, Error, Line, Link};
use crate::mechanism::pipe::relay;
use crate::mechanism::pipe::status::{Counted, decisive, forgiven};
use crate::run::job::{self, Command, Job, no_room};

/// Run commands that are connected by pipes
///
/// The first `--` begins the first COMMAND, and each further one the next. Each COMMAND has its own
/// ends of the pipes and no others: when one ends, its neighbours see end of file or SIGPIPE. The
/// commands stay in the process group of the caller, and the verb waits for all of them.
///
/// Programs that talk with each other have to write each message at once. Many that use stdio do so
/// only on a terminal, and buffer their output to a pipe: two such programs in a --loop wait for
/// each other. --pty gives each a terminal to write to, raw and without echo, and relays its output
/// to the pipe that the next COMMAND reads. stdin stays a pipe, which has an end of file.
///
/// A status of 125 means that ipc failed. If a signal that the verb received too, such as that of
/// ^C, ends the COMMAND whose status counts, the verb dies of the same signal.
#[derive(Debug, clap::Args, Plain)]
pub struct Run {
    /// Connect the last COMMAND to the first as well
    #[arg(long = "loop")]
    is_loop: bool,
    /// Connect stderr too
    #[arg(long)]
    stderr: bool,
    /// Give each COMMAND whose stdout is connected a terminal
    #[arg(long)]
    pty: bool,
    /// Capacity of each pipe
    #[arg(long, value_name = "SIZE", value_parser = Size::positive)]
    capacity: Option<Size>,
    /// The status that counts
    #[arg(long, value_name = "WHICH", default_value = "last")]
    status: Which,
    /// Ignore SIGPIPE of a writer whose reader succeeded
    ///
    /// A status of 141, by which a shell reports it, counts as SIGPIPE too.
    #[arg(long)]
    forgive_sigpipe: bool,
    /// End the rest this long after the first has ended
    ///
    /// They get TERM, and KILL after as long again, but no sooner than a second.
    #[arg(long, value_name = "DURATION")]
    kill_after: Option<Timeout>,
    #[command(flatten)]
    separator: Separator,
    /// The commands: COMMAND -- COMMAND ...
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// The status that counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
enum Which {
    /// Status of the last COMMAND
    Last,
    /// Status of the last COMMAND that failed
    Any,
    /// The same; the status of each is printed on stderr
    All,
}

choice!(Which);

impl Action for Run {
    const EXAMPLES: &'static [Example] = &[
        ("Fail if any part fails", "ipc pipe run --status any -- ./dump -- gzip > dump.gz"),
        (
            "Let two programs ask and answer each other",
            "ipc pipe run --loop -- ./player white -- ./player black",
        ),
        (
            "The same for programs that buffer on pipes",
            "ipc pipe run --loop --pty -- ./player white -- ./player black",
        ),
        (
            "Run a command that has a -- of its own",
            "ipc pipe run --separator ++ -- git log -- src ++ head -1",
        ),
    ];
    const STATUSES: Statuses = Statuses::OfCommand;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let words = self.separator.split(&self.command)?;
        // All COMMANDs are looked up first: if one is not found, none runs.
        let commands = words.iter().map(|words| Command::new(words));
        let commands = commands.collect::<anyhow::Result<Vec<_>>>()?;
        let mut job = Job::new(None);
        let started = self.line().start(&commands, &mut job).map_err(explain);
        let run = started.and_then(|relays| {
            let waited = relay::beside(relays, || self.wait(&mut job));
            waited.and_then(|statuses| statuses).map_err(|errno| no_room(errno).into())
        });
        let statuses = match run {
            Ok(statuses) => statuses,
            Err(error) => {
                job.finish_by(Deadline::PASSED, LEAST_GRACE)?;
                return Err(error);
            }
        };
        let forgiven = self.forgiven(&statuses);
        if self.status == Which::All {
            print(&words, &statuses, &forgiven, &context.output);
        }
        let Some(index) = decisive(&statuses, &forgiven, self.counted()) else {
            return Ok(Exit::Done);
        };
        let signal = statuses[index].signal().and_then(Signal::new);
        let shared = signal.filter(|&signal| job.has_received(signal));
        drop(job);
        Ok(match shared {
            Some(signal) => context.cancellation.by(signal),
            None => job::exit_of(statuses[index]),
        })
    }
}

/// The minimum time between TERM and KILL.
const LEAST_GRACE: Duration = Duration::from_secs(1);

impl Run {
    fn line(&self) -> Line {
        Line {
            end: self.end(),
            link: if self.pty { Link::Terminal } else { Link::Pipe },
            diagnostics: if self.stderr { Diagnostics::WithOutput } else { Diagnostics::Apart },
            capacity: self.capacity.map(|Size(bytes)| bytes),
        }
    }

    fn end(&self) -> End {
        if self.is_loop { End::Loop } else { End::Open }
    }

    fn counted(&self) -> Counted {
        match self.status {
            Which::Last => Counted::Last,
            Which::Any | Which::All => Counted::Any,
        }
    }

    fn forgiven(&self, statuses: &[ExitStatus]) -> Vec<bool> {
        if self.forgive_sigpipe {
            forgiven(statuses, self.end())
        } else {
            vec![false; statuses.len()]
        }
    }

    /// Waits until all COMMANDs have ended; ends them after --kill-after.
    fn wait(&self, job: &mut Job) -> Result<Vec<ExitStatus>, Errno> {
        let Some(Timeout::For(duration)) = self.kill_after else {
            return job.finish_by(Deadline::NEVER, LEAST_GRACE);
        };
        job.await_first_end()?;
        job.finish_by(Deadline::after(duration), duration.max(LEAST_GRACE))
    }
}

/// Prints the end of each COMMAND.
fn print(words: &[&[OsString]], statuses: &[ExitStatus], forgiven: &[bool], output: &Output) {
    for (index, (words, status)) in words.iter().zip(statuses).enumerate() {
        let name = words.first().map_or(b"".as_slice(), |name| name.as_encoded_bytes());
        let forgiven = if forgiven[index] { ", forgiven" } else { "" };
        let (name, ended) = (escape(name), job::told(*status));
        output.warn(format_args!("{}: {name}: {ended}{forgiven}", index + 1));
    }
}

fn explain(error: Error) -> anyhow::Error {
    match error {
        Error::Command(error) => error,
        Error::Pipe(errno) => about(no_room(errno), "pipe"),
        Error::Capacity(refused) => super::capacity_refused(refused),
        Error::Terminal(errno @ Errno(libc::ENOSPC)) => {
            let hint = "'sysctl kernel.pty.max' shows how many terminals there may be";
            about(Failure::from(errno).hint(hint), "pseudo-terminal")
        }
        Error::Terminal(errno) => about(no_room(errno), "pseudo-terminal"),
    }
}
