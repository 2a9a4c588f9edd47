//! `ipc signal wait`.

use std::mem::ManuallyDrop;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Effect, Example};
use crate::app::context::Context;
use crate::app::listing::{self, Column, Columns, Json};
use crate::app::options::Format;
use crate::app::options::Waiting;
use crate::app::ready::Ready;
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::Exit;
use crate::io::output::{Key, Output, Type, Unwritable, Value};
use crate::sys::signal::{Blocked, Received};

use super::Catchable;

/// Wait for signals, and print each
///
/// The line has the signal, the process and the user that sent it (the kernel has neither), and the
/// value if the signal was queued with one. The signals are blocked while the command waits, so that
/// none is lost: real-time signals are queued in order, and another signal is merged with a pending
/// one of the same number.
#[derive(Debug, clap::Args, Plain)]
pub struct Wait {
    /// Signals, such as USR1 or RTMIN+3
    #[arg(required = true, value_name = "SIGNAL")]
    signals: Vec<Catchable>,
    #[command(flatten)]
    waiting: Waiting,
    /// Wait for N signals
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "follow")]
    count: u64,
    /// Print signals until another signal ends the command
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    ready: Ready,
    #[command(flatten)]
    format: Format,
}

impl Action for Wait {
    const EXAMPLES: &'static [Example] = &[
        ("Wait for a signal from another script", "ipc signal wait USR1"),
        (
            "Send the signal only after the command waits for it",
            "ipc signal wait USR1 --ready ready.fifo & read pid <ready.fifo; kill -USR1 \"$pid\"",
        ),
    ];
    const EFFECT: Effect = Effect::Signals;
    const JSON: &'static [Json] = &[Json::lines::<Arrival>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let deadline = self.waiting.deadline();
        let signals = self.signals.iter().map(|&Catchable(signal)| signal);
        // They stay blocked: one more that is pending at the end has no effect on the process.
        let blocked = ManuallyDrop::new(Blocked::new(signals.collect()));
        let ready = self.ready.target()?;
        ready.write(std::process::id().to_string())?;
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
    /// The next signal. Pending output is written only before a wait, so that many signals at a time
    /// cost one write.
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
        let names: Vec<String> = self.signals.iter().map(|Catchable(it)| it.to_string()).collect();
        output.note(format_args!("waiting for {}", names.join(", ")));
        Ok(self.waiting.or_error(blocked.take(deadline)?)?)
    }
}

fn print(received: Received, format: Format, output: &mut Output) -> Result<(), Unwritable> {
    let Received { signal, sender, value } = received;
    if format.is_json() {
        return listing::line(&Arrival(received), output);
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

/// A line of JSON.
#[derive(Debug)]
struct Arrival(Received);

impl Columns for Arrival {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("signal", Type::Text, "Name, without SIG"), |it| {
            Value::text(it.0.signal.to_string())
        }),
        Column::new(Key::new("number", Type::Number, "Number of the signal"), |it| {
            it.0.signal.number().into()
        }),
        Column::new(
            Key::new("pid", Type::Number, "Process that sent it, if it is not the kernel")
                .or_null(),
            |it| it.0.sender.map(|(pid, _)| pid).into(),
        ),
        Column::new(Key::new("uid", Type::Number, "User of that process").or_null(), |it| {
            it.0.sender.map(|(_, uid)| uid).into()
        }),
        Column::new(
            Key::new("value", Type::Number, "Value that was queued with it").or_null(),
            |it| it.0.value.into(),
        ),
    ];
}
