//! `ipc signal alarm`.

use std::ffi::OsString;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example, Statuses};
use crate::app::context::Context;
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::Exit;
use crate::base::signal::Signal;
use crate::base::units::Timeout;
use crate::io::output::{Output, escape};
use crate::run::job;
use crate::run::job::{Command, Event, Job};
use crate::sys::process;
use crate::sys::signal::ignore;
use crate::sys::spawn::Streams;

use super::Sendable;

/// Run a command, and signal it if it takes too long
///
/// As timeout(1): the signal goes to COMMAND and to what it has started, and the status is then
/// 124, or 137 if it took KILL. A DURATION of 0, or inf, is no limit; signal 0 ends nothing. COMMAND runs in a process group of
/// its own, where it cannot read from a terminal unless we lead the job, as from a shell.
#[derive(Debug, clap::Args, Plain)]
pub struct Alarm {
    /// How long COMMAND may take
    #[arg(value_name = "DURATION")]
    duration: Timeout,
    /// Signal to send then
    #[arg(short, long, value_name = "SIGNAL", default_value = "TERM")]
    signal: Sendable,
    /// Send KILL too, if COMMAND still runs this long after that
    #[arg(short, long, value_name = "DURATION")]
    kill_after: Option<Timeout>,
    /// Stay in the group of the terminal, and signal COMMAND alone
    #[arg(long)]
    foreground: bool,
    /// Give COMMAND's status even when it took too long
    #[arg(long)]
    preserve_status: bool,
    /// Command to run, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Action for Alarm {
    const EXAMPLES: &'static [Example] = &[
        ("Give a download a minute", "ipc signal alarm 1m -- curl -O https://example.org/file"),
        ("Ask first, then insist", "ipc signal alarm 10s -s INT -k 5s -- ./server"),
    ];
    const STATUSES: Statuses = Statuses::OfCommand;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let command = Command::new(&self.command)?;
        if !self.foreground {
            process::lead_group();
        }
        let mut job = Job::new(self.signal.0);
        job.start(&command, Streams::default())?;
        // COMMAND may want the terminal; that is no reason for us to stop.
        ignore(Signal::TTIN);
        ignore(Signal::TTOU);
        self.attend(job, output)
    }
}

impl Alarm {
    /// Waits for the end of COMMAND, signalling it when its time has come.
    fn attend(&self, mut job: Job, output: &Output) -> anyhow::Result<Exit> {
        let mut deadline = limit(Some(self.duration));
        let mut next = self.signal.0;
        let mut late = false;
        loop {
            match job.next(deadline)? {
                Waited::Done(Event::Ended(statuses)) => {
                    let exit = statuses.into_iter().next().map_or(Exit::Done, job::exit_of);
                    return Ok(if late { self.exit_of_late(exit) } else { exit });
                }
                Waited::Done(Event::Signal(signal)) => self.send(&job, Some(signal)),
                Waited::TimedOut => {
                    late = true;
                    let name = escape(self.command[0].as_encoded_bytes());
                    let signal = Sendable(next);
                    output.note(format_args!("{name}: not in time, sending {signal}"));
                    self.send(&job, next);
                    deadline = match next {
                        Some(Signal::KILL) => Deadline::NEVER,
                        _ => limit(self.kill_after),
                    };
                    next = Some(Signal::KILL);
                }
            }
        }
    }

    /// Sends a signal to COMMAND, wherever it has gone, and to the group, which goes on to get it
    /// where it was stopped.
    fn send(&self, job: &Job, signal: Option<Signal>) {
        // 0 is sent to look, and changes nothing.
        let Some(signal) = signal else { return };
        let go_on = Some(Signal::CONT).filter(|_| !matches!(signal, Signal::KILL | Signal::CONT));
        for signal in [signal].into_iter().chain(go_on) {
            job.send(signal);
            if !self.foreground {
                // It is ours, so its number can be nobody else's.
                let _ = process::kill_group(0, Some(signal));
            }
        }
    }

    /// The status where COMMAND was not in time.
    fn exit_of_late(&self, exit: Exit) -> Exit {
        const KILLED: Exit = Exit::Command(128 + 9);
        if self.preserve_status || exit == KILLED { exit } else { Exit::TimedOut }
    }
}

/// The moment at which something is too late; none for 0 and inf.
fn limit(patience: Option<Timeout>) -> Deadline {
    match patience {
        Some(Timeout::For(duration)) if !duration.is_zero() => Deadline::after(duration),
        _ => Deadline::NEVER,
    }
}
