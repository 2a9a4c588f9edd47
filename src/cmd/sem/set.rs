//! `ipc sem set`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::report;
use crate::app::ownership::{Ownable, Ownership, nothing_to_set};
use crate::base::exit::{Exit, Failure, Subject};
use crate::mechanism::semaphore::{self, Error, Name};

use super::{Member, explain, missing, not_for_this_kind, possible};

/// Set the value, the permissions or the owner
///
/// Waiters for which the new value suffices continue. While commands of 'ipc sem run' hold permits of a
/// POSIX semaphore it fails with status 5, as these permits would be counted twice when they come back.
/// The kernel forgets changes of a System V semaphore that it had to revert.
///
/// The permissions and the owner are those of the whole System V set. The owner of a POSIX semaphore may
/// change its permissions, and its group to another of its own groups; root may change the owner. The
/// owner and the creator of a System V set may change both. They need no permission to use the semaphore.
#[derive(Debug, clap::Args, Plain)]
pub struct Set {
    /// Name of the semaphore
    name: Name,
    /// New value
    value: Option<i64>,
    #[command(flatten)]
    ownership: Ownership,
    #[command(flatten)]
    member: Member,
}

impl Action for Set {
    const EXAMPLES: &'static [Example] = &[
        ("Begin anew", "ipc sem set /gpu 2"),
        ("Close the second semaphore of a set", "ipc sem set sysv:0x2a 0 --index 1"),
        ("Let a group use it", "ipc sem set /gpu --mode g+rw --owner :video"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        self.set().about(&self.name)?;
        report(&context.output, &self.name, "set");
        Ok(Exit::Done)
    }
}

impl Set {
    fn set(&self) -> Result<(), Failure> {
        if self.value.is_none() && !self.ownership.is_given() {
            return Err(nothing_to_set("a value, --mode or --owner"));
        }
        self.member.check(&self.name)?;
        if self.value.is_none() && self.member.index.is_some() {
            let reason =
                "--index is for a value: all semaphores of a set have the same permissions";
            return Err(not_for_this_kind(reason));
        }
        if let Some(value) = self.value {
            let value = possible(&self.name, value)?;
            let semaphore = self.member.open(&self.name)?;
            semaphore.set(value).map_err(|error| explain(&self.name, error))?;
        }
        match self.ownership.is_given() {
            true => self.set_ownership(),
            false => Ok(()),
        }
    }

    fn set_ownership(&self) -> Result<(), Failure> {
        let object = match &self.name {
            Name::Posix(_) => Ownable::File,
            Name::SystemV(_) => Ownable::SystemV,
        };
        let set = semaphore::set_ownership(&self.name, &self.ownership.change());
        set.map_err(|error| {
            let errno = match error {
                Error::Kernel(errno) => Some(errno),
                _ => None,
            };
            let failure = missing(explain(&self.name, error), &self.name);
            let failure = self.ownership.explain(failure, errno, object);
            match self.value {
                Some(_) => failure.adding("; the value is set"),
                None => failure,
            }
        })
    }
}
