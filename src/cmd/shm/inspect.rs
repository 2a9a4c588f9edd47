//! Showing, listing and removing segments.

use std::marker::PhantomData;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{self, Json, Listing};
use crate::app::machine::Part;
use crate::app::options::Format;
use crate::base::exit::{Exit, Subject, about};
use crate::mechanism::memory::segment::Listing as Segments;
use crate::sys::process::{Holders, HoldersOfMany};

use crate::app::objects::{list, remove, warn_of_hidden};
use crate::cmd::shm::columns::{Listed, Shown};
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
    const JSON: &'static [Json] = &[Json::object::<Shown<O>>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let segment = self
            .name
            .engine()
            .describe()
            .map_err(|error| explain(&self.name, error))
            .about(&self.name)?;
        let holders = Holders::of(segment.object);
        let shown = Shown::<O>(Listed { segment, holders, kind: PhantomData });
        listing::show(&shown, self.format, output)?;
        Ok(Exit::Done)
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
    listing: Listing<Listed<O>>,
}

impl<O: Operand> Action for Ls<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.ls;
    const JSON: &'static [Json] = &[Json::array::<Listed<O>>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let Segments { found: all, unlisted } = O::list();
        let everybody = match self.listing.needs("holders") {
            true => HoldersOfMany::find(all.iter().map(|segment| segment.object)),
            false => HoldersOfMany::default(),
        };
        let is_empty = all.is_empty();
        let rows = all.into_iter().map(|segment| Listed {
            holders: everybody.of(segment.object),
            segment,
            kind: PhantomData,
        });
        let unlisted = unlisted
            .into_iter()
            .map(|(place, errno)| about(Part::listed_at(place).explain(errno), place));
        let exit = list(&self.listing, rows, unlisted.collect(), output)?;
        // If nothing could be listed, its holders need no warning.
        if exit == Exit::Done || !is_empty {
            warn_of_hidden(everybody.hidden(), &self.listing, output)?;
        }
        Ok(exit)
    }
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
