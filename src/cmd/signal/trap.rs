//! `ipc signal trap`.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::child::{self, Command};
use crate::cli::{Example, Run, Statuses};
use crate::deadline::{Deadline, Waited};
use crate::exit::{Exit, Subject};
use crate::output::Output;
use crate::plain::Plain;
use crate::signals::Signal;
use crate::sys::pidfd::Process;
use crate::sys::poll;
use crate::sys::signal::{Blocked, Received, await_children, die_of, is_ignored};
use crate::sys::spawn::{Child, Streams};
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
        await_children();
        let trapped = self.on.iter().filter_map(|handler| handler.signal);
        // What our caller has us ignore, as nohup(1) does HUP, ends nobody.
        let passed = child::FORWARDED.into_iter().filter(|&signal| !is_ignored(signal));
        let blocked = Blocked::new(trapped.chain(passed).collect());
        let signals = blocked.descriptor()?;
        let command = match self.command.as_slice() {
            [] => None,
            words => Some(Running::start(&Command::new(words)?, Streams::default(), &[])?),
        };
        let pid = command.as_ref().map(Running::pid);
        let session = Session {
            handlers: self.on,
            blocked,
            signals,
            pid,
            queue: VecDeque::new(),
            handler: None,
        };
        session.attend(command, output)
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

/// A child, and a descriptor that tells of its end.
struct Running {
    child: Child,
    process: Process,
}

impl Running {
    fn start(
        command: &Command,
        streams: Streams<'_>,
        variables: &[(&str, &[u8])],
    ) -> anyhow::Result<Self> {
        // A place for its descriptor, as nobody could take it back once it is started.
        let place = stdio::nothing_to_read().map_err(|errno| command.failed(errno))?;
        let started = command.start(streams, variables);
        let child = started.map_err(|errno| command.failed(errno))?;
        drop(place);
        let process = child.process()?;
        Ok(Self { child, process })
    }

    fn pid(&self) -> i32 {
        self.child.pid()
    }

    fn has_ended(&self) -> anyhow::Result<bool> {
        Ok(self.process.wait_until_ended(Deadline::PASSED)? == Waited::Done(()))
    }
}

/// What came and has not been handled yet, and who is being waited for.
struct Session {
    handlers: Vec<Handler>,
    blocked: Blocked,
    /// Readable while a signal waits to be taken.
    signals: OwnedFd,
    /// The number of COMMAND.
    pid: Option<i32>,
    queue: VecDeque<(Option<Signal>, Option<Received>)>,
    /// The handler that runs.
    handler: Option<Running>,
}

impl Session {
    /// Handles signals until COMMAND has ended and the last of them is handled.
    fn attend(mut self, mut command: Option<Running>, output: &Output) -> anyhow::Result<Exit> {
        let mut exit = None;
        let mut death = None;
        loop {
            // Looked at first: what came before the end is taken before the end is told.
            let has_ended = command.as_ref().map(Running::has_ended).transpose()? == Some(true);
            while let Waited::Done(received) = self.blocked.take(Deadline::PASSED)? {
                death = death.or(self.receive(received, command.as_ref()));
            }
            if let Some(running) = command.as_mut().filter(|_| has_ended) {
                exit = Some(child::exit_of(running.child.wait()?));
                command = None;
                self.enqueue(Some(Signal::CHLD), None);
            }
            self.next_handler(output)?;
            let is_over = exit.is_some() || death.is_some();
            if is_over && self.handler.is_none() {
                break;
            }
            self.sleep(command.as_ref())?;
        }
        self.enqueue(None, None);
        self.next_handler(output)?;
        while self.handler.is_some() {
            self.sleep(None)?;
            self.next_handler(output)?;
        }
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
            // reaped, and of handlers, which are no news.
            (true, _) if signal == Signal::CHLD && received.sender.is_none() => None,
            (true, _) => {
                self.enqueue(Some(signal), Some(received));
                None
            }
            (false, Some(command)) => {
                if received.sender.is_some() {
                    command.child.send(signal);
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

    /// Reaps the handler that has ended, and starts the next one.
    fn next_handler(&mut self, output: &Output) -> anyhow::Result<()> {
        if let Some(running) = &mut self.handler {
            if !running.has_ended()? {
                return Ok(());
            }
            let status = running.child.wait()?;
            self.handler = None;
            if !status.success() {
                output.note(format_args!("a handler {}", child::told(status)));
            }
        }
        let Some((signal, received)) = self.queue.pop_front() else { return Ok(()) };
        let handler = self.handlers.iter().rev().find(|handler| handler.signal == signal);
        let Some(handler) = handler else { return Ok(()) };
        let line = handler.line.clone();
        self.handler = Some(self.start(&line, signal, received).about("sh")?);
        Ok(())
    }

    /// Starts sh with a line, and what there is to know of the signal.
    fn start(
        &self,
        line: &OsStr,
        signal: Option<Signal>,
        received: Option<Received>,
    ) -> anyhow::Result<Running> {
        let command = Command::new(&["/bin/sh".into(), "-c".into(), line.to_owned()])?;
        let command = command.without(&["IPC_SIGNAL", "IPC_COMMAND_PID="]);
        let name = signal.map_or_else(|| "EXIT".to_owned(), |signal| signal.to_string());
        let sender = received.and_then(|received| received.sender);
        let value = received.and_then(|received| received.value);
        let variables = [
            ("IPC_SIGNAL", Some(name)),
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
        let nothing = stdio::nothing_to_read()?;
        Running::start(&command, Streams::reading(&nothing), &known)
    }

    /// Sleeps until there is a signal, or one of the children has ended.
    fn sleep(&self, command: Option<&Running>) -> anyhow::Result<()> {
        let children = command.into_iter().chain(&self.handler);
        let children = children.map(|running| running.process.as_fd());
        let fds: Vec<_> = std::iter::once(self.signals.as_fd()).chain(children).collect();
        let _: Waited = poll::any_readable(&fds, Deadline::NEVER)?;
        Ok(())
    }
}
