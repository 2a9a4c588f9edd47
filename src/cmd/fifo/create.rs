//! `ipc fifo create` and `ipc mkfifo`.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example, Statuses};
use crate::app::context::Context;
use crate::app::creation::Creation;
use crate::app::lifetime::{Lifetime, Limited};
use crate::app::objects::each;
use crate::base::exit::{Exit, Subject};
use crate::io::output::Output;
use crate::mechanism::fifo;
use crate::mechanism::temporary::Temporary;
use crate::run::keeper;

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
    #[command(flatten)]
    lifetime: Lifetime,
}

impl Action for Create {
    const EXAMPLES: &'static [Example] = &[
        ("Create a FIFO for the current user alone", "ipc fifo create ./jobs"),
        (
            "Create a FIFO that every user may write to, unless it exists",
            "ipc fifo create -e -m 0622 ./log",
        ),
        ("Create two for the time of a command", "ipc fifo create ./in ./out --while -- ./server"),
    ];
    const STATUSES: Statuses = Statuses::OfCommandIfAny;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        if self.lifetime.is_limited() {
            return self.lifetime.run(context, &self);
        }
        let mode = self.creation.mode();
        each(&self.paths, &mut context.output, |path, output| {
            let exists = || self.creation.accept(&fifo::find(path).map_err(explain)?);
            self.creation.make(path, output, || create(path, mode), exists).map(drop)
        })
    }
}

impl Limited for Create {
    fn make(&self, output: &Output) -> anyhow::Result<Option<i32>> {
        let mut made = Vec::new();
        for path in &self.paths {
            let make = || create(path, self.creation.mode());
            let exists = || self.creation.accept(&fifo::find(path).map_err(explain)?);
            let created = self.creation.make(path, output, make, exists);
            match created.and_then(|_| Ok(Temporary::file(path)?)).about(path) {
                Ok(object) => made.push(object),
                Err(error) => {
                    made.iter().for_each(keeper::Temporary::remove);
                    return Err(error);
                }
            }
        }
        Ok(None)
    }

    fn find(&self, _: Option<i32>) -> anyhow::Result<Vec<Temporary>> {
        self.paths.iter().map(|path| Temporary::file(path).about(path)).collect()
    }

    fn name(&self, _: Option<i32>) -> OsString {
        self.paths.first().map(OsString::from).unwrap_or_default()
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
    const STATUSES: Statuses = Statuses::OfCommandIfAny;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        self.create.run(context)
    }
}
