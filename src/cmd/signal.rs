//! `ipc signal`: signals, sent, waited for and explained.

use std::str::FromStr;

use crate::cli::{Example, Noun, Run, Verb};
use crate::deadline::{Deadline, Waited, Waiting};
use crate::errno::Errno;
use crate::exit::{Exit, Failure};
use crate::output::{Format, Output, Record, Unwritable};
use crate::ready::Ready;
use crate::signals::{Action, Signal};
use crate::sys::pidfd::Process;
use crate::sys::signal::{Blocked, Received};

use super::Pid;

pub const NOUN: Noun = Noun {
    name: "signal",
    about: "Send signals to processes, and wait for them",
    verbs: &[Verb::new::<Send>("send"), Verb::new::<Wait>("wait"), Verb::new::<Ls>("ls")],
    see_also: &["signal(7)", "kill(1)", "sigqueue(3)", "sigwaitinfo(2)", "pidfd_open(2)"],
};

/// Send a signal to processes
///
/// Signal 0 sends nothing, and tells by the status whether it could be: 0 yes, 4 no such process,
/// 6 not allowed. All get the signal that can; the status is that of the first failure.
#[derive(Debug, clap::Args)]
pub struct Send {
    /// Signal, such as TERM, 15, RTMIN+3, or 0
    signal: Sendable,
    /// Numbers of processes
    #[arg(required = true, value_name = "PID", allow_negative_numbers = true)]
    pids: Vec<Pid>,
    /// Queue the signal with this value
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    value: Option<i32>,
}

impl Run for Send {
    const EXAMPLES: &'static [Example] = &[
        ("Have a daemon read its configuration again", "ipc signal send HUP \"$(cat daemon.pid)\""),
        ("Send a number along", "ipc signal send RTMIN+1 --value 42 4711"),
        ("See whether a process is there", "ipc signal send -q 0 4711 && echo yes"),
    ];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        Ok(super::each(&self.pids, output, |pid, _| {
            let process = Process::open(pid.number).map_err(explain)?;
            let Sendable(signal) = self.signal;
            let sent = match self.value {
                Some(value) => process.queue(signal, value),
                None => process.send(signal),
            };
            sent.map_err(explain)
        }))
    }
}

/// Wait for signals, and print each
///
/// The line has the signal, who sent it (process and user; the kernel is neither), and the value
/// if it was queued with one. The signals are blocked while we wait rather than handled, so none
/// is lost: real-time ones are queued in order, and the others are merged with one of their kind
/// that is still waiting to be taken.
#[derive(Debug, clap::Args)]
pub struct Wait {
    /// Signals, such as USR1 or RTMIN+3
    #[arg(required = true, value_name = "SIGNAL")]
    signals: Vec<Catchable>,
    #[command(flatten)]
    waiting: Waiting,
    /// How many to wait for
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "follow")]
    count: u64,
    /// Go on until killed by another signal
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    ready: Ready,
    #[command(flatten)]
    format: Format,
}

impl Run for Wait {
    const EXAMPLES: &'static [Example] = &[
        ("Wait until somebody says go", "ipc signal wait USR1"),
        (
            "Have somebody start who signals us",
            "ipc signal wait USR1 --ready ready.fifo & read pid <ready.fifo; kill -USR1 \"$pid\"",
        ),
    ];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let deadline = self.waiting.deadline();
        let blocked = Blocked::new(self.signals.iter().map(|&Catchable(signal)| signal).collect());
        let listener = self.ready.listener()?;
        listener.tell(&std::process::id().to_string())?;
        let mut left = if self.follow { u64::MAX } else { self.count };
        while left > 0 {
            let received = self.next(&blocked, deadline, output)?;
            print(received, self.format, output)?;
            left -= 1;
        }
        Ok(Exit::Done)
    }
}

impl Wait {
    /// The next signal. What was printed is written before we sleep, not before: whoever sends
    /// many at a time costs us one write.
    fn next(
        &self,
        blocked: &Blocked,
        deadline: Deadline,
        output: &mut Output,
    ) -> anyhow::Result<Received> {
        if let Waited::Done(received) = blocked.take(Deadline::PASSED)? {
            return Ok(received);
        }
        output.flush()?;
        Ok(self.waiting.settle(blocked.take(deadline)?)?)
    }
}

/// List all signals, their numbers, and what they do by default
#[derive(Debug, clap::Args)]
pub struct Ls {
    #[command(flatten)]
    format: Format,
}

impl Run for Ls {
    const EXAMPLES: &'static [Example] =
        &[("See them all", "ipc signal ls"), ("Find one", "ipc signal ls | grep -w 15")];

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let record = |signal: Signal| {
            Record::new()
                .bytes("name", signal.to_string().as_bytes())
                .number("number", signal.number())
                .word("default", signal.default_action().word())
                .word("effect", effect(signal.default_action()))
        };
        let records: Vec<Record> = Signal::all().map(record).collect();
        output.list(&records, self.format)?;
        Ok(Exit::Done)
    }
}

fn effect(action: Action) -> &'static str {
    match action {
        Action::Terminate => "the process dies",
        Action::Core => "the process dies and leaves a core",
        Action::Ignore => "nothing",
        Action::Stop => "the process stops",
        Action::Continue => "the process goes on",
    }
}

fn print(received: Received, format: Format, output: &mut Output) -> Result<(), Unwritable> {
    let Received { signal, sender, value } = received;
    if format.is_json() {
        return output.json(
            &Record::new()
                .bytes("signal", signal.to_string().as_bytes())
                .number("number", signal.number())
                .optional_number("pid", sender.map(|(pid, _)| pid))
                .optional_number("uid", sender.map(|(_, uid)| uid))
                .optional_number("value", value),
        );
    }
    output.text(signal)?;
    if let Some((pid, uid)) = sender {
        output.text(format_args!(" pid={pid} uid={uid}"))?;
    }
    if let Some(value) = value {
        output.text(format_args!(" value={value}"))?;
    }
    output.text("\n")
}

/// A signal, or 0, which only looks whether one could be sent.
#[derive(Clone, Copy, Debug)]
struct Sendable(Option<Signal>);

impl FromStr for Sendable {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "0" { Ok(Self(None)) } else { text.parse().map(|signal| Self(Some(signal))) }
    }
}

/// A signal that a process may keep from having its effect.
#[derive(Clone, Copy, Debug)]
struct Catchable(Signal);

impl FromStr for Catchable {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse()? {
            Signal::KILL | Signal::STOP => Err("no process can wait for it or catch it"),
            signal => Ok(Self(signal)),
        }
    }
}

/// Puts the way out beside the reason.
fn explain(errno: Errno) -> Failure {
    match errno.0 {
        libc::EAGAIN => Failure::failed("has as many signals queued as its user may have")
            .hint("'ulimit -i' shows the limit and raises it"),
        libc::EINVAL | libc::ENOENT => Failure::new(Exit::NotFound, "is a thread, not a process"),
        _ => errno.into(),
    }
}
