//! Single numbers in a segment: seeing, changing and waiting for them.

use std::ops::Range;
use std::time::Duration;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::{tell_wait, wait_aloud};
use crate::app::options::Format;
use crate::app::options::Waiting;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::units::{Size, Timeout};
use crate::io::output::Output;
use crate::mechanism::memory::cell;
use crate::mechanism::memory::cell::{Endian, Number, Type};
use crate::mechanism::memory::segment::{Access, Segment, View, Window};
use crate::sys::poll;

use super::{Guarding, Operand, bytes, of_kernel, open, refuse_removed, shrank, within};

/// Where a number is, and how it is to be understood.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct Cell {
    /// Type of the number
    #[arg(long = "type", value_name = "TYPE", default_value = "i32")]
    kind: Type,
    /// Where it is
    #[arg(long, value_name = "SIZE")]
    offset: Option<Size>,
    /// Order of its bytes: native, little or big
    #[arg(long, value_name = "ORDER", default_value = "native", hide_possible_values = true)]
    endian: Endian,
}

impl Cell {
    fn format(self) -> cell::Format {
        cell::Format { kind: self.kind, endian: self.endian }
    }

    fn offset(self) -> u64 {
        bytes(self.offset)
    }

    fn parse(self, text: &str) -> anyhow::Result<Number> {
        self.kind.parse(text).map_err(usage).about(text)
    }

    /// The memory of the cell, if it is aligned.
    fn window(self, segment: &dyn Segment) -> Result<Window<'_>, Failure> {
        let (offset, width) = (self.offset(), self.kind.width().bytes());
        if !offset.is_multiple_of(width) {
            return Err(Failure::failed(format!(
                "{} at {offset} is not aligned: its offset has to be a multiple of {width}",
                self.kind
            )));
        }
        look_at(segment, within(segment, offset, Some(width))?)
    }

    /// Changes the cell at once, and wakes those who wait for it.
    fn update(
        self,
        window: &Window<'_>,
        mut change: impl FnMut(Number) -> Result<Number, Failure>,
    ) -> Result<Number, Failure> {
        let (offset, width, format) = (self.offset(), self.kind.width(), self.format());
        let changed = window.update(offset, width, |bits| {
            change(format.decode(bits)).map(|number| format.encode(number))
        });
        window.verify().map_err(of_kernel)?;
        let number = format.decode(changed?);
        window.wake(offset, width);
        Ok(number)
    }
}

/// Print numbers in a segment
///
/// An aligned number is read at once, so that it is never half of an old one and half of a new
/// one. Floating-point numbers are printed with as many digits as it takes to read them back.
#[derive(Debug, clap::Args, Plain)]
pub struct Peek<O: Operand> {
    /// Name of the segment
    #[arg(value_name = O::WORD)]
    name: O,
    /// Type of the numbers
    #[arg(long = "type", value_name = "TYPE", default_value = "i32")]
    kind: Type,
    /// Where the first is
    #[arg(long, value_name = "SIZE")]
    offset: Option<Size>,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 1)]
    count: u64,
    /// What to print between them, instead of a newline
    #[arg(long, default_value = "\n", hide_default_value = true, conflicts_with = "json")]
    sep: String,
    /// Order of their bytes: native, little or big
    #[arg(long, value_name = "ORDER", default_value = "native", hide_possible_values = true)]
    endian: Endian,
    #[command(flatten)]
    printed: Format,
    #[command(flatten)]
    guarding: Guarding,
}

impl<O: Operand> Action for Peek<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.peek;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let _guard = self.guarding.take(output)?;
        let segment = open(&self.name, Access::Read)?;
        let (offset, width) = (bytes(self.offset), self.kind.width());
        let Some(length) = self.count.checked_mul(width.bytes()) else {
            let reason = format!(
                "{} numbers of {} bytes are more than any segment has",
                self.count,
                width.bytes()
            );
            return Err(Failure::failed(reason)).about(&self.name);
        };
        let range = within(&*segment, offset, Some(length)).about(&self.name)?;
        let is_json = self.printed.is_json();
        let (open, separator, close) =
            if is_json { ("[", ",", "]\n") } else { ("", &*self.sep, "\n") };
        if range.is_empty() {
            return Ok(output.text(if is_json { "[]\n" } else { "" }).map(|()| Exit::Done)?);
        }
        let format = cell::Format { kind: self.kind, endian: self.endian };
        let mut view = View::new(&*segment, range.clone());
        output.text(open)?;
        for at in range.step_by(width.bytes() as usize) {
            let bits = view.load(at, width).map_err(of_kernel).about(&self.name)?;
            let number = format.decode(bits);
            output.text(if at == offset { "" } else { separator })?;
            if is_json { output.text(cell::Json(number))? } else { output.text(number)? }
        }
        refuse_removed(&*segment).about(&self.name)?;
        output.text(close)?;
        Ok(Exit::Done)
    }
}

/// Set numbers in a segment
///
/// They are set one after the other, each at once where it is aligned. Nothing is changed if one
/// of them is no number of the type, or there is no room for all. Those who wait for one of them
/// are woken.
#[derive(Debug, clap::Args, Plain)]
pub struct Poke<O: Operand> {
    /// Name of the segment
    #[arg(value_name = O::WORD)]
    name: O,
    /// The numbers, the first for the offset and the others behind it
    #[arg(required = true, value_name = "VALUE", allow_negative_numbers = true)]
    values: Vec<String>,
    #[command(flatten)]
    cell: Cell,
    #[command(flatten)]
    guarding: Guarding,
}

impl<O: Operand> Action for Poke<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.poke;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let numbers = self
            .values
            .iter()
            .map(|text| self.cell.parse(text))
            .collect::<anyhow::Result<Vec<Number>>>()?;
        let _guard = self.guarding.take(output)?;
        let segment = open(&self.name, Access::Write)?;
        let (offset, width) = (self.cell.offset(), self.cell.kind.width());
        let length = (numbers.len() as u64).saturating_mul(width.bytes());
        let range = within(&*segment, offset, Some(length)).about(&self.name)?;
        let window = look_at(&*segment, range.clone()).about(&self.name)?;
        if numbers.len() > 1 {
            window.prepare().map_err(of_kernel).about(&self.name)?;
        }
        for (number, at) in numbers.into_iter().zip(range.step_by(width.bytes() as usize)) {
            let bits = self.cell.format().encode(number);
            if offset.is_multiple_of(width.bytes()) {
                window.store(at, width, bits);
            } else {
                window.store_bytewise(at, width, bits);
            }
            window.verify().map_err(of_kernel).about(&self.name)?;
            window.wake(at, width);
        }
        refuse_removed(&*segment).about(&self.name)?;
        Ok(Exit::Done)
    }
}

/// Add to a number in a segment, and print the sum
///
/// It happens at once: of several that add at the same time none is lost. A sum beyond the type is
/// refused, and the number stays as it was. Where the sum cannot be printed, as standard output is
/// closed or full, it has been added all the same, and the error says so.
#[derive(Debug, clap::Args, Plain)]
pub struct Add<O: Operand> {
    /// Name of the segment
    #[arg(value_name = O::WORD)]
    name: O,
    /// What to add, negative to subtract
    #[arg(allow_negative_numbers = true)]
    delta: String,
    #[command(flatten)]
    cell: Cell,
    #[command(flatten)]
    guarding: Guarding,
}

impl<O: Operand> Action for Add<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.add;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let kind = self.cell.kind;
        let delta = kind.parse_delta(&self.delta).map_err(usage).about(&self.delta)?;
        let _guard = self.guarding.take(output)?;
        let segment = open(&self.name, Access::Write)?;
        let window = self.cell.window(&*segment).about(&self.name)?;
        let add = |number| {
            let reason =
                |_| Failure::failed(format!("the sum of {number} and {delta} is beyond {kind}"));
            kind.add(number, delta).map_err(reason)
        };
        let sum = self.cell.update(&window, add).about(&self.name)?;
        refuse_removed(&*segment).about(&self.name)?;
        print_changed(sum, output)?;
        Ok(Exit::Done)
    }
}

/// Set a number in a segment if it is as expected
///
/// It happens at once: of several that expect the same, one succeeds. That one prints the new
/// number; the others print the number that they found, and end with status 1. Floating-point
/// numbers are compared by value.
#[derive(Debug, clap::Args, Plain)]
pub struct Cas<O: Operand> {
    /// Name of the segment
    #[arg(value_name = O::WORD)]
    name: O,
    /// The number that is expected
    #[arg(allow_negative_numbers = true)]
    old: String,
    /// The number that takes its place
    #[arg(allow_negative_numbers = true)]
    new: String,
    #[command(flatten)]
    cell: Cell,
    #[command(flatten)]
    guarding: Guarding,
}

impl<O: Operand> Action for Cas<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.cas;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let (old, new) = (self.cell.parse(&self.old)?, self.cell.parse(&self.new)?);
        let _guard = self.guarding.take(output)?;
        let segment = open(&self.name, Access::Write)?;
        let window = self.cell.window(&*segment).about(&self.name)?;
        let mut found = old;
        let exchanged = self.cell.update(&window, |number| {
            found = number;
            if number == old { Ok(new) } else { Err(Failure::no("not as expected")) }
        });
        refuse_removed(&*segment).about(&self.name)?;
        match exchanged {
            Err(failure) if failure.is_expected() => {
                output.line(found)?;
                Ok(Exit::No)
            }
            result => {
                print_changed(result.about(&self.name)?, output)?;
                Ok(Exit::Done)
            }
        }
    }
}

/// Wait until a number in a segment is as wanted, and print it
///
/// It sleeps until 'ipc' changes the number by poke, add or cas. For programs that store it
/// without waking anybody it looks again every 100 ms, or as --poll has it; programs that wake
/// waiters do so with FUTEX_WAKE on the 32-bit words of the number. When it looks it also sees that
/// the segment was removed, or became too short for the number, which are errors.
#[derive(Debug, clap::Args, Plain)]
pub struct Wait<O: Operand> {
    /// Name of the segment
    #[arg(value_name = O::WORD)]
    name: O,
    #[command(flatten)]
    cell: Cell,
    #[command(flatten)]
    condition: Condition,
    /// Look again after this long without being woken; 'inf' is never
    #[arg(long, value_name = "DURATION", default_value = "100ms")]
    poll: Timeout,
    #[command(flatten)]
    waiting: Waiting,
}

/// What is waited for.
#[derive(Clone, Debug, clap::Args, Plain)]
#[group(required = true, multiple = false)]
pub struct Condition {
    /// Until it is this
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    eq: Option<String>,
    /// Until it is not this
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    ne: Option<String>,
    /// Until it is this or more
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    ge: Option<String>,
    /// Until it is not what it was at first
    #[arg(long)]
    change: bool,
}

impl<O: Operand> Action for Wait<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.wait;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let deadline = self.waiting.deadline();
        let wanted = self.condition.number(self.cell)?;
        if self.poll == Timeout::For(Duration::ZERO) {
            return Err(Failure::new(Exit::Usage, "it would never sleep")).about("--poll 0");
        }
        let segment = open(&self.name, Access::Read)?;
        let tell = || tell_wait(output, &self.name, self.condition.told());
        let waited =
            wait_aloud(output, deadline, tell, |until| self.watch(&*segment, wanted, until));
        let waited = waited.about(&self.name)?;
        output.line(self.waiting.or_error(waited).about(&self.name)?)?;
        Ok(Exit::Done)
    }
}

impl<O: Operand> Wait<O> {
    fn watch(
        &self,
        segment: &dyn Segment,
        wanted: Option<Number>,
        deadline: Deadline,
    ) -> Result<Waited<Number>, Failure> {
        let mut watch = Watch { wait: self, segment, wanted, first: None, deadline };
        loop {
            if let Some(waited) = watch.asleep()? {
                return Ok(waited);
            }
            if let Some(waited) = watch.without_room()? {
                return Ok(waited);
            }
        }
    }
}

/// How often a number is read that is in a hole, where there is no room for a page to sleep on.
const WITHOUT_ROOM: Duration = Duration::from_millis(50);

/// A wait that goes on.
struct Watch<'a, O: Operand> {
    wait: &'a Wait<O>,
    segment: &'a dyn Segment,
    wanted: Option<Number>,
    /// What the number was at first, where any change will do.
    first: Option<u64>,
    deadline: Deadline,
}

impl<O: Operand> Watch<'_, O> {
    /// Sleeps at the memory of the number; `None` if there is no memory for it.
    fn asleep(&mut self) -> Result<Option<Waited<Number>>, Failure> {
        let (offset, width) = (self.wait.cell.offset(), self.wait.cell.kind.width());
        let window = self.wait.cell.window(self.segment)?;
        loop {
            // Before the number: what changes after this ends the sleep.
            let snapshot = window.snapshot(offset, width);
            let bits = window.load(offset, width);
            match window.verify() {
                Err(Errno(libc::ENOSPC | libc::EIO)) => return Ok(None),
                verified => verified.map_err(of_kernel)?,
            }
            if let Some(waited) = self.look(bits)? {
                return Ok(Some(waited));
            }
            let again = match self.wait.poll {
                Timeout::Forever => self.deadline,
                Timeout::For(interval) => self.deadline.min(Deadline::after(interval)),
            };
            // Whatever ended the sleep, the number tells what it is.
            let _ = window.wait(offset, width, snapshot, again).map_err(of_kernel)?;
        }
    }

    /// Reads the number again and again for as long as it is in a hole; `None` when it is not.
    fn without_room(&mut self) -> Result<Option<Waited<Number>>, Failure> {
        let (offset, width) = (self.wait.cell.offset(), self.wait.cell.kind.width());
        let bytes = within(self.segment, offset, Some(width.bytes()))?;
        let interval = match self.wait.poll {
            Timeout::Forever => WITHOUT_ROOM,
            Timeout::For(interval) => interval.min(WITHOUT_ROOM),
        };
        loop {
            let mut view = View::new(self.segment, bytes.clone());
            let bits = view.load(offset, width).map_err(of_kernel)?;
            if let Some(waited) = self.look(bits)? {
                return Ok(Some(waited));
            }
            if !self.segment.stored(bytes.clone())?.is_empty() {
                return Ok(None);
            }
            let again = self.deadline.min(Deadline::after(interval));
            let _: Waited = poll::any_readable(&[], again)?;
        }
    }

    /// Whether the wait ends, as the number has these bits.
    fn look(&mut self, bits: u64) -> Result<Option<Waited<Number>>, Failure> {
        let cell = self.wait.cell;
        // The rest of the last page stays in our memory, and is zeros.
        if self.segment.size()? < cell.offset() + cell.kind.width().bytes() {
            return Err(shrank());
        }
        refuse_removed(self.segment)?;
        let number = cell.format().decode(bits);
        let holds = match self.wanted {
            Some(wanted) => self.wait.condition.holds(number, wanted),
            None => bits != *self.first.get_or_insert(bits),
        };
        if holds {
            return Ok(Some(Waited::Done(number)));
        }
        Ok(self.deadline.has_passed().then_some(Waited::TimedOut))
    }
}

impl Condition {
    /// What is waited for, in words.
    fn told(&self) -> String {
        match (&self.eq, &self.ne, &self.ge) {
            (Some(value), ..) => format!("until the number is {value}"),
            (_, Some(value), _) => format!("until the number is not {value}"),
            (_, _, Some(value)) => format!("until the number is {value} or more"),
            _ => "until the number changes".to_owned(),
        }
    }

    /// The number that it compares with; none if any change will do.
    fn number(&self, cell: Cell) -> anyhow::Result<Option<Number>> {
        let text = self.eq.as_ref().or(self.ne.as_ref()).or(self.ge.as_ref());
        text.map(|text| cell.parse(text)).transpose()
    }

    fn holds(&self, number: Number, wanted: Number) -> bool {
        if self.eq.is_some() {
            number == wanted
        } else if self.ge.is_some() {
            number >= wanted
        } else {
            number != wanted
        }
    }
}

/// Prints what a number was changed to. Where that fails, the error says that it was changed all the
/// same.
fn print_changed(number: Number, output: &mut Output) -> anyhow::Result<()> {
    match output.line(number).and_then(|()| output.flush()) {
        Err(unwritable) if !unwritable.reader_left() => {
            let reason = format!("{unwritable}; the number was changed, it is {number} now");
            Err(Failure::failed(reason).into())
        }
        printed => Ok(printed?),
    }
}

fn look_at(segment: &dyn Segment, range: Range<u64>) -> Result<Window<'_>, Failure> {
    segment.window(range).map_err(of_kernel)
}

fn usage(error: cell::NumberError) -> Failure {
    Failure::new(Exit::Usage, error.to_string())
}
