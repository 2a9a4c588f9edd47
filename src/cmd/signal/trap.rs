//! `ipc signal trap`.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::child::{self, Command, Running};
use crate::cli::{Example, Run, Statuses};
use crate::deadline::{Deadline, Waited};
use crate::exit::{Exit, Subject};
use crate::output::Output;
use crate::plain::Plain;
use crate::signals::Signal;
use crate::sys::signal::{Blocked, Received, await_children, die_of, is_ignored};
use crate::sys::spawn::{Streams, reap_orphans};
use crate::sys::stdio;

use super::Catchable;

/// Run a line of shell whenever a signal comes
///
/// A handler is run at once, also while COMMAND runs, which the trap of a shell cannot do. The
/// handlers run one at a time, in the order of the signals, and none is left out; a signal that is
/// not real-time is merged with one of its kind that has not been taken yet, as always. A
/// handler finds IPC_SIGNAL, IPC_SIGNAL_PID and IPC_SIGNAL_UID of who sent it, IPC_SIGNAL_VALUE if
/// it was queued with a value, and IPC_COMMAND_PID.
///
/// EXIT is run at the end, CHLD when COMMAND has ended. Signals without a handler are passed on to
/// COMMAND, whose status is ours. Without COMMAND we go on until a signal ends us.
#[derive(Debug, clap::Args, Plain)]
pub struct Trap {
    /// Signal, or EXIT, and what sh(1) is to run when it comes; may be given several times
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

impl Run for Trap {
    const EXAMPLES: &'static [Example] = &[
        (
            "Show how far a long job is, whenever asked",
            "ipc signal trap --on USR1='du -sh out' -- ./convert all",
        ),
        (
            "Clean up, however it ends",
            "ipc signal trap --on TERM='echo stopped' --on EXIT='rm -rf tmp' -- ./job",
        ),
    ];
    const STATUSES: Statuses = Statuses::OfCommand;

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let passed = child::FORWARDED.into_iter().filter(|&signal| self.passes_on(signal));
        let mut session = Session::new(self.on.clone(), passed)?;
        let mut command = match self.command.as_slice() {
            [] => None,
            words => Some(session.start_command(&Command::new(words)?)?),
        };
        session.pid = command.as_ref().map(Running::pid);
        let attended = session.attend(&mut command, output);
        // Without its handlers it does not go on alone.
        attended.inspect_err(|_| command.iter().for_each(|running| running.send(Signal::TERM)))
    }
}

impl Trap {
    /// Whether a signal without a handler is passed on to COMMAND, or ends a trap that is alone.
    ///
    /// What the caller ignores, as nohup(1) has it ignore HUP, does not end a trap. A COMMAND does
    /// not ignore INT and QUIT because a shell has them ignored in the background.
    fn passes_on(&self, signal: Signal) -> bool {
        !self.command.is_empty() || !is_ignored(signal)
    }
}

/// What to run for a signal.
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

/// What becomes of a handler for which there is no room, be it for a process or in memory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Unstarted {
    /// It is started later.
    Kept,
    /// It is not run.
    Dropped,
}

/// How long to wait before a handler that found no room is started again.
const AGAIN: Duration = Duration::from_secs(1);

/// What came and has not been handled yet, and who is being waited for.
struct Session {
    handlers: Vec<Handler>,
    blocked: Blocked,
    /// Readable while a signal waits to be taken.
    signals: OwnedFd,
    /// What handlers read. It is open from the beginning, as no descriptor may be left later.
    nothing: OwnedFd,
    /// The number of COMMAND.
    pid: Option<i32>,
    queue: VecDeque<(Option<Signal>, Option<Received>)>,
    /// The handler that runs.
    handler: Option<Running>,
    /// When to start the next handler, where there was no room for it.
    again: Option<Deadline>,
}

impl Session {
    /// One that has not begun, of which the signals are blocked from now on.
    fn new(handlers: Vec<Handler>, passed: impl Iterator<Item = Signal>) -> anyhow::Result<Self> {
        await_children();
        let trapped = handlers.iter().filter_map(|handler| handler.signal);
        let blocked = Blocked::new(trapped.chain(passed).chain([Signal::CHLD]).collect());
        let signals = blocked.descriptor().map_err(child::no_room)?;
        let nothing = stdio::nothing_to_read().map_err(child::no_room).about("/dev/null")?;
        let (queue, handler, again) = (VecDeque::new(), None, None);
        Ok(Self { handlers, blocked, signals, nothing, pid: None, queue, handler, again })
    }

    /// Starts COMMAND, and leaves as many descriptors free as the start of a handler takes:
    /// posix_spawn(3) of musl makes a pipe.
    fn start_command(&self, command: &Command) -> anyhow::Result<Running> {
        let started = command.start(Streams::default(), &[]);
        let child = started.map_err(|errno| command.failed(errno))?;
        let _places = (self.nothing.try_clone(), self.nothing.try_clone());
        Ok(Running::new(child))
    }

    /// Handles signals until COMMAND has ended and the last of them is handled.
    fn attend(&mut self, command: &mut Option<Running>, output: &Output) -> anyhow::Result<Exit> {
        let mut exit = None;
        let mut death = None;
        loop {
            reap_orphans();
            // Looked at first: what came before the end is taken before the end is told.
            let ended = command.as_mut().map(Running::try_wait).transpose()?.flatten();
            while let Waited::Done(received) = self.blocked.take(Deadline::PASSED)? {
                death = death.or(self.receive(received, command.as_ref()));
            }
            if let Some(status) = ended {
                exit = Some(child::exit_of(status));
                *command = None;
                self.enqueue(Some(Signal::CHLD), None);
            }
            let is_over = exit.is_some() || death.is_some();
            let unstarted = if is_over { Unstarted::Dropped } else { Unstarted::Kept };
            self.next_handler(unstarted, output)?;
            if is_over && self.handler.is_none() {
                break;
            }
            self.sleep(command.as_ref())?;
        }
        self.at_exit(output)?;
        if let Some(signal) = death {
            die_of(signal);
        }
        Ok(exit.unwrap_or(Exit::Done))
    }
    /// Queues a signal or passes it on; returns it if it is one that ends us.
    fn receive(&mut self, received: Received, command: Option<&Running>) -> Option<Signal> {
        let signal = received.signal;
        let handled = self.handlers.iter().any(|handler| handler.signal == Some(signal));
        match (handled, command) {
            // Those of the kernel's tell of children: of COMMAND, which is queued when it is
            // reaped, of handlers, which are no news, and of orphans.
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

    /// Runs the handlers of EXIT. Signals that come now are late.
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
                output.note(format_args!("a handler {}", child::told(status)));
            }
        }
        let is_early = self.again.is_some_and(|again| !again.has_passed());
        if is_early && unstarted == Unstarted::Kept {
            return Ok(());
        }
        while let (None, Some(&(signal, received))) = (&self.handler, self.queue.front()) {
            match self.start(signal, received) {
                Ok(running) => {
                    (self.handler, self.again) = (Some(running), None);
                    self.queue.pop_front();
                }
                Err(error) if unstarted == Unstarted::Kept => {
                    if self.again.is_none() {
                        output.error(&error);
                    }
                    self.again = Some(Deadline::after(AGAIN));
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

    /// Starts sh with the line for a signal, and what there is to know of the signal.
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
        // What is there to read is COMMAND's.
        let started = command.start(Streams::reading(&self.nothing), &known);
        Ok(Running::new(started.map_err(|errno| command.failed(errno))?))
    }

    /// Sleeps until there is a signal, or one of the children has ended.
    fn sleep(&self, command: Option<&Running>) -> anyhow::Result<()> {
        let running = command.into_iter().chain(&self.handler);
        let deadline = self.again.unwrap_or(Deadline::NEVER);
        Ok(child::sleep(self.signals.as_fd(), running, deadline)?)
    }
}

fn name_of(signal: Option<Signal>) -> String {
    signal.map_or_else(|| "EXIT".to_owned(), |signal| signal.to_string())
}
