//! Showing, listing and removing segments.

use serde_json::Value as Json;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::machine::Part;
use crate::app::options::Format;
use crate::base::exit::{Exit, Subject, about};
use crate::io::output::Record;
use crate::mechanism::memory::segment::{Description, Fact, Listing, Value};
use crate::sys::process::{Holders, HoldersOfMany};

use crate::app::objects::{holders, list, listed_holders, remove, warn_of_hidden};
use crate::cmd::shm::{Operand, explain};

/// Show the properties of a segment
///
/// These are its size, owner, permissions, times, and the processes that have it open or mapped. A
/// System V segment also has a key, an identifier, a creator, the last process that used it, and a mark
/// if it is removed when the last process detaches it.
#[derive(Debug, clap::Args, Plain)]
pub struct Stat<O: Operand> {
    /// Name of the segment
    #[arg(value_name = O::WORD)]
    name: O,
    #[command(flatten)]
    format: Format,
}

impl<O: Operand> Action for Stat<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.stat;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let Description { facts, object } = self
            .name
            .engine()
            .describe()
            .map_err(|error| explain(&self.name, error))
            .about(&self.name)?;
        let record = facts.into_iter().fold(Record::new(), with_fact);
        output.show(&holders(record, &Holders::of(object)), self.format)?;
        Ok(Exit::Done)
    }
}

fn with_fact(record: Record, Fact { key, value }: Fact) -> Record {
    match value {
        Value::Name(name) => record.bytes(key, name.as_encoded_bytes()),
        Value::Number(number) => record.number(key, number),
        Value::Mode(mode) => record.mode(key, mode),
        Value::Time(seconds) => record.time(key, seconds),
        Value::Flag(flag) => record.flag(key, flag),
    }
}

/// List the segments of this machine
///
/// Under 'shm' these are POSIX objects, then System V segments; under 'map', files that a process has a
/// shared mapping of. The holders are the processes that have a segment open, mapped or attached. Some
/// processes may not be visible: their number is printed on stderr, and '-' means that no visible
/// process is a holder. --json prints the properties that 'stat' shows.
#[derive(Debug, clap::Args, Plain)]
pub struct Ls<O: Operand> {
    #[command(flatten)]
    format: Format,
    #[arg(skip)]
    kind: std::marker::PhantomData<O>,
}

impl<O: Operand> Action for Ls<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.ls;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let Listing { found: all, unlisted } = O::list();
        let holders = HoldersOfMany::find(all.iter().map(|segment| segment.object));
        let columns: Vec<&str> = COLUMNS
            .into_iter()
            .filter(|key| all.iter().any(|segment| segment.fact(key).is_some()))
            .collect();
        let records: Vec<Record> = all
            .into_iter()
            .map(|segment| {
                let record = in_columns(&segment, &columns);
                listed_holders(record, &holders.of(segment.object))
            })
            .collect();
        let unlisted = unlisted
            .into_iter()
            .map(|(place, errno)| about(Part::listed_at(place).explain(errno), place));
        let exit = list(&records, unlisted.collect(), self.format, output)?;
        // If nothing could be listed, its holders need no warning.
        if exit == Exit::Done || !records.is_empty() {
            warn_of_hidden(holders.hidden(), self.format, output)?;
        }
        Ok(exit)
    }
}

/// The columns of a listing, if a segment has them. JSON contains all facts.
const COLUMNS: [&str; 8] =
    ["name", "size", "mode", "uid", "gid", "changed", "attachments", "marked_for_removal"];

fn in_columns(segment: &Description, columns: &[&'static str]) -> Record {
    let record = columns.iter().fold(Record::new(), |record, key| match segment.fact(key) {
        Some(fact) => with_fact(record, fact.clone()),
        None => record.field(key, Json::Null, b"-".as_slice()),
    });
    let others = segment.facts.iter().filter(|fact| !columns.contains(&fact.key));
    let others = others.cloned().fold(Record::new(), with_fact);
    record.with_json_of(others)
}

/// Remove segments
///
/// A process that has opened a segment keeps it. A new segment of the same name is another one.
#[derive(Debug, clap::Args, Plain)]
pub struct Rm<O: Operand> {
    /// Names of segments
    #[arg(required = true, value_name = O::WORD)]
    names: Vec<O>,
    /// Ignore segments that do not exist
    #[arg(short, long)]
    force: bool,
}

impl<O: Operand> Action for Rm<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.rm;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        remove(&self.names, self.force, output, |name| {
            name.engine().remove().map_err(|error| explain(name, error))
        })
    }
}
