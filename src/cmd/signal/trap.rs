//! `ipc signal trap`.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::app::arguments::Plain;
use crate::app::command::{Action, Effect, Example, Statuses};
use crate::app::context::{Cancellation, Context};
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Subject};
use crate::base::signal::Signal;
use crate::io::output::Output;
use crate::run::job;
use crate::run::job::{Command, Running};
use crate::sys::signal::{Blocked, Disposition, Received, is_ignored};
use crate::sys::spawn::{Streams, reap_orphans};
use crate::sys::stdio;

use super::Catchable;

/// Run a line of shell whenever a signal arrives
///
/// A handler runs at once, also while COMMAND runs; the trap of a shell waits until its command has
/// ended. The handlers run one at a time, in the order of the signals, and every signal is handled.
/// As always, the kernel merges a signal that is not real-time with a pending one of the same number.
/// A handler has the variables IPC_SIGNAL, IPC_SIGNAL_PID and IPC_SIGNAL_UID (the sender),
/// IPC_SIGNAL_VALUE if the signal was queued with a value, and IPC_COMMAND_PID.
///
/// The handler of EXIT runs at the end, that of CHLD when COMMAND has ended. Signals without a
/// handler are passed on to COMMAND, and the status is that of COMMAND. Without COMMAND the trap
/// goes on until a signal without a handler ends it.
#[derive(Debug, clap::Args, Plain)]
pub struct Trap {
    /// Signal, or EXIT, and the line that sh(1) runs for it; may be repeated
    #[arg(
        long,
        required = true,
        value_name = "SIGNAL=SHELLCMD",
        value_parser = OsStringValueParser::new().try_map(|text| Handler::parse(&text))
    )]
    on: Vec<Handler>,
    /// Command to run, and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Action for Trap {
    const EXAMPLES: &'static [Example] = &[
        (
            "Show the progress of a long job on USR1",
            "ipc signal trap --on USR1='du -sh out' -- ./convert all",
        ),
        (
            "Clean up at the end, also after TERM",
            "ipc signal trap --on TERM='echo stopped' --on EXIT='rm -rf tmp' -- ./job",
        ),
    ];
    const STATUSES: Statuses = Statuses::OfCommand;
    const EFFECT: Effect = Effect::Signals;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let passed = job::FORWARDED.into_iter().filter(|&signal| self.passes_on(signal));
        let mut session = Session::new(self.on.clone(), passed)?;
        let mut command = match self.command.as_slice() {
            [] => None,
            words => Some(session.start_command(&Command::new(words)?)?),
        };
        session.pid = command.as_ref().map(Running::pid);
        let end = session.handle_signals(&mut command, &context.output);
        // COMMAND does not go on without its handlers.
        let end =
            end.inspect_err(|_| command.iter().for_each(|running| running.send(Signal::TERM)))?;
        Ok(end.exit(context.cancellation))
    }
}

impl Trap {
    /// Whether a signal without a handler is passed on to COMMAND, or ends a trap without COMMAND.
    ///
    /// A signal that the caller ignores, such as HUP under nohup(1), does not end a trap. COMMAND
    /// gets INT and QUIT even if a shell ignores them in its background commands.
    fn passes_on(&self, signal: Signal) -> bool {
        !self.command.is_empty() || !is_ignored(signal)
    }
}

/// A signal, and the line of shell to run for it.
#[derive(Clone, Debug)]
struct Handler {
    /// `None` is EXIT.
    signal: Option<Signal>,
    line: OsString,
}

impl Handler {
    fn parse(text: &OsStr) -> Result<Self, &'static str> {
        const NOT_A_HANDLER: &str = "not a signal, or EXIT, and a line of shell, as in USR1='date'";
        let bytes = text.as_bytes();
        let equals = bytes.iter().position(|&b| b == b'=').ok_or(NOT_A_HANDLER)?;
        let name = std::str::from_utf8(&bytes[..equals]).map_err(|_| NOT_A_HANDLER)?;
        let signal = match name {
            "EXIT" => None,
            name => {
                let Catchable(signal) = name.parse()?;
                Some(signal)
            }
        };
        Ok(Self { signal, line: OsStr::from_bytes(&bytes[equals + 1..]).to_owned() })
    }
}

/// Whether a handler that cannot be started, because a limit is reached, is started later.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Unstarted {
    /// It is started later.
    Kept,
    /// It is not run.
    Dropped,
}

/// The time before the start of a handler is tried again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// How a trap ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    /// COMMAND ended.
    Command(Exit),
    /// A signal without a handler arrived, and there is no COMMAND.
    Signal(Signal),
}

impl End {
    fn exit(self, cancellation: Cancellation) -> Exit {
        match self {
            Self::Command(exit) => exit,
            Self::Signal(signal) => cancellation.by(signal),
        }
    }
}

/// The signals that are not handled yet, and the handler that runs.
struct Session {
    handlers: Vec<Handler>,
    blocked: Blocked,
    /// Children are reaped even if the caller ignores CHLD.
    _children: Disposition,
    /// Readable while a signal is pending.
    signals: OwnedFd,
    /// The stdin of handlers. It is opened at first, because no descriptor may be free later.
    nothing: OwnedFd,
    /// The process ID of COMMAND.
    pid: Option<i32>,
    queue: VecDeque<(Option<Signal>, Option<Received>)>,
    /// The handler that runs.
    handler: Option<Running>,
    /// When to try again to start the next handler, after a start failed.
    retry: Option<Deadline>,
}

impl Session {
    /// Blocks the signals.
    fn new(handlers: Vec<Handler>, passed: impl Iterator<Item = Signal>) -> anyhow::Result<Self> {
        let children = Disposition::default_of(Signal::CHLD);
        let trapped = handlers.iter().filter_map(|handler| handler.signal);
        let blocked = Blocked::new(trapped.chain(passed).chain([Signal::CHLD]).collect());
        let signals = blocked.descriptor().map_err(job::no_room)?;
        let nothing = stdio::nothing_to_read().map_err(job::no_room).about("/dev/null")?;
        Ok(Self {
            handlers,
            blocked,
            _children: children,
            signals,
            nothing,
            pid: None,
            queue: VecDeque::new(),
            handler: None,
            retry: None,
        })
    }

    /// Starts COMMAND, and leaves as many descriptors free as the start of a handler needs:
    /// posix_spawn(3) of musl makes a pipe.
    fn start_command(&self, command: &Command) -> anyhow::Result<Running> {
        let started = command.start(Streams::default(), &[]);
        let child = started.map_err(|errno| command.failed(errno))?;
        let _reserved = (self.nothing.try_clone(), self.nothing.try_clone());
        Ok(Running::new(child))
    }

    /// Handles signals until COMMAND has ended and the last of them is handled.
    fn handle_signals(
        &mut self,
        command: &mut Option<Running>,
        output: &Output,
    ) -> anyhow::Result<End> {
        let mut end = None;
        loop {
            reap_orphans();
            // First: signals from before the end are handled before CHLD.
            let ended = command.as_mut().map(Running::try_wait).transpose()?.flatten();
            while let Waited::Done(received) = self.blocked.take(Deadline::PASSED)? {
                end = end.or(self.receive(received, command.as_ref()).map(End::Signal));
            }
            if let Some(status) = ended {
                end = Some(End::Command(job::exit_of(status)));
                *command = None;
                self.enqueue(Some(Signal::CHLD), None);
            }
            let unstarted = if end.is_some() { Unstarted::Dropped } else { Unstarted::Kept };
            self.next_handler(unstarted, output)?;
            if let (Some(end), None) = (end, &self.handler) {
                self.at_exit(output)?;
                return Ok(end);
            }
            self.sleep(command.as_ref())?;
        }
    }

    /// Queues a signal or passes it on; returns it if it ends the trap.
    fn receive(&mut self, received: Received, command: Option<&Running>) -> Option<Signal> {
        let signal = received.signal;
        let handled = self.handlers.iter().any(|handler| handler.signal == Some(signal));
        match (handled, command) {
            // A CHLD from the kernel is about COMMAND, for which one is queued when it is reaped, or
            // about a handler or an orphan, which have no CHLD handler.
            (handled, _) if signal == Signal::CHLD && !(handled && received.sender.is_some()) => {
                None
            }
            (true, _) => {
                self.enqueue(Some(signal), Some(received));
                None
            }
            (false, Some(command)) => {
                if received.sender.is_some() {
                    command.send(signal);
                }
                None
            }
            (false, None) => Some(signal),
        }
    }

    fn enqueue(&mut self, signal: Option<Signal>, received: Option<Received>) {
        if self.handlers.iter().any(|handler| handler.signal == signal) {
            self.queue.push_back((signal, received));
        }
    }

    /// Runs the handlers of EXIT. Signals that arrive meanwhile are discarded.
    fn at_exit(&mut self, output: &Output) -> anyhow::Result<()> {
        self.enqueue(None, None);
        self.next_handler(Unstarted::Dropped, output)?;
        while self.handler.is_some() {
            self.sleep(None)?;
            while let Waited::Done(_) = self.blocked.take(Deadline::PASSED)? {}
            self.next_handler(Unstarted::Dropped, output)?;
        }
        Ok(())
    }

    /// Reaps the handler that has ended, and starts the next one.
    fn next_handler(&mut self, unstarted: Unstarted, output: &Output) -> anyhow::Result<()> {
        if let Some(running) = &mut self.handler {
            let Some(status) = running.try_wait()? else { return Ok(()) };
            self.handler = None;
            if !status.success() {
                output.note(format_args!("a handler {}", job::told(status)));
            }
        }
        let is_early = self.retry.is_some_and(|retry| !retry.has_passed());
        if is_early && unstarted == Unstarted::Kept {
            return Ok(());
        }
        while let (None, Some(&(signal, received))) = (&self.handler, self.queue.front()) {
            match self.start(signal, received) {
                Ok(running) => {
                    (self.handler, self.retry) = (Some(running), None);
                    self.queue.pop_front();
                }
                Err(error) if unstarted == Unstarted::Kept => {
                    if self.retry.is_none() {
                        output.error(&error);
                    }
                    self.retry = Some(Deadline::after(RETRY_DELAY));
                    break;
                }
                Err(error) => {
                    output.error(&error.context(format!("handler of {} not run", name_of(signal))));
                    self.queue.pop_front();
                }
            }
        }
        Ok(())
    }

    /// Starts sh with the line for a signal, and with variables that describe the signal.
    fn start(&self, signal: Option<Signal>, received: Option<Received>) -> anyhow::Result<Running> {
        let handler = self.handlers.iter().rev().find(|handler| handler.signal == signal);
        let line = handler.map_or(OsStr::new(":"), |handler| &handler.line);
        let command = Command::new(&["/bin/sh".into(), "-c".into(), line.to_owned()])?;
        let command = command.without(&["IPC_SIGNAL", "IPC_COMMAND_PID="]);
        let sender = received.and_then(|received| received.sender);
        let value = received.and_then(|received| received.value);
        let variables = [
            ("IPC_SIGNAL", Some(name_of(signal))),
            ("IPC_SIGNAL_PID", sender.map(|(pid, _)| pid.to_string())),
            ("IPC_SIGNAL_UID", sender.map(|(_, uid)| uid.to_string())),
            ("IPC_SIGNAL_VALUE", value.map(|value| value.to_string())),
            ("IPC_COMMAND_PID", self.pid.map(|pid| pid.to_string())),
        ];
        let known: Vec<(&str, &[u8])> = variables
            .iter()
            .filter_map(|(name, value)| Some((*name, value.as_deref()?.as_bytes())))
            .collect();
        // Stdin is for COMMAND alone.
        let started = command.start(Streams::reading(&self.nothing), &known);
        Ok(Running::new(started.map_err(|errno| command.failed(errno))?))
    }

    /// Sleeps until a signal is pending, or one of the children has ended.
    fn sleep(&self, command: Option<&Running>) -> anyhow::Result<()> {
        let running = command.into_iter().chain(&self.handler);
        let deadline = self.retry.unwrap_or(Deadline::NEVER);
        Ok(job::sleep(self.signals.as_fd(), running, deadline)?)
    }
}

fn name_of(signal: Option<Signal>) -> String {
    signal.map_or_else(|| "EXIT".to_owned(), |signal| signal.to_string())
}
