//! `ipc sem set`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::base::exit::{Exit, Subject};
use crate::mechanism::semaphore::Name;

use super::{Member, explain, possible};

/// Set the value
///
/// Waiters for which the new value suffices continue. While commands of 'ipc sem run' hold permits of a
/// POSIX semaphore it fails with status 5, as these permits would be counted twice when they come back.
/// The kernel forgets changes of a System V semaphore that it had to revert.
#[derive(Debug, clap::Args, Plain)]
pub struct Set {
    /// Name of the semaphore
    name: Name,
    /// New value
    value: i64,
    #[command(flatten)]
    member: Member,
}

impl Action for Set {
    const EXAMPLES: &'static [Example] = &[
        ("Begin anew", "ipc sem set /gpu 2"),
        ("Close the second semaphore of a set", "ipc sem set sysv:0x2a 0 --index 1"),
    ];

    fn run(self, _: &mut Context) -> anyhow::Result<Exit> {
        let value = possible(&self.name, self.value).about(&self.name)?;
        let semaphore = self.member.open(&self.name).about(&self.name)?;
        semaphore.set(value).map_err(|error| explain(&self.name, error)).about(&self.name)?;
        Ok(Exit::Done)
    }
}
