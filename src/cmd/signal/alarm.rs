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
use crate::sys::process::OwnGroup;
use crate::sys::signal::Disposition;
use crate::sys::spawn::Streams;

use super::Sendable;

/// Run a command, and signal it at a time limit
///
/// As timeout(1) does: COMMAND and the processes that it has started get the signal, and the status
/// is 124, or 137 if COMMAND died of KILL. A DURATION of 0, or inf, is no limit; signal 0 is never
/// delivered. COMMAND runs in a process group of its own, where it cannot read from a terminal,
/// unless a shell started the command as a job.
#[derive(Debug, clap::Args, Plain)]
pub struct Alarm {
    /// Time limit of COMMAND
    #[arg(value_name = "DURATION")]
    duration: Timeout,
    /// Signal to send at the limit
    #[arg(short, long, value_name = "SIGNAL", default_value = "TERM")]
    signal: Sendable,
    /// Send KILL if COMMAND still runs this long after the signal
    #[arg(short, long, value_name = "DURATION")]
    kill_after: Option<Timeout>,
    /// Stay in the terminal's process group, and signal only COMMAND
    #[arg(long)]
    foreground: bool,
    /// Exit with the status of COMMAND even after the limit
    #[arg(long)]
    preserve_status: bool,
    /// Command to run, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Action for Alarm {
    const EXAMPLES: &'static [Example] = &[
        (
            "Stop a download after a minute",
            "ipc signal alarm 1m -- curl -O https://example.org/file",
        ),
        (
            "Send INT first, and KILL after 5 seconds",
            "ipc signal alarm 10s -s INT -k 5s -- ./server",
        ),
    ];
    const STATUSES: Statuses = Statuses::OfCommand;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let command = Command::new(&self.command)?;
        let _group = (!self.foreground).then(OwnGroup::lead);
        let mut job = Job::new(self.signal.0);
        job.start(&command, Streams::default())?;
        // If COMMAND uses the terminal, the whole group gets these signals, and only COMMAND stops.
        let _ignored = [Signal::TTIN, Signal::TTOU].map(Disposition::ignore);
        self.wait(job, output)
    }
}

impl Alarm {
    /// Waits for the end of COMMAND, and signals it at the limit.
    fn wait(&self, mut job: Job, output: &Output) -> anyhow::Result<Exit> {
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
                    output.note(format_args!("{name}: timed out, sending {signal}"));
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

    /// Sends a signal to COMMAND, in whatever group it is, and to the group. CONT follows, because a
    /// stopped process handles no signal.
    fn send(&self, job: &Job, signal: Option<Signal>) {
        // Signal 0 has no effect.
        let Some(signal) = signal else { return };
        let go_on = Some(Signal::CONT).filter(|_| !matches!(signal, Signal::KILL | Signal::CONT));
        for signal in [signal].into_iter().chain(go_on) {
            job.send(signal);
            if !self.foreground {
                // This process is in it, so that no other group can have its number.
                let _ = process::kill_group(0, Some(signal));
            }
        }
    }

    /// The status after COMMAND has timed out.
    fn exit_of_late(&self, exit: Exit) -> Exit {
        const KILLED: Exit = Exit::Command(128 + 9);
        if self.preserve_status || exit == KILLED { exit } else { Exit::TimedOut }
    }
}

/// The moment of a limit; 0 and inf are no limit.
fn limit(timeout: Option<Timeout>) -> Deadline {
    match timeout {
        Some(Timeout::For(duration)) if !duration.is_zero() => Deadline::after(duration),
        _ => Deadline::NEVER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::options::Verbosity;
    use crate::sys::signal::{is_ignored, mask};

    /// The properties of the process that an alarm changes while it runs.
    fn properties() -> (i32, [bool; 2], bool) {
        let ignored = [Signal::TTIN, Signal::TTOU].map(is_ignored);
        (process::own_group(), ignored, mask().contains(Signal::TERM))
    }

    #[test]
    fn after_an_alarm_the_process_is_as_before() {
        use crate::app::context::Cancellation;
        let before = properties();
        for _ in 0..2 {
            let mut context = Context::new(
                ["signal", "alarm"],
                Verbosity::default(),
                Cancellation::Die,
                &["signal"],
            );
            let alarm = Alarm {
                duration: Timeout::Forever,
                signal: Sendable(Some(Signal::TERM)),
                kill_after: None,
                foreground: false,
                preserve_status: false,
                command: vec!["true".into()],
            };
            assert_eq!(alarm.run(&mut context).unwrap(), Exit::Command(0));
            assert_eq!(properties(), before);
        }
    }
}
