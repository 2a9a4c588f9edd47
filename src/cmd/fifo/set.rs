//! `ipc fifo set`.

use std::path::PathBuf;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::report;
use crate::app::ownership::{Ownable, Ownership};
use crate::base::exit::{Exit, Failure, Subject};
use crate::mechanism::fifo::{self, Error};

use super::explain;

/// Change the permissions or the owner of a FIFO
///
/// The FIFO is not opened, so that its readers and writers do not notice it. Its owner may change its
/// permissions, and its group to another of its own groups; root may change the owner. Processes that
/// have opened it keep it.
#[derive(Debug, clap::Args, Plain)]
pub struct Set {
    /// Path of the FIFO
    #[arg(value_name = "PATH")]
    path: PathBuf,
    #[command(flatten)]
    ownership: Ownership,
}

impl Action for Set {
    const EXAMPLES: &'static [Example] = &[
        ("Let every user write to it", "ipc fifo set ./log --mode a+w"),
        ("Let a group use it", "ipc fifo set ./jobs --mode 0660 --owner :staff"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        self.set().about(&self.path)?;
        report(&context.output, &self.path, "set");
        Ok(Exit::Done)
    }
}

impl Set {
    fn set(&self) -> Result<(), Failure> {
        let change = self.ownership.required()?;
        fifo::set_ownership(&self.path, &change).map_err(|error| {
            let errno = match error {
                Error::Kernel(errno) => Some(errno),
                _ => None,
            };
            self.ownership.explain(explain(error), errno, Ownable::File)
        })
    }
}
