//! Numbers in a segment of a server.

use crate::app::command::Example;
use crate::app::context::Context;
use crate::app::listing::Json;
use crate::app::objects::report_wait;
use crate::app::options::{Format, TimeLimit, Waiting};
use crate::app::remote::{Remote, RemoteAction};
use crate::base::exit::{Exit, Failure, Subject};
use crate::cmd::shm::cells::{Cell, print_changed, usage};
use crate::cmd::shm::wait::Condition;
use crate::mechanism::memory::cell;
use crate::mechanism::memory::cell::Number;
use crate::mechanism::memory::segment;
use crate::mechanism::remote::{RemoteName, cells as numbers};

use super::{EXISTING, beyond, found, read, update};

/// Print numbers in a segment of a server
#[derive(Debug, clap::Args)]
pub struct Peek {
    /// Name of the segment
    name: RemoteName,
    #[command(flatten)]
    cell: Cell,
    /// Number of values
    #[arg(long, value_name = "N", default_value_t = 1)]
    count: u64,
    /// Separator, instead of a newline
    #[arg(long, default_value = "\n", hide_default_value = true, conflicts_with = "json")]
    sep: String,
    #[command(flatten)]
    printed: Format,
    #[command(flatten)]
    limit: TimeLimit,
}

impl RemoteAction for Peek {
    const EXAMPLES: &'static [Example] =
        &[("Print a counter", "ipc shm peek nats://broker/visits --type u64")];
    const JSON: &'static [Json] = &[Json::numbers()];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let record = read(&remote, &self.name, self.limit.deadline())?;
        let cell = self.cell.cell();
        let width = cell.format.kind.width().bytes();
        let length = self.count.saturating_mul(width);
        numbers::range(&record.value, cell.offset, length).map_err(beyond).about(&self.name)?;
        let mut texts = Vec::new();
        for place in 0..self.count {
            let cell = cell::Cell { offset: cell.offset + place * width, ..cell };
            let bits = numbers::load(&record.value, cell).map_err(beyond).about(&self.name)?;
            let number = cell.format.decode(bits);
            let is_json = self.printed.is_json();
            texts.push(if is_json { cell::Json(number).to_string() } else { number.to_string() });
        }
        if self.printed.is_json() {
            output.text(format_args!("[{}]\n", texts.join(",")))?;
        } else if !texts.is_empty() {
            output.text(format_args!("{}\n", texts.join(&self.sep)))?;
        }
        Ok(Exit::Done)
    }
}

/// Set numbers in a segment of a server
///
/// All numbers change at once. If one of them is no number of the type, or lies beyond the end, nothing is
/// changed.
#[derive(Debug, clap::Args)]
pub struct Poke {
    /// Name of the segment
    name: RemoteName,
    /// The number at the offset, and those behind it
    #[arg(required = true, value_name = "VALUE", allow_negative_numbers = true)]
    values: Vec<String>,
    #[command(flatten)]
    cell: Cell,
    #[command(flatten)]
    limit: TimeLimit,
}

impl RemoteAction for Poke {
    const EXAMPLES: &'static [Example] =
        &[("Wake waiters on any machine", "ipc shm poke nats://broker/ready --type u32 1")];

    fn run(self, remote: Remote, _: &mut Context) -> anyhow::Result<Exit> {
        let all = self.values.iter().map(|text| self.cell.parse(text));
        let all = all.collect::<anyhow::Result<Vec<Number>>>()?;
        let first = self.cell.cell();
        let width = first.format.kind.width().bytes();
        let stored = update(&remote, &self.name, None, self.limit.deadline(), |bytes| {
            (0..).zip(&all).try_for_each(|(place, &number)| {
                let offset = first.offset.saturating_add(place * width);
                numbers::store(bytes, cell::Cell { offset, ..first }, number)
            })
        });
        stored?.map_err(beyond).about(&self.name)?;
        Ok(Exit::Done)
    }
}

/// Add to a number in a segment of a server, and print the sum
///
/// Concurrent additions of all machines are counted. A sum beyond the type is refused.
///
/// If the connection breaks while the server answers, the number may have been added although the command
/// fails.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// Name of the segment
    name: RemoteName,
    /// Number to add, negative to subtract
    #[arg(allow_negative_numbers = true)]
    delta: String,
    #[command(flatten)]
    cell: Cell,
    #[command(flatten)]
    limit: TimeLimit,
}

impl RemoteAction for Add {
    const EXAMPLES: &'static [Example] =
        &[("Number the builds of all machines", "ipc shm add nats://broker/build --type u64 1")];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let kind = self.cell.kind;
        let delta = kind.parse_delta(&self.delta).map_err(usage).about(&self.delta)?;
        let place = self.cell.cell();
        let added = update(&remote, &self.name, None, self.limit.deadline(), |bytes| {
            let number = place.format.decode(numbers::load(bytes, place).map_err(beyond)?);
            let sum = kind.add(number, delta).map_err(|_| {
                Failure::failed(format!("the sum of {number} and {delta} is beyond {kind}"))
            })?;
            numbers::store(bytes, place, sum).map_err(beyond)?;
            Ok::<_, Failure>(sum)
        });
        print_changed(added?.about(&self.name)?, &mut context.output)?;
        Ok(Exit::Done)
    }
}

/// Set a number in a segment of a server if it is as expected
///
/// If several processes expect the same number, one succeeds. It prints the new number; the others print
/// the number that they found, and end with status 1.
#[derive(Debug, clap::Args)]
pub struct Cas {
    /// Name of the segment
    name: RemoteName,
    /// Expected number
    #[arg(allow_negative_numbers = true)]
    old: String,
    /// Number to set
    #[arg(allow_negative_numbers = true)]
    new: String,
    #[command(flatten)]
    cell: Cell,
    /// Refuse the change after one with a later token: status 5
    ///
    /// The token is that of IPC_LOCK_TOKEN in a COMMAND of 'ipc lock run'. The segment keeps the greatest
    /// token of its changes. So a COMMAND that goes on although it has lost the lock, as after its machine
    /// was paused, changes nothing once the next holder has changed the segment.
    #[arg(long, value_name = "TOKEN")]
    fence: Option<u64>,
    #[command(flatten)]
    limit: TimeLimit,
}

impl RemoteAction for Cas {
    const EXAMPLES: &'static [Example] = &[(
        "Change a number only as the last holder of a lock",
        "ipc shm cas nats://broker/state --fence \"$IPC_LOCK_TOKEN\" 1 2",
    )];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let (old, new) = (self.cell.parse(&self.old)?, self.cell.parse(&self.new)?);
        let place = self.cell.cell();
        let exchanged = update(&remote, &self.name, self.fence, self.limit.deadline(), |bytes| {
            let number = place.format.decode(numbers::load(bytes, place).map_err(Err)?);
            if number != old {
                return Err(Ok(number));
            }
            numbers::store(bytes, place, new).map_err(Err::<Number, segment::Error>)
        });
        match exchanged? {
            Ok(()) => {
                print_changed(new, output)?;
                Ok(Exit::Done)
            }
            Err(Ok(found)) => {
                output.line(found)?;
                Ok(Exit::No)
            }
            Err(Err(error)) => Err(beyond(error)).about(&self.name),
        }
    }
}

/// Wait until a number in a segment of a server satisfies a condition, and print it
#[derive(Debug, clap::Args)]
pub struct Wait {
    /// Name of the segment
    name: RemoteName,
    #[command(flatten)]
    cell: Cell,
    #[command(flatten)]
    condition: Condition,
    #[command(flatten)]
    waiting: Waiting,
}

impl RemoteAction for Wait {
    const EXAMPLES: &'static [Example] = &[(
        "Wait until a job on another machine is ready",
        "ipc shm wait nats://broker/ready --type u32 --eq 1 -t 10m",
    )];

    fn run(self, remote: Remote, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let (name, deadline) = (&self.name, self.waiting.deadline());
        let condition = self.condition.parse(self.cell)?;
        report_wait(output, name, self.condition.words());
        let waited = remote.with(name, EXISTING, deadline, |records| {
            numbers::wait(records, name.key(), self.cell.cell(), condition, deadline)
        });
        let waited = match waited {
            Ok(waited) => self.waiting.or_error(waited).about(name)?,
            Err(error) => found(Err(error), name)?,
        };
        output.line(waited.map_err(beyond).about(name)?)?;
        Ok(Exit::Done)
    }
}
