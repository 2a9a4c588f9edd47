//! The reports of the threads of a worker, in words.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use crate::base::exit::{Exit, Failure};
use crate::base::signal::Signal;
use crate::io::output::{Output, escape};
use crate::run::job;
use crate::run::pool::End;

use super::{Job, LastResort};

/// A report of a thread.
#[derive(Debug)]
pub enum Report {
    /// A COMMAND failed.
    Failed(End, Then),
    /// There is no message.
    Waits,
    /// A message cannot be requeued before its queue has room.
    Full,
    /// A message cannot move to the dead-letter queue before that queue has room.
    DeadLetterFull,
    /// The dead-letter queue does not accept a message.
    NotBuried(Failure),
    /// A message cannot be requeued; `None` if its queue is full.
    Lost(Option<Failure>),
    /// An error that ends the worker.
    Error(anyhow::Error),
}

/// The consequence of a failure for a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Then {
    /// COMMAND runs again for it.
    Again {
        /// The number of attempts so far.
        attempt: u32,
        /// The delay before the next attempt.
        delay: Duration,
    },
    /// It is requeued.
    GoesBack,
    /// It moves to the dead-letter queue.
    IsBuried,
    /// It is abandoned, which these words say.
    GivenUp(&'static str),
}

/// Prints reports, and keeps the status of the worker.
pub struct Reports<'a> {
    output: &'a Output,
    /// The name of the queue.
    name: String,
    command: String,
    attempts: u32,
    dead_letter: String,
    exit: Exit,
    error: Option<anyhow::Error>,
    waits: bool,
    dead_letter_full: bool,
}

impl<'a> Reports<'a> {
    /// No reports yet.
    pub fn new<S>(output: &'a Output, job: &Job<S>) -> Self {
        let dead_letter = match &job.plan.last_resort {
            LastResort::Bury(name) => escape(name.as_encoded_bytes()).into_owned(),
            _ => String::new(),
        };
        Self {
            output,
            name: escape(job.supply.name.as_encoded_bytes()).into_owned(),
            command: escape(job.plan.command.name().as_encoded_bytes()).into_owned(),
            attempts: job.plan.attempts,
            dead_letter,
            exit: Exit::Done,
            error: None,
            waits: false,
            dead_letter_full: false,
        }
    }

    /// Prints a report.
    pub fn show(&mut self, report: Report) {
        let (output, name) = (self.output, &self.name);
        match report {
            Report::Failed(end, then) => self.failed(end, then),
            // It is printed once, not for each message and each thread.
            Report::Waits if !std::mem::replace(&mut self.waits, true) => {
                output.note(format_args!("{name}: waiting for a message"));
            }
            Report::Waits => {}
            Report::Full => {
                output.warn(format_args!("{name}: full; waiting to send a message back"));
            }
            Report::DeadLetterFull if !std::mem::replace(&mut self.dead_letter_full, true) => {
                let dead_letter = &self.dead_letter;
                output.warn(format_args!("{dead_letter}: full; waiting to send a message to it"));
            }
            Report::DeadLetterFull => {}
            Report::NotBuried(reason) => output.warn(format_args!(
                "{}: cannot take a message, which goes back: {reason}",
                self.dead_letter
            )),
            Report::Lost(reason) => {
                match reason {
                    Some(reason) => output.warn(format_args!(
                        "{name}: a message is lost, as it cannot be sent back: {reason}"
                    )),
                    None => {
                        output.warn(format_args!("{name}: a message is lost, as the queue is full"))
                    }
                }
                self.fails_with(Exit::Failed);
            }
            Report::Error(reason) => {
                self.error.get_or_insert(reason);
            }
        }
    }

    fn failed(&mut self, end: End, then: Then) {
        let (name, command, how) = (&self.name, &self.command, in_words(end));
        let attempts = self.attempts;
        let then_words = match then {
            Then::Again { attempt, delay } => {
                format!("; attempt {attempt} of {attempts}, the next in {}", seconds(delay))
            }
            Then::GoesBack => "; the message goes back".to_owned(),
            Then::IsBuried => format!("; the message goes to {}", self.dead_letter),
            Then::GivenUp(words) => format!("; the message {words}"),
        };
        self.output.warn(format_args!("{name}: {command} {how}{then_words}"));
        if !matches!(then, Then::Again { .. }) {
            self.fails_with(exit_of(end));
        }
    }

    /// Keeps the status of the first failure.
    fn fails_with(&mut self, exit: Exit) {
        if self.exit == Exit::Done {
            self.exit = exit;
        }
    }

    /// The status of the worker.
    ///
    /// # Errors
    /// The first error that a thread reported.
    pub fn ended(self) -> anyhow::Result<Exit> {
        self.error.map_or(Ok(self.exit), Err)
    }
}

/// The end of a COMMAND, in words.
fn in_words(End { status, timed_out }: End) -> String {
    let how = job::told(status);
    if timed_out { format!("timed out and {how}") } else { how }
}

/// The status: that of COMMAND; if it timed out 124, or 137 if it took KILL, as for timeout(1).
fn exit_of(End { status, timed_out }: End) -> Exit {
    let was_killed = status.signal() == Some(Signal::KILL.number());
    if timed_out && !was_killed { Exit::TimedOut } else { job::exit_of(status) }
}

/// A delay, such as `1s` or `0.25s`.
fn seconds(delay: Duration) -> String {
    format!("{}s", delay.as_secs_f64())
}
