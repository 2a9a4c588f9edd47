//! `ipc sem barrier`.

use clap::builder::RangedI64ValueParser;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::{tell_wait, wait_aloud};
use crate::app::options::Waiting;
use crate::base::exit::{Exit, Failure, Subject};
use crate::mechanism::barrier;
use crate::mechanism::barrier::{BarrierName, Error, PARTIES_MAX};

use super::explain_posix;

/// Wait until all parties have come
///
/// It ends in all of them at once, and then the name serves for the next time. Nobody has to create
/// or remove anything. Who gives up, or is killed while waiting, is not counted any more, and the
/// others go on waiting; who comes instead is as good.
///
/// The parties are processes of one user. If the last who waits is ended by KILL, an empty barrier
/// stays behind, the file /dev/shm/ipc-barrier.NAME. It does no harm: whoever comes next uses it, or
/// makes another one if it was for another number.
#[derive(Debug, clap::Args, Plain)]
pub struct Barrier {
    /// Name of the barrier, such as /ready, which is no semaphore's
    name: BarrierName,
    /// How many have to come, the caller among them
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
            "Have a rendezvous with another script: each says this, and then both go on",
            "ipc sem barrier /meet --parties 2 -t 1m",
        ),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let deadline = self.waiting.deadline();
        let tell = || {
            tell_wait(output, &self.name, format_args!("until {} have come", self.parties));
        };
        let waited = wait_aloud(output, deadline, tell, |until| {
            barrier::wait(&self.name, self.parties, until)
        });
        let waited = waited.map_err(explain);
        self.waiting.or_error(waited.about(&self.name)?).about(&self.name)?;
        Ok(Exit::Done)
    }
}

/// Puts the way out beside the reason.
fn explain(error: Error) -> Failure {
    match error {
        Error::Kernel(errno) => explain_posix(errno.into()),
        Error::Parties(there) => Failure::new(Exit::InUse, error.to_string())
            .hint(format!("all have to say the same: --parties {there}")),
        Error::Foreign => Failure::new(Exit::Denied, error.to_string())
            .hint("choose another name, or see what is in /dev/shm"),
        Error::Lost => Failure::failed(error.to_string()),
    }
}
