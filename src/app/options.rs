//! The options that several verbs share.

use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::str::FromStr;
use std::time::Duration;

use crate::app::arguments::Plain;
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Failure};
use crate::base::units::Timeout;
use crate::io::frame::Form;
use crate::io::output::{self, Color, Output};
use crate::io::progress::{Flow, Progress, When};

/// The amount of output on stderr: options of every verb.
#[derive(Clone, Copy, Debug, Default, clap::Args, Plain)]
pub struct Verbosity {
    /// Print no diagnostics
    #[arg(short, long, conflicts_with = "verbose", display_order = 900)]
    quiet: bool,
    /// Report progress on stderr
    #[arg(short, long, display_order = 900)]
    verbose: bool,
    /// Colour headings and diagnostics; default auto
    #[arg(long, value_name = "WHEN", display_order = 900, hide_short_help = true)]
    color: Option<Color>,
}

impl Verbosity {
    /// When text is coloured.
    pub fn color(self) -> Color {
        self.color.unwrap_or_default()
    }

    /// Whether diagnostics are suppressed.
    pub fn is_quiet(self) -> bool {
        self.quiet
    }
}

impl From<Verbosity> for output::Verbosity {
    fn from(options: Verbosity) -> Self {
        match options {
            Verbosity { quiet: true, .. } => Self::Quiet,
            Verbosity { verbose: true, .. } => Self::Verbose,
            Verbosity { .. } => Self::Normal,
        }
    }
}

/// The progress of work that moves many bytes.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct Reporting {
    /// Show progress also if stderr is not a terminal
    ///
    /// If stderr is a terminal, and no terminal is among the files that the bytes come from or go to, the
    /// command shows its progress from the first second on. With this option it prints a line after a
    /// second, and then each ten seconds, to any stderr. --quiet suppresses both.
    #[arg(long, hide_short_help = true)]
    progress: bool,
}

impl Reporting {
    /// Whether the option is given.
    pub fn is_given(self) -> bool {
        self.progress
    }

    /// Shows the progress of these flows of bytes from now on; the bytes come from and go to `ends`.
    pub fn start(self, output: &Output, ends: &[&dyn AsFd], flows: Vec<Flow>) -> Progress {
        let when = if self.progress { When::Requested } else { When::AtTerminal };
        Progress::start(when, output.notes(), ends, flows)
    }
}

/// The format of answers.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct Format {
    /// Print JSON
    #[arg(short, long)]
    json: bool,
}

impl Format {
    /// Text, where JSON has a shape of its own.
    pub const TEXT: Self = Self { json: false };

    /// Whether it is JSON, for answers that are neither a listing nor a record.
    pub fn is_json(self) -> bool {
        self.json
    }
}

impl From<Format> for output::Format {
    fn from(options: Format) -> Self {
        if options.json { Self::Json } else { Self::Text }
    }
}

/// The limit of a wait.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct Waiting {
    /// Time out after this long: status 124; 0 tries once
    #[arg(short, long, value_name = "DURATION", allow_negative_numbers = true)]
    timeout: Option<Timeout>,
    /// Do not wait: end with status 1 instead
    #[arg(short, long, conflicts_with = "timeout")]
    nonblock: bool,
}

impl Waiting {
    /// Whether an option is given.
    pub fn is_given(&self) -> bool {
        self.nonblock || self.timeout.is_some()
    }

    /// The duration; `None` is without limit.
    pub fn duration(&self) -> Option<Duration> {
        match self.timeout {
            _ if self.nonblock => Some(Duration::ZERO),
            None | Some(Timeout::Forever) => None,
            Some(Timeout::For(duration)) => Some(duration),
        }
    }

    /// The deadline, counted from now.
    pub fn deadline(&self) -> Deadline {
        match self.timeout {
            _ if self.nonblock => Deadline::PASSED,
            None | Some(Timeout::Forever) => Deadline::NEVER,
            Some(Timeout::For(duration)) => Deadline::after(duration),
        }
    }

    /// The deadline of a wait for an object to exist, which lasts at most as long as `retry`.
    pub fn deadline_of_retry(&self, retry: Timeout) -> Deadline {
        let retry = match retry {
            Timeout::Forever => Deadline::NEVER,
            Timeout::For(duration) => Deadline::after(duration),
        };
        retry.min(self.deadline())
    }

    /// The failure of that wait. If this limit has ended it, the wait has timed out.
    pub fn explain_retry(&self, failure: Failure, retry: Timeout) -> Failure {
        let is_decisive = match (self.duration(), retry) {
            (Some(own), Timeout::For(retry)) => own < retry,
            (own, _) => own.is_some(),
        };
        if !is_decisive || failure.exit() != Exit::NotFound {
            return failure;
        }
        match self.or_error::<()>(Waited::TimedOut) {
            Err(timed_out) => timed_out.adding(format_args!("; {failure}")),
            Ok(()) => failure,
        }
    }

    /// The result of a wait, or the failure of a wait that timed out.
    pub fn or_error<T>(&self, waited: Waited<T>) -> Result<T, Failure> {
        match waited {
            Waited::Done(value) => Ok(value),
            Waited::TimedOut if self.nonblock => Err(Failure::would_block()),
            Waited::TimedOut => Err(Failure::timed_out()),
        }
    }
}

/// The limit for a whole request.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct TimeLimit {
    /// Time out after this long: status 124
    #[arg(short, long, value_name = "DURATION")]
    timeout: Option<Timeout>,
}

impl TimeLimit {
    /// The deadline, counted from now.
    pub fn deadline(self) -> Deadline {
        match self.timeout {
            Some(Timeout::For(duration)) => Deadline::after(duration),
            Some(Timeout::Forever) | None => Deadline::NEVER,
        }
    }
}

/// The result of a request, or the failure of one that timed out.
pub fn done<T, E: From<Failure>>(waited: Result<Waited<T>, E>) -> Result<T, E> {
    match waited? {
        Waited::Done(value) => Ok(value),
        Waited::TimedOut => Err(Failure::timed_out().into()),
    }
}

/// The separation of records.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct Framing {
    /// Records end with NUL instead of newline
    #[arg(short = '0', long, conflicts_with = "frame")]
    null: bool,
    /// Separate records in this form
    #[arg(long, value_name = "FORM", hide_short_help = true)]
    frame: Option<Form>,
}

impl Framing {
    /// Whether one of these options is given.
    pub fn is_given(self) -> bool {
        self.null || self.frame.is_some()
    }

    /// The chosen form.
    pub fn form(self) -> Form {
        if self.null { Form::Null } else { self.frame.unwrap_or_default() }
    }
}

/// The status of a conflict, for verbs that end with the status of a COMMAND.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct Conflict {
    /// End with this status instead of 1 and 124
    #[arg(short = 'E', long, value_name = "N", hide_short_help = true)]
    conflict_exit_code: Option<u8>,
}

impl Conflict {
    /// Whether a status is given.
    pub fn is_given(&self) -> bool {
        self.conflict_exit_code.is_some()
    }

    /// Ends with the given status, if the error is a conflict.
    pub fn or_error(&self, error: anyhow::Error, output: &Output) -> anyhow::Result<Exit> {
        match (self.conflict_exit_code, Exit::of(&error)) {
            (Some(code), Exit::No | Exit::TimedOut) => {
                output.error(&error);
                Ok(Exit::Command(code))
            }
            _ => Err(error),
        }
    }
}

/// A process ID, and the word that it was read from.
#[derive(Clone, Debug)]
pub struct Pid {
    text: OsString,
    /// The number.
    pub number: i32,
}

/// The reason why a number is refused as a process ID.
pub const NOT_A_PROCESS: &str = "not the number of a process, which is 1 to 4194304";

impl FromStr for Pid {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        /// The maximum process ID of the kernel: PID_MAX_LIMIT.
        const GREATEST: i32 = 1 << 22;
        let number = Some(text)
            .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .filter(|number| (1..=GREATEST).contains(number));
        let number = number.ok_or(NOT_A_PROCESS)?;
        Ok(Self { text: text.into(), number })
    }
}

impl AsRef<OsStr> for Pid {
    fn as_ref(&self) -> &OsStr {
        &self.text
    }
}
