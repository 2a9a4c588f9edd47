//! `ipc sem create`.

use std::ffi::OsString;

use clap::builder::RangedU64ValueParser;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example, Statuses};
use crate::app::context::Context;
use crate::app::creation::Creation;
use crate::app::lifetime::{Lifetime, Limited, name_or_id};
use crate::app::objects::print_name;
use crate::app::trust::Accepted;
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::output::Output;
use crate::mechanism::semaphore::{self, Error, Name, Properties, Semaphore};
use crate::mechanism::temporary::Temporary;
use crate::sys::system_v::{Kind, NewObject};

use super::{explain, not_for_this_kind, possible};

/// Create a semaphore, or a System V set of semaphores
///
/// It fails with status 5 if there is a semaphore of that name. A POSIX semaphore is one of the C
/// library: programs open it with sem_open(3), and a System V set with semget(2). The semaphore stays
/// when the processes that use it end, until the machine goes down.
///
/// Programs that are linked to musl have POSIX semaphores of their own, in other files of /dev/shm and
/// in another layout, and do not share them with 'ipc' or with programs that are linked to glibc. A
/// System V set is the same for all programs.
///
/// With --exist-ok an existing System V set has to be complete: it was changed once, or has the
/// requested values. A set that is not complete within a second is refused with status 5: its creator
/// was killed, or sets values as ipcmk(1) does.
///
/// 'sysv:0' creates a set without a key, and prints its name.
#[derive(Debug, clap::Args, Plain)]
pub struct Create {
    /// Name of the semaphore, such as /jobs, or sysv:0x2a
    name: Name,
    /// Initial value
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    value: i64,
    /// Number of semaphores in a System V set
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u16>::new().range(1..))]
    nsems: Option<u16>,
    /// Set the value of an existing semaphore
    ///
    /// With --mode it also sets the permissions. The kernel forgets changes of a System V set that it had
    /// to revert. It fails with status 5 while commands of 'ipc sem run' hold permits of a POSIX
    /// semaphore, which would be counted twice.
    #[arg(long, requires = "exist_ok", conflicts_with = "temporary")]
    reset: bool,
    #[command(flatten)]
    creation: Creation,
    #[command(flatten)]
    lifetime: Lifetime,
}

impl Action for Create {
    const EXAMPLES: &'static [Example] = &[
        ("Let two jobs run at a time", "ipc sem create /gpu --value 2"),
        ("Make sure that it exists, for all users", "ipc sem create -e -m a=rw /gpu"),
        ("Create a System V set of three", "ipc sem create sysv:0x2a --nsems 3 --value 1"),
        (
            "Create it for the time of a command",
            "ipc sem create /gpu --value 2 --while -- ./train-all",
        ),
    ];
    const STATUSES: Statuses = Statuses::OfCommandIfAny;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let name = &self.name;
        possible(name, self.value).about(name)?;
        if self.lifetime.is_limited() {
            return self.lifetime.run(context, &self);
        }
        let output = &mut context.output;
        let made = self.create(output).about(name)?;
        if let Some(chosen) = made.flatten().and_then(NewObject::own_name) {
            let remove = || semaphore::remove(&Name::SystemV(chosen.clone()));
            print_name(&chosen, output, remove)?;
        }
        Ok(Exit::Done)
    }
}

impl Create {
    /// Creates the semaphore; `None` if it exists already.
    fn create(&self, output: &Output) -> anyhow::Result<Option<Option<NewObject>>> {
        let name = &self.name;
        let value = possible(name, self.value)?;
        if matches!(name, Name::Posix(_)) && self.nsems.is_some() {
            let reason = "--nsems is for System V sets; a POSIX semaphore stands alone";
            return Err(not_for_this_kind(reason).into());
        }
        let set_size = self.nsems.unwrap_or(1);
        let properties = Properties { value, set_size, mode: self.creation.mode() };
        let create = || semaphore::create(name, properties).map_err(|error| explain(name, error));
        let exists = || self.accept(value);
        self.creation.make(name, output, create, exists)
    }

    /// Checks that an existing semaphore is complete and as requested; resets it on request.
    fn accept(&self, value: u32) -> Result<Accepted, Failure> {
        let failed = |error| explain(&self.name, error);
        let semaphore = semaphore::open(&self.name, 0).map_err(failed)?;
        if self.reset {
            return self.reset(&*semaphore, value);
        }
        semaphore.wait_until_complete(value).map_err(failed)?;
        let accepted = self.creation.accept(&semaphore.found().map_err(failed)?)?;
        self.refuse_other_size(&*semaphore)?;
        Ok(accepted)
    }

    fn reset(&self, semaphore: &dyn Semaphore, value: u32) -> Result<Accepted, Failure> {
        let failed = |error: Error| explain(&self.name, error);
        let found = semaphore.found().map_err(failed)?;
        let accepted = self.creation.accept_of_any_mode(&found)?;
        self.refuse_other_size(semaphore)?;
        semaphore.reset(value).map_err(failed)?;
        if let Some(mode) = self.creation.other_mode(&found) {
            semaphore.set_mode(mode).map_err(failed)?;
        }
        Ok(accepted)
    }

    fn refuse_other_size(&self, semaphore: &dyn Semaphore) -> Result<(), Failure> {
        let size = semaphore.set_size().map_err(|error| explain(&self.name, error))?;
        match (self.nsems, size) {
            (Some(wanted), Some(size)) if wanted != size => {
                Err(Failure::new(Exit::InUse, format!("exists with --nsems {size}")))
            }
            _ => Ok(()),
        }
    }
}

impl Limited for Create {
    fn make(&self, output: &Output) -> anyhow::Result<Option<i32>> {
        let made = self.create(output).about(&self.name)?;
        Ok(made.flatten().map(|made| made.id))
    }

    fn find(&self, id: Option<i32>) -> anyhow::Result<Vec<Temporary>> {
        let found = match &self.name {
            Name::Posix(name) => Temporary::file(&semaphore::path(name)),
            Name::SystemV(_) => Temporary::system_v(Kind::Set, id),
        };
        Ok(vec![found.about(&self.name)?])
    }

    fn name(&self, id: Option<i32>) -> OsString {
        name_or_id(&self.name, id)
    }
}
