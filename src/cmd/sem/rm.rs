//! `ipc sem rm`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects;
use crate::base::exit::{Exit, Failure};
use crate::mechanism::semaphore::{self, Error, Name};

use super::explain;

/// Remove semaphores
///
/// Processes that have a POSIX semaphore open, or wait for it, go on using it; a new semaphore of the
/// same name is another one. So a semaphore of which commands of 'ipc sem run' hold permits is removed
/// only with --force; without it, the status is 5. Waiters for a semaphore of a System V set fail with
/// status 4.
#[derive(Debug, clap::Args, Plain)]
pub struct Rm {
    /// Names of semaphores
    #[arg(required = true)]
    names: Vec<Name>,
    /// Ignore missing semaphores, and remove semaphores that are in use
    #[arg(short, long)]
    force: bool,
}

impl Action for Rm {
    const EXAMPLES: &'static [Example] = &[("Tidy up", "ipc sem rm -f /gpu /start sysv:0x2a")];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        objects::remove(&self.names, self.force, &mut context.output, |name| self.remove(name))
    }
}

impl Rm {
    fn remove(&self, name: &Name) -> Result<(), Failure> {
        match semaphore::held(name) {
            held @ 1.. if !self.force => {
                Err(Failure::new(Exit::InUse, Error::Held(held).to_string())
                    .hint("'ipc sem stat' names the holders; -f removes it all the same"))
            }
            _ => semaphore::remove(name).map_err(|error| explain(name, error)),
        }
    }
}
