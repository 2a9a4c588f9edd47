//! What segments there are, what is known of them, and removing them.

use crate::cli::{Example, Run};
use crate::exit::{Exit, Subject};
use crate::output::{Format, Output, Record};
use crate::sys::segment::{Fact, Value};

use super::{Operand, explain};

/// Show all that is known of a segment
///
/// That is its size, its owner and permissions, its times, and who has it open or mapped; of a
/// System V segment also its key and identifier, who made it, who used it last, and whether it
/// goes when the last one detaches.
#[derive(Debug, clap::Args)]
pub struct Stat<O: Operand> {
    /// Name of the segment
    #[arg(value_name = O::WORD)]
    name: O,
    #[command(flatten)]
    format: Format,
}

impl<O: Operand> Run for Stat<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.stat;

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let (facts, holders) = self.name.describe().map_err(explain).about(&self.name)?;
        let record = facts.into_iter().fold(Record::new(), with_fact);
        output.show(&super::super::holders(record, &holders), self.format)?;
        Ok(Exit::Done)
    }
}

fn with_fact(record: Record, Fact { key, value }: Fact) -> Record {
    match value {
        Value::Name(name) => record.bytes(key, name.as_encoded_bytes()),
        Value::Number(number) => record.number(key, number),
        Value::Key(number) => {
            record.field(key, number.into(), format!("{number:#010x}").into_bytes())
        }
        Value::Mode(mode) => record.mode(key, mode),
        Value::Time(seconds) => record.time(key, seconds),
        Value::Flag(flag) => record.flag(key, flag),
    }
}

/// List the segments of this machine
///
/// Under 'shm' these are POSIX objects, then System V segments; under 'map', files that some
/// process has mapped in order to share them.
#[derive(Debug, clap::Args)]
pub struct Ls<O: Operand> {
    #[command(flatten)]
    format: Format,
    #[arg(skip)]
    kind: std::marker::PhantomData<O>,
}

impl<O: Operand> Run for Ls<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.ls;

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        let entries = O::list()?;
        let records = entries.into_iter().map(|entry| {
            Record::new()
                .bytes("name", entry.name.as_encoded_bytes())
                .number("size", entry.size)
                .mode("mode", entry.mode)
                .number("uid", entry.uid)
                .number("gid", entry.gid)
                .time("changed", entry.changed)
        });
        output.list(&records.collect::<Vec<_>>(), self.format)?;
        Ok(Exit::Done)
    }
}

/// Remove segments
///
/// Those who have one open go on using it; a new one of the same name is another one.
#[derive(Debug, clap::Args)]
pub struct Rm<O: Operand> {
    /// Names of segments
    #[arg(required = true, value_name = O::WORD)]
    names: Vec<O>,
    /// Ignore what does not exist
    #[arg(short, long)]
    force: bool,
}

impl<O: Operand> Run for Rm<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.rm;

    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        Ok(super::super::remove(&self.names, self.force, output, |name| {
            name.remove().map_err(explain)
        }))
    }
}
