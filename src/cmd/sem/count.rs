//! `ipc sem post`, `wait` and `value`.

use clap::builder::RangedI64ValueParser;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::wait_aloud;
use crate::app::options::Waiting;
use crate::base::exit::{Exit, Failure, Subject};
use crate::mechanism::semaphore::Name;
use crate::mechanism::semaphore::posix::VALUE_MAX;
use crate::sys::system_v_semaphore::AtEnd;

use super::{Member, not_for_this_kind, possible, tell_holders};

/// How a change is made.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
struct Change {
    /// How many
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = RangedI64ValueParser::<u32>::new().range(1..=VALUE_MAX.into())
    )]
    count: u32,
    /// Have the kernel revert it when this process ends (System V)
    ///
    /// That is when the command is done, so this serves programs that become another one; to hold
    /// units while a command runs there is 'ipc sem run'.
    #[arg(long)]
    undo: bool,
    #[command(flatten)]
    member: Member,
}

impl Change {
    fn at_end(self, name: &Name) -> Result<AtEnd, Failure> {
        match (name, self.undo) {
            (_, false) => Ok(AtEnd::Keep),
            (Name::SystemV(_), true) => Ok(AtEnd::Undo),
            (Name::Posix(_), true) => Err(not_for_this_kind(
                "--undo is for System V semaphores; 'ipc sem run' gives units back in any case",
            )),
        }
    }
}

/// Give back units, or add new ones
///
/// Nobody has to have taken a unit to post one. All of them are given at once, or none.
#[derive(Debug, clap::Args, Plain)]
pub struct Post {
    /// Name of the semaphore
    name: Name,
    #[command(flatten)]
    change: Change,
}

impl Action for Post {
    const EXAMPLES: &'static [Example] = &[
        ("Give a unit to somebody who waits", "ipc sem post /gpu"),
        ("Start four workers that wait", "ipc sem post /start --count 4"),
    ];

    fn run(self, _: &mut Context) -> anyhow::Result<Exit> {
        let Self { name, change } = self;
        let at_end = change.at_end(&name).about(&name)?;
        let count = possible(&name, change.count.into()).about(&name)?;
        let semaphore = change.member.open(&name).about(&name)?;
        let posted = semaphore.post(count, at_end);
        posted.map_err(|error| change.member.explain(&name, error)).about(&name)?;
        Ok(Exit::Done)
    }
}

/// Take units, waiting until they are there
///
/// All of them are taken at once, or none. They are given back by 'ipc sem post', and by nothing
/// else: the kernel does not know who has them, so a script that is killed between the two keeps
/// them for ever. 'ipc sem run' holds units while a command runs, whatever is killed.
///
/// Nobody is served in order at a POSIX semaphore: whoever looks first when a unit is there has it,
/// and who wants several waits until there are as many at once. Of those who want several, one at a
/// time is next. A System V semaphore serves, in the order in which they came, those for whom there
/// is enough, and lets one who wants less pass.
///
/// Who waits for a POSIX semaphore that is removed goes on waiting for it, where only those who
/// had it open can post; at a System V semaphore he fails with status 4.
#[derive(Debug, clap::Args, Plain)]
pub struct Wait {
    /// Name of the semaphore
    name: Name,
    #[command(flatten)]
    change: Change,
    #[command(flatten)]
    waiting: Waiting,
}

impl Action for Wait {
    const EXAMPLES: &'static [Example] = &[
        ("Wait for a unit, but not for long", "ipc sem wait -t 5s /gpu || echo 'still busy'"),
        (
            "Take one only if it is there",
            "if ipc sem wait -n /gpu; then ./train; ipc sem post /gpu; fi",
        ),
        ("Wait for all four workers", "ipc sem wait /done --count 4"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let deadline = self.waiting.deadline();
        let Self { name, change, waiting } = self;
        let at_end = change.at_end(&name).about(&name)?;
        let count = possible(&name, change.count.into()).about(&name)?;
        let semaphore = change.member.open(&name).about(&name)?;
        let tell = || tell_holders(&name, count, &semaphore, output);
        let taken =
            wait_aloud(output, deadline, tell, |until| semaphore.take(count, at_end, until));
        let taken = taken.map_err(|error| change.member.explain(&name, error)).about(&name)?;
        waiting.or_error(taken).about(&name)?;
        Ok(Exit::Done)
    }
}

/// Print the number of units
///
/// By the time it is printed it may have changed.
#[derive(Debug, clap::Args, Plain)]
pub struct Value {
    /// Name of the semaphore
    name: Name,
    #[command(flatten)]
    member: Member,
}

impl Action for Value {
    const EXAMPLES: &'static [Example] = &[
        ("See how many are free", "ipc sem value /gpu"),
        ("The same of the third of a set", "ipc sem value sysv:0x2a --index 2"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let semaphore = self.member.open(&self.name).about(&self.name)?;
        let value = semaphore.value().map_err(|error| self.member.explain(&self.name, error));
        output.line(value.about(&self.name)?)?;
        Ok(Exit::Done)
    }
}
