//! `ipc signal`: sends signals, waits for them, handles them and lists them.

mod alarm;
mod info;
mod init;
pub mod remote;
mod send;
mod trap;
mod wait;

use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;

use crate::app::arguments::Plain;
use crate::app::command::{Action as Verbs, Effect, Example, Manual, Noun, Statuses, Verb};
use crate::app::context::Context;
use crate::app::listing::{Column, Columns, Json, Listing};
use crate::base::exit::Exit;
use crate::base::signal::{Action, Signal};
use crate::io::output::{Key, Type, Value};
use crate::run::job;
use crate::sys::signal::{Dispositions, SignalSet};
use crate::sys::spawn::Streams;

pub const NOUN: Noun = Noun {
    name: "signal",
    about: "Send and handle signals",
    verbs: &[
        Verb::new::<send::Send>("send"),
        Verb::new::<wait::Wait>("wait"),
        Verb::new::<trap::Trap>("trap"),
        Verb::new::<Run>("run"),
        Verb::new::<init::Init>("init"),
        Verb::new::<alarm::Alarm>("alarm"),
        Verb::new::<info::Info>("info"),
        Verb::new::<Ls>("ls"),
    ],
    see_also: &["signal(7)", "kill(1)", "timeout(1)", "sigqueue(3)", "pidfd_open(2)"],
    manual: Manual {
        topic: "signals, timeouts and process groups",
        environment: &[
            (
                "‹IPC_SIGNAL›, ‹IPC_SIGNAL_PID›, ‹IPC_SIGNAL_UID›, ‹IPC_SIGNAL_VALUE›",
                "The signal, its sender and its value, for the lines of ‹ipc-signal-trap›(1).",
            ),
            ("‹IPC_COMMAND_PID›", "The process ID of the COMMAND beside which they run."),
        ],
        files: &[("«/proc/PID/status»", "The masks and dispositions of a process.")],
        standards: "Signals are in POSIX.1-2024. Pidfds are of Linux.",
    },
};

/// Run a command with signals ignored, blocked, or with their default effects
///
/// The process becomes COMMAND. A signal that no option names has its default effect and is not
/// blocked. HUP is the exception: if the caller ignores it, as nohup(1) does, it stays ignored.
#[derive(Debug, clap::Args, Plain)]
pub struct Run {
    /// Ignore this signal; may be repeated
    #[arg(long, value_name = "SIGNAL")]
    ignore: Vec<Catchable>,
    /// Give this signal its default effect; may be repeated
    #[arg(long, value_name = "SIGNAL")]
    default: Vec<Catchable>,
    /// Block this signal; may be repeated
    #[arg(long, value_name = "SIGNAL")]
    block: Vec<Catchable>,
    /// Command to run, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Verbs for Run {
    const EXAMPLES: &'static [Example] = &[
        ("Survive the end of a session", "ipc signal run --ignore HUP -- ./job &"),
        (
            "Keep a signal pending until COMMAND unblocks it",
            "ipc signal run --block USR1 -- ./daemon",
        ),
    ];
    const STATUSES: Statuses = Statuses::OfCommand;
    const EFFECT: Effect = Effect::BecomesCommand;

    fn run(self, _: &mut Context) -> anyhow::Result<Exit> {
        let command = job::Command::new(&self.command)?;
        let dispositions = Dispositions {
            ignore: set(&self.ignore),
            default: set(&self.default),
            block: set(&self.block),
        };
        job::start_clean();
        dispositions.apply();
        Err(command.exec(Streams::default(), &[]))
    }
}

fn set(signals: &[Catchable]) -> SignalSet {
    signals.iter().map(|&Catchable(signal)| signal).collect()
}

/// List all signals with their numbers and default effects
#[derive(Debug, clap::Args, Plain)]
pub struct Ls {
    #[command(flatten)]
    listing: Listing<Signal>,
}

impl Columns for Signal {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("name", Type::Text, "Name, without SIG"), |signal| {
            Value::text(signal.to_string())
        }),
        Column::new(Key::new("number", Type::Number, "Number"), |signal| signal.number().into()),
        Column::new(
            Key::new("default", Type::Word, "Default action: term, core, ign, stop or cont"),
            |signal| signal.default_action().word().into(),
        ),
        Column::new(Key::new("effect", Type::Word, "What the default action does"), |signal| {
            effect(signal.default_action()).into()
        }),
    ];
}

impl Verbs for Ls {
    const EXAMPLES: &'static [Example] =
        &[("List all signals", "ipc signal ls"), ("Find one", "ipc signal ls --filter number=15")];
    const JSON: &'static [Json] = &[Json::array::<Signal>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        self.listing.print(Signal::all(), &mut context.output)?;
        Ok(Exit::Done)
    }
}

fn effect(action: Action) -> &'static str {
    match action {
        Action::Terminate => "the process dies",
        Action::Core => "the process dies and dumps core",
        Action::Ignore => "nothing",
        Action::Stop => "the process stops",
        Action::Continue => "the process continues",
    }
}

/// A signal, or 0, which only checks whether a signal could be sent.
#[derive(Clone, Copy, Debug)]
struct Sendable(Option<Signal>);

impl FromStr for Sendable {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "0" { Ok(Self(None)) } else { text.parse().map(|signal| Self(Some(signal))) }
    }
}

impl fmt::Display for Sendable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(signal) => signal.fmt(f),
            None => f.write_str("0"),
        }
    }
}

/// A signal that a process can catch, block or ignore.
#[derive(Clone, Copy, Debug)]
struct Catchable(Signal);

impl FromStr for Catchable {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse()? {
            Signal::KILL | Signal::STOP => Err("no process can catch, block or ignore it"),
            signal => Ok(Self(signal)),
        }
    }
}
