//! `ipc sem post`, `wait` and `value`.

use clap::builder::RangedI64ValueParser;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Effect, Example};
use crate::app::context::Context;
use crate::app::objects::wait_verbosely;
use crate::app::options::Waiting;
use crate::app::trust::Trust;
use crate::base::deadline::Waited;
use crate::base::exit::{Exit, Failure, Subject};
use crate::io::output::Output;
use crate::mechanism::semaphore::posix::VALUE_MAX;
use crate::mechanism::semaphore::{AtExit, Error, Name, Semaphore};

use super::open::open_or_create;
use super::users::tell_value;
use super::{Member, explain, not_for_this_kind, possible, tell_users};

/// A change of the value.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
struct Change {
    /// Change the value by N
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = RangedI64ValueParser::<u32>::new().range(1..=VALUE_MAX.into())
    )]
    count: u32,
    /// Have the kernel revert it when this process ends (System V)
    ///
    /// This process ends with the command, so the option is for programs that become another one.
    /// 'ipc sem run' holds permits while a command runs.
    #[arg(long, hide_short_help = true)]
    undo: bool,
    #[command(flatten)]
    member: Member,
}

impl Change {
    fn at_exit(self, name: &Name) -> Result<AtExit, Failure> {
        match (name, self.undo) {
            (_, false) => Ok(AtExit::Keep),
            (Name::SystemV(_), true) => Ok(AtExit::Undo),
            (Name::Posix(_), true) => Err(not_for_this_kind(
                "--undo is for System V semaphores; 'ipc sem run' releases permits in any case",
            )),
        }
    }
}

/// Increment the value
///
/// It increments the value by --count in one operation, whether or not the value was decremented before.
#[derive(Debug, clap::Args, Plain)]
pub struct Post {
    /// Name of the semaphore
    name: Name,
    #[command(flatten)]
    change: Change,
}

impl Action for Post {
    const EXAMPLES: &'static [Example] = &[
        ("Let one waiter continue", "ipc sem post /gpu"),
        ("Start four waiting workers", "ipc sem post /start --count 4"),
    ];
    const EFFECT: Effect = Effect::UndoneAtExit;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let Self { name, change } = self;
        let at_exit = change.at_exit(&name).about(&name)?;
        let count = possible(&name, change.count.into()).about(&name)?;
        let semaphore = change.member.open(&name).about(&name)?;
        let posted = semaphore.increment(count, at_exit);
        posted.map_err(|error| explain(&name, error)).about(&name)?;
        context.keep(semaphore);
        Ok(Exit::Done)
    }
}

/// Decrement the value, waiting until it is large enough
///
/// It decrements the value by --count in one operation. Only 'ipc sem post' increments it again: the
/// kernel does not know that this command decremented it, so a script that is killed before its 'post'
/// leaves the value too small. 'ipc sem run' holds permits while a command runs, and they come back
/// whatever is killed.
///
/// POSIX semaphores are not fair. A request for N waits until the value is N, and such requests are
/// served one at a time. A System V semaphore serves requests in the order in which they came, but a
/// request that the value suffices for passes those for more.
///
/// If a POSIX semaphore is removed, its waiters go on waiting, and only processes that have it open can
/// increment its value. If a System V semaphore is removed, its waiters fail with status 4.
///
/// With --zero it waits until the value of a System V semaphore is 0, and does not change it: for a
/// semaphore that counts what is left to do. POSIX semaphores have no such wait.
#[derive(Debug, clap::Args, Plain)]
pub struct Wait {
    /// Name of the semaphore
    name: Name,
    #[command(flatten)]
    change: Change,
    /// Wait until the value is 0 instead (System V)
    #[arg(long, conflicts_with_all = ["count", "undo"])]
    zero: bool,
    /// Create the semaphore with value N if it is missing
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    create: Option<i64>,
    #[command(flatten)]
    trust: Trust,
    #[command(flatten)]
    waiting: Waiting,
}

impl Action for Wait {
    const EXAMPLES: &'static [Example] = &[
        ("Wait at most five seconds", "ipc sem wait -t 5s /gpu || echo 'still busy'"),
        (
            "Decrement the value only if it is above 0",
            "if ipc sem wait -n /gpu; then ./train; ipc sem post /gpu; fi",
        ),
        ("Wait for all four workers", "ipc sem wait /done --count 4"),
        ("Wait for a process that may start later", "ipc sem wait --create 0 /ready -t 1m"),
        ("Wait until nothing is left to do", "ipc sem wait --zero sysv:0x2a"),
    ];
    const EFFECT: Effect = Effect::UndoneAtExit;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let semaphore = self.open().about(&self.name)?;
        let waited = self.wait(&*semaphore, &context.output).about(&self.name)?;
        self.waiting.or_error(waited).about(&self.name)?;
        context.keep(semaphore);
        Ok(Exit::Done)
    }
}

impl Wait {
    /// Opens the semaphore, or creates it. What semaphores of this kind do not have is refused before.
    fn open(&self) -> Result<Box<dyn Semaphore>, Failure> {
        let Self { name, change, .. } = self;
        if self.zero && matches!(name, Name::Posix(_)) {
            return Err(explain(name, Error::NoWaitForZero));
        }
        change.at_exit(name)?;
        possible(name, change.count.into())?;
        change.member.check(name)?;
        let create = self.create.map(|value| possible(name, value)).transpose()?;
        open_or_create(name, change.member, create, &self.trust)
    }

    fn wait(&self, semaphore: &dyn Semaphore, output: &Output) -> Result<Waited, Failure> {
        let Self { name, change: Change { count, .. }, .. } = self;
        let at_exit = self.change.at_exit(name)?;
        let deadline = self.waiting.deadline();
        let waited = match self.zero {
            true => {
                let tell = || tell_value(name, semaphore, output);
                wait_verbosely(output, deadline, tell, |until| semaphore.wait_for_zero(until))
            }
            false => {
                let tell = || tell_users(name, *count, semaphore, output);
                wait_verbosely(output, deadline, tell, |until| {
                    semaphore.decrement(*count, at_exit, until)
                })
            }
        };
        waited.map_err(|error| explain(name, error))
    }
}

/// Print the value
///
/// The value may have changed by the time it is printed.
#[derive(Debug, clap::Args, Plain)]
pub struct Value {
    /// Name of the semaphore
    name: Name,
    #[command(flatten)]
    member: Member,
}

impl Action for Value {
    const EXAMPLES: &'static [Example] = &[
        ("See how many permits are free", "ipc sem value /gpu"),
        ("Print the value of the third semaphore of a set", "ipc sem value sysv:0x2a --index 2"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let semaphore = self.member.open(&self.name).about(&self.name)?;
        let value = semaphore.value().map_err(|error| explain(&self.name, error));
        context.output.line(value.about(&self.name)?)?;
        context.keep(semaphore);
        Ok(Exit::Done)
    }
}
