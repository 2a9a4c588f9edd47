//! `ipc fifo create` and `ipc mkfifo`.

use std::path::PathBuf;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::creation::Creation;
use crate::app::objects::each;
use crate::base::exit::Exit;
use crate::mechanism::fifo;

use super::{create, explain};

/// Create FIFOs
///
/// If one of them fails, the others are still created. The permissions are exactly the requested
/// ones, whatever the umask.
#[derive(Debug, clap::Args, Plain)]
pub struct Create {
    /// Paths of the new FIFOs
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    creation: Creation,
}

impl Action for Create {
    const EXAMPLES: &'static [Example] = &[
        ("Create a FIFO for the current user alone", "ipc fifo create ./jobs"),
        (
            "Create a FIFO that every user may write to, unless it exists",
            "ipc fifo create -e -m 0622 ./log",
        ),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let mode = self.creation.mode();
        each(&self.paths, &mut context.output, |path, output| {
            let exists = || self.creation.accept(&fifo::find(path).map_err(explain)?);
            self.creation.make(path, output, || create(path, mode), exists).map(drop)
        })
    }
}

/// Create FIFOs
///
/// This is the same as 'ipc fifo create'. If a link with the name 'mkfifo' calls this program, it
/// runs as the standard mkfifo instead.
#[derive(Debug, clap::Args, Plain)]
pub struct Mkfifo {
    #[command(flatten)]
    create: Create,
}

impl Action for Mkfifo {
    const EXAMPLES: &'static [Example] = &[("Create two FIFOs", "ipc mkfifo ./request ./reply")];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        self.create.run(context)
    }
}
