//! Waiting for a number in a segment.

use std::time::Duration;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::{report_wait, wait_verbosely};
use crate::app::options::Waiting;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::units::Timeout;
use crate::mechanism::memory::cell;
use crate::mechanism::memory::segment::Access;
use crate::run::watchdog::look_up;

use super::cells::Cell;
use super::{Operand, explain, open};

/// Wait until a number in a segment satisfies a condition, and print it
///
/// The command sleeps until 'ipc' changes the number by poke, add or cas, or until a program wakes the
/// waiters of its 32-bit words with FUTEX_WAKE. Some programs change it without a wake-up: so the
/// command also reads the number every 100 ms, or at the interval of --poll. It then finds out, too, that
/// the segment was removed or became too short for the number, which are errors.
#[derive(Debug, clap::Args, Plain)]
pub struct Wait<O: Operand> {
    /// Name of the segment
    #[arg(value_name = O::WORD)]
    name: O,
    #[command(flatten)]
    cell: Cell,
    #[command(flatten)]
    condition: Condition,
    /// Interval of reading the number without a wake-up; 'inf' is never
    #[arg(long, value_name = "DURATION", default_value = "100ms", hide_short_help = true)]
    poll: Timeout,
    #[command(flatten)]
    waiting: Waiting,
}

/// The condition that ends the wait.
#[derive(Clone, Debug, clap::Args, Plain)]
#[group(required = true, multiple = false)]
pub struct Condition {
    /// Until it equals VALUE
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true, help_heading = "Condition")]
    eq: Option<String>,
    /// Until it differs from VALUE
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true, help_heading = "Condition")]
    ne: Option<String>,
    /// Until it is VALUE or greater
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true, help_heading = "Condition")]
    ge: Option<String>,
    /// Until it differs from its first value
    #[arg(long, help_heading = "Condition")]
    change: bool,
}

impl<O: Operand> Action for Wait<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.wait;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let deadline = self.waiting.deadline();
        let condition = self.condition.parse(self.cell)?;
        if self.poll == Timeout::For(Duration::ZERO) {
            return Err(Failure::new(Exit::Usage, "it would never sleep")).about("--poll 0");
        }
        if let Some(path) = self.name.file() {
            look_up(path, deadline).about(&self.name)?;
        }
        let segment = open(&self.name, Access::Read)?;
        let report = || report_wait(output, &self.name, self.condition.words());
        let waited = wait_verbosely(output, deadline, report, |until| {
            cell::wait(&*segment, self.cell.cell(), condition, self.poll, until)
        });
        let waited = waited.map_err(|error| explain(&self.name, error)).about(&self.name)?;
        output.line(self.waiting.or_error(waited).about(&self.name)?)?;
        Ok(Exit::Done)
    }
}

impl Condition {
    /// The condition in words, for --verbose.
    pub fn words(&self) -> String {
        match (&self.eq, &self.ne, &self.ge) {
            (Some(value), ..) => format!("until the number is {value}"),
            (_, Some(value), _) => format!("until the number is not {value}"),
            (_, _, Some(value)) => format!("until the number is {value} or more"),
            _ => "until the number changes".to_owned(),
        }
    }

    pub fn parse(&self, cell: Cell) -> anyhow::Result<cell::Condition> {
        Ok(match (&self.eq, &self.ne, &self.ge) {
            (Some(value), ..) => cell::Condition::Equal(cell.parse(value)?),
            (_, Some(value), _) => cell::Condition::NotEqual(cell.parse(value)?),
            (_, _, Some(value)) => cell::Condition::AtLeast(cell.parse(value)?),
            _ => cell::Condition::Change,
        })
    }
}
