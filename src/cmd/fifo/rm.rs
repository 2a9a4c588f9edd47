//! `ipc fifo rm`.

use std::path::PathBuf;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::remove;
use crate::base::exit::Exit;
use crate::mechanism::fifo;

use super::explain;

/// Remove FIFOs
///
/// Processes that have one open can still use it. A file of another type is not removed.
#[derive(Debug, clap::Args, Plain)]
pub struct Rm {
    /// Paths of FIFOs
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Ignore FIFOs that do not exist
    #[arg(short, long)]
    force: bool,
}

impl Action for Rm {
    const EXAMPLES: &'static [Example] = &[("Remove two FIFOs", "ipc fifo rm -f ./jobs ./log")];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        remove(&self.paths, self.force, &mut context.output, |path| {
            fifo::remove(path).map_err(explain)
        })
    }
}
