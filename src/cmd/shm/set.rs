//! `ipc shm set` and `ipc map set`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::report;
use crate::app::ownership::{Ownable, Ownership};
use crate::base::exit::{Exit, Failure, Subject};

use super::{Operand, explain_open};

/// Change the permissions or the owner of a segment
///
/// The owner of a file or of a POSIX segment may change its permissions, and its group to another of its
/// own groups; root may change the owner. The owner and the creator of a System V segment may change
/// both. They need no permission to use the segment. Processes that have opened it keep it as it is.
#[derive(Debug, clap::Args, Plain)]
pub struct Set<O: Operand> {
    /// Name of the segment
    #[arg(value_name = O::WORD)]
    name: O,
    #[command(flatten)]
    ownership: Ownership,
}

impl<O: Operand> Action for Set<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.set;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        self.set().about(&self.name)?;
        report(&context.output, &self.name, "set");
        Ok(Exit::Done)
    }
}

impl<O: Operand> Set<O> {
    fn set(&self) -> Result<(), Failure> {
        let change = self.ownership.required()?;
        let object = match self.name.is_system_v() {
            true => Ownable::SystemV,
            false => Ownable::File,
        };
        self.name.engine().set_ownership(&change).map_err(|error| {
            let errno = error.errno();
            self.ownership.explain(explain_open(&self.name, error), errno, object)
        })
    }
}
