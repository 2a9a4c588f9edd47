//! `ipc signal` with names of a server.

use crate::app::command::{Example, Manual, Noun, Verb};
use crate::app::context::Context;
use crate::app::listing::{self, Column, Columns, Json};
use crate::app::objects;
use crate::app::options::{Format, TimeLimit, Waiting, done};
use crate::app::ready::Ready;
use crate::app::remote::{Remote, RemoteAction, finished};
use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::signal::Signal;
use crate::io::output::{Key, Output, Type, Unwritable, Value};
use crate::mechanism::remote::signal::{Listener, Notice, Signals};
use crate::mechanism::remote::{Error, RemoteName};
use crate::sys::process;

use super::{Catchable, Sendable};

pub const NOUN: Noun = Noun {
    name: "signal",
    about: "Send signals by a server",
    verbs: &[Verb::remote::<Send>("send"), Verb::remote::<Wait>("wait")],
    see_also: &[],
    manual: Manual::NONE,
};

fn signals(
    remote: &Remote,
    name: &RemoteName,
    deadline: Deadline,
) -> Result<Waited<Box<dyn Signals>>, Error> {
    Ok(remote.connect(name, deadline)?.map(|server| server.signals()))
}

/// Send a signal to all processes that wait for it at a name
///
/// A name of a server is not a process: a signal reaches each 'ipc signal wait' that waits at this name at
/// this moment, on any machine, at most once. It is not kept for later, and interrupts nothing. The status
/// is 4 if no process waits there, for this signal or another one. Signal 0 only tests that.
#[derive(Debug, clap::Args)]
pub struct Send {
    /// Signal, such as HUP, 1, RTMIN+3, or 0
    signal: Sendable,
    /// Names, such as nats://HOST/NAME
    #[arg(required = true)]
    names: Vec<RemoteName>,
    #[command(flatten)]
    limit: TimeLimit,
}

impl RemoteAction for Send {
    const EXAMPLES: &'static [Example] = &[(
        "Have the workers of all machines read their configuration",
        "ipc signal send HUP nats://broker/workers",
    )];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let notice = Notice {
            signal: self.signal.to_string(),
            host: process::host_name(),
            pid: std::process::id().into(),
        };
        let deadline = self.limit.deadline();
        objects::each(&self.names, &mut context.output, |name, _| -> Result<(), Failure> {
            let sent = signals(&remote, name, deadline).and_then(|waited| match waited {
                Waited::Done(mut signals) => signals.send(name.key(), &notice, deadline),
                Waited::TimedOut => Ok(Waited::TimedOut),
            });
            match done(sent.map_err(Failure::from))? {
                true => Ok(()),
                false => Err(Failure::new(Exit::NotFound, "no process waits there")),
            }
        })
    }
}

/// Wait for signals at a name of a server, and print each
///
/// The line has the signal, and the machine and the process that sent it. A signal that is sent before the
/// command waits is lost; --ready says when it waits. A signal that is sent while the connection is broken
/// is lost as well.
#[derive(Debug, clap::Args)]
pub struct Wait {
    /// Signals, such as HUP or RTMIN+3
    #[arg(required = true, value_name = "SIGNAL")]
    signals: Vec<Catchable>,
    /// Name, such as nats://HOST/NAME
    name: RemoteName,
    #[command(flatten)]
    waiting: Waiting,
    /// Wait for N signals
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "follow")]
    count: u64,
    /// Print signals until a signal ends the command
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    ready: Ready,
    #[command(flatten)]
    format: Format,
}

impl RemoteAction for Wait {
    const EXAMPLES: &'static [Example] = &[(
        "Reload when any machine says so",
        "while ipc signal wait HUP nats://broker/workers; do ./reload; done",
    )];
    const JSON: &'static [Json] = &[Json::lines::<Arrival>()];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let (output, deadline) = (&mut context.output, self.waiting.deadline());
        let ready = self.ready.target()?;
        let listener = signals(&remote, &self.name, deadline).and_then(|waited| match waited {
            Waited::Done(signals) => signals.listen(self.name.key(), deadline),
            Waited::TimedOut => Ok(Waited::TimedOut),
        });
        let mut listener = finished(listener, self.waiting, &self.name)?;
        ready.write(std::process::id().to_string())?;
        let mut left = if self.follow { u64::MAX } else { self.count };
        while left > 0 {
            let arrival = self.next(&mut *listener, deadline, output)?;
            if self.signals.iter().any(|&Catchable(signal)| signal == arrival.signal) {
                print(arrival, self.format, output)?;
                left -= 1;
            }
        }
        Ok(Exit::Done)
    }
}

impl Wait {
    /// The next signal. Pending output is written only before a wait.
    fn next(
        &self,
        listener: &mut dyn Listener,
        deadline: Deadline,
        output: &mut Output,
    ) -> anyhow::Result<Arrival> {
        loop {
            output.flush()?;
            let names: Vec<String> = self.signals.iter().map(|it| it.0.to_string()).collect();
            output.note(format_args!("waiting for {}", names.join(", ")));
            let notice = listener.next(deadline).map_err(Failure::from).about(&self.name)?;
            let notice = self.waiting.or_error(notice).about(&self.name)?;
            // What is no signal is not for this command.
            if let Ok(signal) = notice.signal.parse() {
                return Ok(Arrival { signal, notice });
            }
        }
    }
}

fn print(arrival: Arrival, format: Format, output: &mut Output) -> Result<(), Unwritable> {
    if format.is_json() {
        return listing::line(&arrival, output);
    }
    let Arrival { signal, notice } = arrival;
    output.text(signal)?;
    if !notice.host.is_empty() {
        let host = crate::io::output::escape(notice.host.as_bytes()).into_owned();
        output.text(format_args!(" host={host} pid={}", notice.pid))?;
    }
    output.text("\n")
}

/// A signal that has arrived.
#[derive(Debug)]
struct Arrival {
    signal: Signal,
    notice: Notice,
}

impl Columns for Arrival {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("signal", Type::Text, "Name, without SIG"), |it| {
            Value::text(it.signal.to_string())
        }),
        Column::new(Key::new("number", Type::Number, "Number of the signal"), |it| {
            it.signal.number().into()
        }),
        Column::new(Key::new("host", Type::Text, "Machine of the sender").or_null(), |it| match it
            .notice
            .host
            .as_str()
        {
            "" => Value::MISSING,
            host => Value::text(host),
        }),
        Column::new(Key::new("pid", Type::Number, "Process of the sender there").or_null(), |it| {
            Some(it.notice.pid).filter(|&pid| pid != 0).into()
        }),
    ];
}
