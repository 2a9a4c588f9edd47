//! `ipc sem run`.

use std::ffi::OsString;

use clap::builder::RangedI64ValueParser;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Effect, Example, Statuses};
use crate::app::context::Context;
use crate::app::objects::wait_verbosely;
use crate::app::options::{Conflict, Waiting};
use crate::app::trust::Trust;
use crate::base::exit::{Exit, Subject};
use crate::io::output::Output;
use crate::mechanism::semaphore::robust::{COUNT_MAX, Lease};
use crate::mechanism::semaphore::{Name, Permit};
use crate::run::job::{self, Command};
use crate::sys::descriptor;

use super::open::open_or_create;
use super::{Member, explain, possible, tell_users};

/// Run a command while holding permits
///
/// The permits come from the value that 'ipc sem wait' and C programs decrement, and they come back when
/// COMMAND has ended, however it ended, and whatever else was killed. Signals are passed on to COMMAND.
///
/// COMMAND inherits a descriptor by which it holds the permits, and so do its children: a daemon that it
/// leaves running holds them until the daemon ends. With --close, 'ipc' alone holds them, and if it is
/// killed they come back although COMMAND still runs.
///
/// If all holders were killed, the next 'ipc' that opens the semaphore reclaims the permits; an 'ipc'
/// that waits for permits does so at once. A C program that is blocked in sem_wait(3) is woken by that. A
/// waiter sees the end of a daemon that holds permits after 'ipc' and COMMAND at once if it may see the
/// daemon's descriptors, as the same user and root may, and within a second otherwise.
///
/// Permits of a System V semaphore are held by SEM_UNDO of the process that becomes COMMAND, and the
/// kernel releases them. Processes that COMMAND leaves running do not hold them.
#[derive(Debug, clap::Args, Plain)]
pub struct Run {
    /// Name of the semaphore
    name: Name,
    /// Number of permits
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = RangedI64ValueParser::<u32>::new().range(1..=COUNT_MAX.into())
    )]
    count: u32,
    /// Create the semaphore with value N if it is missing
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    create: Option<i64>,
    /// Close the descriptor in COMMAND
    #[arg(long, hide_short_help = true)]
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

impl Action for Run {
    const EXAMPLES: &'static [Example] = &[
        ("Let two jobs run at a time", "ipc sem run /gpu --create 2 -- ./train"),
        (
            "Run a line of shell, or report that it is busy",
            "ipc sem run -n /gpu -- sh -c './train && ./test' || echo busy",
        ),
        (
            "Acquire all four permits, where other jobs acquire one",
            "ipc sem run /cpu --count 4 -- ./bench",
        ),
    ];
    const STATUSES: Statuses = Statuses::OfCommand;

    const EFFECT: Effect = Effect::BecomesCommand;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        self.member.check(&self.name).about(&self.name)?;
        possible(&self.name, self.count.into()).about(&self.name)?;
        let create = self.create.map(|value| possible(&self.name, value)).transpose();
        let create = create.about(&self.name)?;
        self.run_command(create, output).or_else(|error| self.conflict.or_error(error, output))
    }
}

impl Run {
    fn run_command(&self, create: Option<u32>, output: &Output) -> anyhow::Result<Exit> {
        let name = &self.name;
        let deadline = self.waiting.deadline();
        let semaphore = open_or_create(name, self.member, create, &self.trust).about(name)?;
        let tell = || tell_users(name, self.count, &*semaphore, output);
        let acquired =
            wait_verbosely(output, deadline, tell, |until| semaphore.acquire(self.count, until));
        let acquired = acquired.map_err(|error| explain(name, error)).about(name)?;
        match self.waiting.or_error(acquired).about(name)? {
            Permit::Lease(lease) => self.run_with(lease, output),
            Permit::OfProcess => Err(job::exec(&self.command)),
        }
    }

    fn run_with(&self, mut lease: Lease<'_>, output: &Output) -> anyhow::Result<Exit> {
        let name = &self.name;
        if !self.close {
            descriptor::pass_on(lease.descriptor()).about(name)?;
        }
        let started = |pid| {
            if !self.close {
                lease.name_command(pid);
            }
        };
        let ended = Command::new(&self.command).and_then(|command| command.run(started));
        // COMMAND has done its work, so its status counts.
        if let Err(error) = lease.release().map_err(|error| explain(name, error)).about(name) {
            output.error(&error);
        }
        ended
    }
}
