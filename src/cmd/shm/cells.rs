//! Reading and changing numbers in a segment.

use std::ops::Range;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::Json;
use crate::app::options::Format;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::units::Size;
use crate::io::output::Output;
use crate::mechanism::memory::cell;
use crate::mechanism::memory::cell::{Endian, Number, Type};
use crate::mechanism::memory::segment::{Access, Segment, View};

use super::{Guarding, Operand, bytes, explain, open};

/// The place and the format of numbers.
#[derive(Clone, Copy, Debug, clap::Args, Plain)]
pub struct Cell {
    /// Type of number
    #[arg(long = "type", value_name = "TYPE", default_value = "i32")]
    pub kind: Type,
    /// Offset in the segment
    #[arg(long, value_name = "SIZE")]
    offset: Option<Size>,
    /// Byte order: native, little or big
    #[arg(
        long,
        value_name = "ORDER",
        default_value = "native",
        hide_possible_values = true,
        hide_short_help = true
    )]
    endian: Endian,
}

impl Cell {
    /// The cell that the options name.
    pub fn cell(self) -> cell::Cell {
        let format = cell::Format { kind: self.kind, endian: self.endian };
        cell::Cell { offset: bytes(self.offset), format }
    }

    /// Parses a number of this type.
    pub fn parse(self, text: &str) -> anyhow::Result<Number> {
        self.kind.parse(text).map_err(usage).about(text)
    }
}

/// Print numbers in a segment
///
/// An aligned number is read atomically: it is never half of an old and half of a new number. A
/// floating-point number is printed with as many digits as are needed to restore it.
#[derive(Debug, clap::Args, Plain)]
pub struct Peek<O: Operand> {
    /// Name of the segment
    #[arg(value_name = O::WORD)]
    name: O,
    #[command(flatten)]
    cell: Cell,
    /// Number of values
    #[arg(long, value_name = "N", default_value_t = 1)]
    count: u64,
    /// Separator, instead of a newline
    #[arg(long, default_value = "\n", hide_default_value = true, conflicts_with = "json")]
    sep: String,
    #[command(flatten)]
    printed: Format,
    #[command(flatten)]
    guarding: Guarding,
}

impl<O: Operand> Action for Peek<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.peek;
    const JSON: &'static [Json] = &[Json::numbers()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let _guard = self.guarding.take(output)?;
        let segment = open(&self.name, Access::Read)?;
        let cell = self.cell.cell();
        let width = cell.format.kind.width().bytes();
        let Some(length) = self.count.checked_mul(width) else {
            let reason =
                format!("{} numbers of {width} bytes are more than any segment has", self.count);
            return Err(Failure::failed(reason)).about(&self.name);
        };
        let failed = |error| explain(&self.name, error);
        let range = segment.range(cell.offset, Some(length)).map_err(failed);
        self.print(&*segment, range.about(&self.name)?, output)?;
        Ok(Exit::Done)
    }
}

impl<O: Operand> Peek<O> {
    fn print(
        &self,
        segment: &dyn Segment,
        range: Range<u64>,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let is_json = self.printed.is_json();
        let (open, separator, close) =
            if is_json { ("[", ",", "]\n") } else { ("", &*self.sep, "\n") };
        if range.is_empty() {
            return Ok(output.text(if is_json { "[]\n" } else { "" })?);
        }
        let format = self.cell.cell().format;
        let (first, width) = (range.start, format.kind.width());
        let failed = |error| explain(&self.name, error);
        let mut view = View::new(segment, range.clone());
        output.text(open)?;
        for at in range.step_by(width.bytes() as usize) {
            let bits = view.load(at, width).map_err(failed).about(&self.name)?;
            let number = format.decode(bits);
            output.text(if at == first { "" } else { separator })?;
            if is_json { output.text(cell::Json(number))? } else { output.text(number)? }
        }
        segment.check_not_removed().map_err(failed).about(&self.name)?;
        Ok(output.text(close)?)
    }
}

/// Set numbers in a segment
///
/// The numbers are set one after the other, each atomically if it is aligned, and their waiters are
/// woken. If one of them is no number of the type, or lies beyond the end, nothing is changed.
#[derive(Debug, clap::Args, Plain)]
pub struct Poke<O: Operand> {
    /// Name of the segment
    #[arg(value_name = O::WORD)]
    name: O,
    /// The number at the offset, and those behind it
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
        let numbers = self
            .values
            .iter()
            .map(|text| self.cell.parse(text))
            .collect::<anyhow::Result<Vec<Number>>>()?;
        let _guard = self.guarding.take(&context.output)?;
        let segment = open(&self.name, Access::Write)?;
        let stored = self.cell.cell().store(&*segment, &numbers);
        stored.map_err(|error| explain(&self.name, error)).about(&self.name)?;
        Ok(Exit::Done)
    }
}

/// Add to a number in a segment, and print the sum
///
/// The addition is atomic: concurrent additions are all counted. A sum beyond the type is refused, and
/// the number stays as it was. If the sum cannot be printed, as stdout is closed or full, it has been
/// added all the same, and the error says so.
#[derive(Debug, clap::Args, Plain)]
pub struct Add<O: Operand> {
    /// Name of the segment
    #[arg(value_name = O::WORD)]
    name: O,
    /// Number to add, negative to subtract
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
        let added = self.cell.cell().update(&*segment, |number| {
            let beyond =
                |_| Failure::failed(format!("the sum of {number} and {delta} is beyond {kind}"));
            kind.add(number, delta).map_err(beyond)
        });
        let sum = added.map_err(|error| explain(&self.name, error)).and_then(|sum| sum);
        let sum = sum.about(&self.name)?;
        print_changed(sum, output)?;
        Ok(Exit::Done)
    }
}

/// Set a number in a segment if it is as expected
///
/// The exchange is atomic: if several processes expect the same number, one succeeds. It prints the new
/// number; the others print the number that they found, and end with status 1. Floating-point numbers
/// are compared by value.
#[derive(Debug, clap::Args, Plain)]
pub struct Cas<O: Operand> {
    /// Name of the segment
    #[arg(value_name = O::WORD)]
    name: O,
    /// Expected number
    #[arg(allow_negative_numbers = true)]
    old: String,
    /// Number to set
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
        let exchange = |found| if found == old { Ok(new) } else { Err(found) };
        let exchanged = self.cell.cell().update(&*segment, exchange);
        let exchanged = exchanged.map_err(|error| explain(&self.name, error)).about(&self.name)?;
        match exchanged {
            Ok(number) => {
                print_changed(number, output)?;
                Ok(Exit::Done)
            }
            Err(found) => {
                output.line(found)?;
                Ok(Exit::No)
            }
        }
    }
}

/// Prints the new value of a number. An error says that the number was changed all the same.
pub fn print_changed(number: Number, output: &mut Output) -> anyhow::Result<()> {
    match output.line(number).and_then(|()| output.flush()) {
        Err(unwritable) if !unwritable.reader_left() => {
            let reason = format!("{unwritable}; the number was changed, it is {number} now");
            Err(Failure::failed(reason).into())
        }
        printed => Ok(printed?),
    }
}

/// The failure of a text that is no number.
pub fn usage(error: cell::NumberError) -> Failure {
    Failure::new(Exit::Usage, error.to_string())
}
