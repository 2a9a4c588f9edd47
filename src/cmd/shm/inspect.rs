//! What segments there are, what is known of them, and removing them.

use serde_json::Value as Json;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::machine::Part;
use crate::app::options::Format;
use crate::base::exit::{Exit, Subject, about};
use crate::io::output::Record;
use crate::mechanism::memory::segment::{Description, Fact, Listed, Value};
use crate::sys::process::{Holders, HoldersOfMany};

use crate::app::objects::{holders, list, listed_holders, remove, warn_of_hidden};
use crate::cmd::shm::{Operand, explain_of};

/// Show all that is known of a segment
///
/// That is its size, its owner and permissions, its times, and who has it open or mapped; of a
/// System V segment also its key and identifier, who made it, who used it last, and whether it
/// goes when the last one detaches.
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
            .describe()
            .map_err(|error| explain_of(&self.name, error))
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
/// Under 'shm' these are POSIX objects, then System V segments; under 'map', files that some
/// process has mapped in order to share them. The holders are the processes that have one open,
/// mapped or attached, as far as they can be seen; '-' is none of those. How many processes cannot be
/// seen is said on stderr. --json tells of each what 'stat' does.
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
        let Listed { found: all, unlisted } = O::list();
        let everybody = HoldersOfMany::find(all.iter().map(|segment| segment.object));
        let columns: Vec<&str> = COLUMNS
            .into_iter()
            .filter(|key| all.iter().any(|segment| segment.fact(key).is_some()))
            .collect();
        let records: Vec<Record> = all
            .into_iter()
            .map(|segment| {
                let record = in_columns(&segment, &columns);
                listed_holders(record, &everybody.of(segment.object))
            })
            .collect();
        let unlisted = unlisted
            .into_iter()
            .map(|(place, errno)| about(Part::listed_at(place).explain(errno), place));
        let exit = list(&records, unlisted.collect(), self.format, output)?;
        // Where nothing could be listed, the holders are not what is missing.
        if exit == Exit::Done || !records.is_empty() {
            warn_of_hidden(everybody.hidden(), self.format, output)?;
        }
        Ok(exit)
    }
}

/// What a listing shows to people, of segments that have it. Programs are told everything.
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
/// Those who have one open go on using it; a new one of the same name is another one.
#[derive(Debug, clap::Args, Plain)]
pub struct Rm<O: Operand> {
    /// Names of segments
    #[arg(required = true, value_name = O::WORD)]
    names: Vec<O>,
    /// Ignore what does not exist
    #[arg(short, long)]
    force: bool,
}

impl<O: Operand> Action for Rm<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.rm;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        remove(&self.names, self.force, output, |name| {
            name.remove().map_err(|error| explain_of(name, error))
        })
    }
}
