//! `ipc queue set`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::{not_there, report};
use crate::app::ownership::{Ownable, Ownership};
use crate::base::exit::{Exit, Failure, Subject};
use crate::mechanism::queue::named::RingName;
use crate::mechanism::queue::ring::Error;

use super::{CREATE, explain};

/// Change the permissions or the owner of a queue
///
/// The owner of a queue may change its permissions, and its group to another of its own groups; root may
/// change the owner. A user of a queue needs permission to read and to write, for 'push' and for 'pop'.
/// Processes that have opened it keep it.
#[derive(Debug, clap::Args, Plain)]
pub struct Set {
    /// Name of the queue
    name: RingName,
    #[command(flatten)]
    ownership: Ownership,
}

impl Action for Set {
    const EXAMPLES: &'static [Example] =
        &[("Let a group use it", "ipc queue set /jobs --mode 0660 --owner :staff")];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        self.set().about(&self.name)?;
        report(&context.output, &self.name, "set");
        Ok(Exit::Done)
    }
}

impl Set {
    fn set(&self) -> Result<(), Failure> {
        let change = self.ownership.required()?;
        self.name.set_ownership(&change).map_err(|error| {
            let errno = match error {
                Error::Kernel(errno) => Some(errno),
                _ => None,
            };
            let failure = not_there(explain(error, &self.name), &self.name, CREATE);
            self.ownership.explain(failure, errno, Ownable::File)
        })
    }
}
