//! `ipc sem run`.

use std::ffi::OsString;

use clap::builder::RangedI64ValueParser;

use crate::app::arguments::Plain;
use crate::app::command::{Action as Verbs, Example, Statuses};
use crate::app::context::Context;
use crate::app::objects::wait_aloud;
use crate::app::options::Conflict;
use crate::app::options::Waiting;
use crate::app::trust::Trust;
use crate::base::exit::{Exit, Subject};
use crate::base::name::{SemaphoreName, SystemVName};
use crate::io::output::Output;
use crate::mechanism::semaphore::robust::COUNT_MAX;
use crate::mechanism::semaphore::{Error, Name};
use crate::run::job;
use crate::run::job::Command;
use crate::sys::descriptor;
use crate::sys::system_v_semaphore::AtEnd;

use super::create::{open_posix, open_system_v};
use super::{Member, explain, possible, tell_claims, tell_last};

/// Hold units while a command runs
///
/// They are the same units that 'ipc sem wait' and C programs take, and they come back when COMMAND
/// has ended, however it ended, and whatever else was killed. Signals are passed on to COMMAND.
///
/// COMMAND inherits a descriptor by which it holds the units, and so does what it starts: a daemon
/// that it leaves running holds them until it ends. With --close it does not; then 'ipc' alone holds
/// them, and if that is killed they come back although COMMAND goes on.
///
/// The units of a run that was killed as a whole are given back by the next 'ipc' that looks at the
/// semaphore; one that waits for units looks at once. A C program that is blocked in sem_wait(3) is
/// woken when an 'ipc' looks. The end of a daemon that holds units after 'ipc' and COMMAND have ended
/// is seen at once by those who may see its descriptors, its own user and root, and by others within
/// a second.
///
/// A System V semaphore is held by SEM_UNDO of the process that becomes COMMAND, which is what the
/// kernel itself gives back. What COMMAND leaves running does not hold it, with --close or without.
#[derive(Debug, clap::Args, Plain)]
pub struct Run {
    /// Name of the semaphore
    name: Name,
    /// How many units
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = RangedI64ValueParser::<u32>::new().range(1..=COUNT_MAX.into())
    )]
    count: u32,
    /// Create the semaphore with this many units if there is none
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    create: Option<i64>,
    /// Keep the descriptor from COMMAND
    #[arg(long)]
    close: bool,
    #[command(flatten)]
    member: Member,
    #[command(flatten)]
    trust: Trust,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    conflict: Conflict,
    /// Command to run, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Verbs for Run {
    const EXAMPLES: &'static [Example] = &[
        ("Let two jobs run at a time", "ipc sem run /gpu --create 2 -- ./train"),
        (
            "Run a line of shell, or else say so",
            "ipc sem run -n /gpu -- sh -c './train && ./test' || echo busy",
        ),
        (
            "Have the machine alone, where others take one unit of four",
            "ipc sem run /cpu --count 4 -- ./bench",
        ),
    ];
    const STATUSES: Statuses = Statuses::OfCommand;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        self.member.check(&self.name).about(&self.name)?;
        possible(&self.name, self.count.into()).about(&self.name)?;
        let create = self.create.map(|units| possible(&self.name, units)).transpose();
        let create = create.about(&self.name)?;
        let done = match &self.name {
            Name::Posix(name) => self.posix(name, create, output),
            Name::SystemV(name) => self.system_v(name, create, output),
        };
        done.or_else(|error| self.conflict.or_error(error, output))
    }
}

impl Run {
    fn posix(
        &self,
        name: &SemaphoreName,
        create: Option<u32>,
        output: &Output,
    ) -> anyhow::Result<Exit> {
        let deadline = self.waiting.deadline();
        let failed = |error: crate::mechanism::semaphore::robust::Error| explain(error.into());
        let permits = open_posix(name, create, &self.trust).about(name)?;
        let tell = || tell_claims(&self.name, self.count, &permits, output);
        let claimed = wait_aloud(output, deadline, tell, |until| permits.claim(self.count, until));
        let claimed = claimed.map_err(failed).about(name)?;
        let mut hold = self.waiting.or_error(claimed).about(name)?;
        if !self.close {
            descriptor::pass_on(hold.descriptor()).about(name)?;
        }
        let started = |pid| {
            if !self.close {
                hold.name_command(pid);
            }
        };
        let ended = Command::new(&self.command).and_then(|command| command.run(started));
        // What COMMAND has done, it has done.
        if let Err(error) = hold.release().map_err(failed).about(name) {
            output.error(&error);
        }
        ended
    }

    fn system_v(
        &self,
        name: &SystemVName,
        create: Option<u32>,
        output: &Output,
    ) -> anyhow::Result<Exit> {
        let deadline = self.waiting.deadline();
        let index = self.member.index.unwrap_or(0);
        let set = open_system_v(name, create, &self.trust).about(name)?;
        let tell = || tell_last(&self.name, self.count, &set, index, output);
        let taken = wait_aloud(output, deadline, tell, |until| {
            set.take(index, self.count, AtEnd::Undo, until)
        });
        let failed = |errno| self.member.explain(&self.name, Error::SystemV(errno));
        self.waiting.or_error(taken.map_err(failed).about(name)?).about(name)?;
        Err(job::exec(&self.command))
    }
}
