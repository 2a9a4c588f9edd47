//! Options that remove a new object when a COMMAND has ended.

use std::ffi::{OsStr, OsString};

use crate::app::arguments::Plain;
use crate::app::command::Statuses;
use crate::app::context::Context;
use crate::base::exit::{Exit, Failure};
use crate::base::name::SystemVName;
use crate::io::output::Output;
use crate::mechanism::temporary::Temporary;
use crate::run::job::Command;
use crate::run::keeper;
use crate::sys::system_v::Target;

/// Options that give a new object the lifetime of a COMMAND.
#[derive(Clone, Debug, clap::Args, Plain)]
pub struct Lifetime {
    /// Run COMMAND, and remove the object when it ends
    ///
    /// The object is removed however COMMAND or 'ipc' ends, KILL included: a second process waits for the
    /// end of COMMAND. If 'ipc' alone is killed, the object stays until COMMAND ends. Only the object that
    /// was created is removed, and not another one that has its name by then. The status is that of
    /// COMMAND, which finds the name of the object in IPC_NAME. A System V object may have no key, as with
    /// sysv:0; its name is not printed then.
    #[arg(long = "while", requires = "command", conflicts_with = "exist_ok")]
    temporary: bool,
    /// The command and its arguments
    #[arg(last = true, value_name = "COMMAND", requires = "temporary")]
    command: Vec<OsString>,
}

impl Lifetime {
    /// Whether the object goes with a COMMAND.
    pub fn is_limited(&self) -> bool {
        self.temporary
    }

    /// Creates objects, runs COMMAND, and removes the objects; returns the status of COMMAND.
    ///
    /// # Errors
    /// None: the signature is that of a verb. An error from before COMMAND starts is reported.
    pub fn run(&self, context: &Context, objects: &impl Limited) -> anyhow::Result<Exit> {
        let output = &context.output;
        let creation = Creation { objects, output };
        let command = Command::new(&self.command);
        let ended = command.and_then(|command| keeper::run(command, &creation));
        Ok(ended.unwrap_or_else(|error| report(output, &error)))
    }
}

/// The objects that a verb creates, if their lifetime is that of a COMMAND.
pub trait Limited {
    /// Creates them, all or none; returns the identifier of a System V object.
    fn make(&self, output: &Output) -> anyhow::Result<Option<i32>>;

    /// Finds them, just after they were created; the identifier is that of a System V object.
    fn find(&self, id: Option<i32>) -> anyhow::Result<Vec<Temporary>>;

    /// Removes what cannot be found again, for lack of a permission or of memory.
    fn discard(&self) {}

    /// The name by which COMMAND finds the first.
    fn name(&self, id: Option<i32>) -> OsString;
}

/// The name of an object, or the identifier if it has no key.
pub fn name_or_id(name: impl AsRef<OsStr>, id: Option<i32>) -> OsString {
    let is_private = |name: &SystemVName| Target::new(name).is_ok_and(Target::is_private);
    match (SystemVName::new(name.as_ref()), id) {
        (Some(Ok(system_v)), Some(id)) if is_private(&system_v) => {
            SystemVName::of_id(id).as_ref().to_owned()
        }
        _ => name.as_ref().to_owned(),
    }
}

/// The objects of a verb, and where it reports errors.
struct Creation<'a, L> {
    objects: &'a L,
    output: &'a Output,
}

impl<L: Limited> keeper::Creation for Creation<'_, L> {
    type Object = Temporary;

    fn create(&self) -> anyhow::Result<(Vec<Temporary>, Option<i32>)> {
        let id = self.objects.make(self.output).map_err(has_to_be_new)?;
        let found = self.objects.find(id).inspect_err(|_| self.objects.discard())?;
        Ok((found, id))
    }

    fn find(&self, id: Option<i32>) -> anyhow::Result<Vec<Temporary>> {
        self.objects.find(id)
    }

    fn name(&self, id: Option<i32>) -> OsString {
        self.objects.name(id)
    }

    fn report(&self, error: &anyhow::Error) -> Exit {
        report(self.output, error)
    }
}

/// Replaces the hint of an object that exists already: --exist-ok cannot be used with --while.
fn has_to_be_new(error: anyhow::Error) -> anyhow::Error {
    match Failure::in_chain(&error).map(Failure::exit) {
        Some(Exit::InUse) => Failure::new(Exit::InUse, format!("{error:#}"))
            .hint("the object of --while is a new one")
            .into(),
        _ => error,
    }
}

/// Reports an error from before COMMAND starts; returns the status.
fn report(output: &Output, error: &anyhow::Error) -> Exit {
    output.error(error);
    Statuses::OfCommand.of(Exit::of(error))
}
