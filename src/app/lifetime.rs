//! Options that remove a new object when a COMMAND has ended.

use std::ffi::OsString;

use crate::app::arguments::Plain;
use crate::app::command::Statuses;
use crate::app::context::Context;
use crate::base::exit::Exit;
use crate::io::output::Output;
use crate::mechanism::temporary::Temporary;
use crate::run::job::Command;
use crate::run::keeper::{self, Created};

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
    pub fn run(
        &self,
        context: &Context,
        create: impl FnOnce(&Output) -> anyhow::Result<Created<Temporary>>,
    ) -> anyhow::Result<Exit> {
        let output = &context.output;
        let report = |error: &anyhow::Error| {
            output.error(error);
            Statuses::OfCommand.of(Exit::of(error))
        };
        let command = Command::new(&self.command);
        let ended = command.and_then(|command| keeper::run(command, || create(output), report));
        Ok(ended.unwrap_or_else(|error| report(&error)))
    }
}
