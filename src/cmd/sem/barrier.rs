//! `ipc sem barrier`.

use std::path::Path;

use clap::builder::RangedI64ValueParser;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::machine::Part;
use crate::app::objects::{no_room_in, report_wait, wait_verbosely};
use crate::app::options::Waiting;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::mechanism::barrier::{self, BarrierName, Error, PARTIES_MAX};
use crate::sys::dev_shm;

/// Wait until all parties have arrived
///
/// It ends in all parties at once, and then the name can be used again. A barrier needs no creation and no
/// removal. A party that times out or is killed while it waits is not counted any more, and the others go
/// on waiting; another process can take its part.
///
/// The parties are processes of one user. If the last waiting party is ended by KILL, an empty barrier
/// remains, the file /dev/shm/ipc-barrier.NAME. It is harmless: the next party uses it, or replaces it if
/// it was for another number.
#[derive(Debug, clap::Args, Plain)]
pub struct Barrier {
    /// Name of the barrier, such as /ready; semaphores have other names
    name: BarrierName,
    /// Number of parties, including this one
    #[arg(
        long,
        value_name = "N",
        value_parser = RangedI64ValueParser::<u32>::new().range(1..=PARTIES_MAX.into())
    )]
    parties: u32,
    #[command(flatten)]
    waiting: Waiting,
}

impl Action for Barrier {
    const EXAMPLES: &'static [Example] = &[
        (
            "Let three workers begin at the same time",
            "ipc sem barrier /start --parties 3 && ./work",
        ),
        (
            "Meet another script, which runs the same command",
            "ipc sem barrier /meet --parties 2 -t 1m",
        ),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let deadline = self.waiting.deadline();
        let tell = || {
            report_wait(output, &self.name, format_args!("until {} have arrived", self.parties));
        };
        let waited = wait_verbosely(output, deadline, tell, |until| {
            barrier::wait(&self.name, self.parties, until)
        });
        let waited = waited.map_err(explain);
        self.waiting.or_error(waited.about(&self.name)?).about(&self.name)?;
        Ok(Exit::Done)
    }
}

/// The message, status and hint for an error.
fn explain(error: Error) -> Failure {
    match error {
        Error::Kernel(errno @ Errno(libc::ENOSPC)) => {
            no_room_in(Path::new(dev_shm::DIRECTORY), errno)
        }
        Error::Kernel(errno) => Part::DevShm.explain(errno),
        Error::Parties(there) => Failure::new(Exit::InUse, error.to_string())
            .hint(format!("all parties need the same number: --parties {there}")),
        Error::Foreign => Failure::new(Exit::Denied, error.to_string())
            .hint("choose another name, or see what is in /dev/shm"),
        Error::Lost => Failure::failed(error.to_string()),
    }
}
