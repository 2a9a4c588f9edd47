//! Creating, writing, printing and resizing segments.

use std::ffi::OsString;
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example, Statuses};
use crate::app::context::Context;
use crate::app::lifetime::{Lifetime, Limited, name_or_id};
use crate::app::options::Reporting;
use crate::app::trust::{Accepted, Trust};
use crate::base::exit::{Exit, Failure, Subject, about};
use crate::base::units::{Permissions, Size};
use crate::io::output::{Output, Unwritable};
use crate::io::progress::Flow;
use crate::io::transfer::{Counter, Side};
use crate::mechanism::memory::segment;
use crate::mechanism::memory::segment::{
    Access, Engine, Error, Fit, Input, New, PageSize, Passing, Segment, WriteError,
};
use crate::mechanism::temporary::Temporary;
use crate::sys::offset::remaining;
use crate::sys::origin::Found;
use crate::sys::system_v::NewObject;

use super::explain::explain_write;
use super::{Durability, Guarding, Operand, bytes, explain, explain_open, open};
use crate::app::creation::Creation;
use crate::app::objects::{each, print_name, stdin_failed};

/// Create a segment
///
/// The segment consists of zeros. The command allocates all of its memory, so that no program that maps
/// it runs out of memory later.
///
/// Under 'shm', 'sysv:0' creates a System V segment without a key, and the command prints a name for it.
#[derive(Debug, clap::Args, Plain)]
pub struct Create<O: Operand> {
    /// Name of the segment
    #[arg(value_name = O::WORD)]
    name: O,
    /// Size in bytes
    #[arg(short, long)]
    size: Size,
    /// Use huge pages, or fail
    #[arg(long)]
    huge: bool,
    #[command(flatten)]
    creation: Creation,
    #[command(flatten)]
    lifetime: Lifetime,
}

impl<O: Operand> Action for Create<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.create;
    const STATUSES: Statuses = Statuses::OfCommandIfAny;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        if self.lifetime.is_limited() {
            return self.lifetime.run(context, &self);
        }
        let output = &mut context.output;
        let made = self.create(output).about(&self.name)?;
        if let Some(name) = made.flatten().and_then(NewObject::own_name) {
            print_name(&name, output, || name.remove())?;
        }
        Ok(Exit::Done)
    }
}

impl<O: Operand> Create<O> {
    /// Creates the segment; `None` if it exists already.
    fn create(&self, output: &Output) -> anyhow::Result<Option<Option<NewObject>>> {
        let Size(size) = self.size;
        let page_size = if self.huge { PageSize::Huge } else { PageSize::Ordinary };
        let new = New { size, mode: self.creation.mode(), page_size };
        let create = || self.name.engine().create(new).map_err(|error| explain(&self.name, error));
        self.creation.make(&self.name, output, create, || self.accept())
    }

    /// Accepts a segment that exists already, if it is trusted and has the requested size.
    fn accept(&self) -> Result<Accepted, Failure> {
        let Size(size) = self.size;
        let failed = |error| explain(&self.name, error);
        let (segment, found) = self.name.engine().open_found(Access::Read).map_err(failed)?;
        let accepted = self.creation.accept(&found)?;
        match segment.size().map_err(failed)? {
            there if there == size => Ok(accepted),
            there => {
                let reason = format!("exists with another size, {there} bytes");
                Err(Failure::new(Exit::InUse, reason))
            }
        }
    }
}

impl<O: Operand> Limited for Create<O> {
    fn make(&self, output: &Output) -> anyhow::Result<Option<i32>> {
        let made = self.create(output).about(&self.name)?;
        Ok(made.flatten().map(|made| made.id))
    }

    fn find(&self, id: Option<i32>) -> anyhow::Result<Vec<Temporary>> {
        Ok(vec![self.name.temporary(id).about(&self.name)?])
    }

    fn name(&self, id: Option<i32>) -> OsString {
        name_or_id(&self.name, id)
    }
}

/// Write stdin into a segment
///
/// A segment that does not exist is created with the size of the input, and appears when it is complete.
/// A System V segment appears before, as the kernel has no other way to create one.
///
/// An existing segment keeps its size, unless --grow or --truncate is given, which System V segments do
/// not support. Longer input is refused: before a byte is written if stdin is a file, and otherwise when
/// the segment is full, with a message that says how much was written.
///
/// If several commands create the segment at the same time, one succeeds. The others write to it, and
/// it grows for them if necessary.
#[derive(Debug, clap::Args, Plain)]
pub struct Write<O: Operand> {
    /// Name of the segment
    #[arg(value_name = O::WORD)]
    name: O,
    /// Offset of the first byte
    #[arg(long, value_name = "SIZE")]
    offset: Option<Size>,
    /// Let the segment grow if the input does not fit
    #[arg(long)]
    grow: bool,
    /// Let the segment end with the input
    #[arg(long, conflicts_with = "grow")]
    truncate: bool,
    /// Permissions of a new segment; 0600 if not given
    #[arg(short, long)]
    mode: Option<Permissions>,
    #[command(flatten)]
    trust: Trust,
    #[command(flatten)]
    durability: O::Durability,
    #[command(flatten)]
    reporting: Reporting,
    #[command(flatten)]
    guarding: Guarding,
}

impl<O: Operand> Action for Write<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.write;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let _guard = self.guarding.take(&context.output)?;
        let (stdin, counter) = (context.stdin, Arc::default());
        let flow = Flow::alone(&counter, remaining(stdin));
        let _progress = self.reporting.start(&context.output, &[&stdin], vec![flow]);
        self.write(stdin, &counter).map_err(|error| match error {
            WriteError::Source(errno) => stdin_failed(errno),
            error => about(explain_write(&self.name, error), &self.name),
        })?;
        Ok(Exit::Done)
    }
}

impl<O: Operand> Write<O> {
    fn write(&self, source: BorrowedFd<'_>, counter: &Counter) -> Result<(), WriteError> {
        let (engine, mode) = (self.name.engine(), Permissions::of_new_object(self.mode));
        let input = Input { source, offset: bytes(self.offset), mode, counter };
        let accept = |found: &Found| self.trust.accept(found, self.mode.map(|_| mode));
        let segment = segment::write_to(engine, input, self.fit(), accept)?;
        if let Some(sync) = self.durability.sync() {
            segment.sync(sync)?;
            engine.sync_name()?;
        }
        Ok(())
    }

    fn fit(&self) -> Fit {
        match (self.grow, self.truncate) {
            (true, _) => Fit::Grow,
            (_, true) => Fit::Exactly,
            _ => Fit::Keep,
        }
    }
}

/// Print the contents of segments
///
/// If stdout is a pipe, the pipe may get the memory itself instead of a copy, so that its reader sees
/// later changes. With --guard it gets a copy.
///
/// A range that ends beyond the segment is refused before a byte of the segment is printed. It is an
/// error if the segment becomes shorter or is removed meanwhile. The other segments are printed all the
/// same.
#[derive(Debug, clap::Args, Plain)]
pub struct Cat<O: Operand> {
    /// Names of segments
    #[arg(required = true, value_name = O::WORD)]
    names: Vec<O>,
    /// Offset of the first byte
    #[arg(long, value_name = "SIZE")]
    offset: Option<Size>,
    /// Number of bytes to print; all if not given
    #[arg(long, value_name = "SIZE")]
    count: Option<Size>,
    /// Stop at the first NUL
    #[arg(long)]
    string: bool,
    #[command(flatten)]
    reporting: Reporting,
    #[command(flatten)]
    guarding: Guarding,
}

impl<O: Operand> Action for Cat<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.cat;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let _guard = self.guarding.take(&context.output)?;
        let stdout = context.stdout;
        each(&self.names, &mut context.output, |name, output| self.print(name, stdout, output))
    }
}

impl<O: Operand> Cat<O> {
    fn print(&self, name: &O, stdout: BorrowedFd<'_>, output: &mut Output) -> anyhow::Result<()> {
        let segment =
            name.engine().open(Access::Read).map_err(|error| explain_open(name, error))?;
        let failed = |error| explain(name, error);
        let count = self.count.map(|Size(count)| count);
        let range = segment.range(bytes(self.offset), count).map_err(failed)?;
        if self.string {
            Self::print_string(name, &*segment, range, output)?;
        } else {
            output.flush()?;
            let expected = range.end - range.start;
            let counter = Arc::default();
            let flow = Flow::alone(&counter, Some(expected));
            let _progress = self.reporting.start(output, &[&stdout], vec![flow]);
            let passed = segment.drain(stdout, range, self.passing(), &counter);
            let passed = passed.map_err(|error| match error.side {
                Side::Source => anyhow::Error::from(error.errno),
                Side::Destination => Unwritable(error.errno).into(),
            })?;
            if passed < expected {
                return Err(failed(Error::Shrank).into());
            }
        }
        Ok(segment.check_not_removed().map_err(failed)?)
    }

    fn passing(&self) -> Passing {
        if self.guarding.is_wanted() { Passing::ByValue } else { Passing::ByReference }
    }
    /// Prints the bytes up to the first NUL.
    fn print_string(
        name: &O,
        segment: &dyn Segment,
        range: Range<u64>,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        let failed = |error| explain(name, error);
        let mut buffer = [0; 4096];
        let mut offset = range.start;
        while offset < range.end {
            let room = (range.end - offset).min(buffer.len() as u64) as usize;
            let count = segment.read(&mut buffer[..room], offset).map_err(failed)?;
            if count == 0 {
                return Err(failed(Error::Shrank).into());
            }
            match buffer[..count].iter().position(|&byte| byte == 0) {
                Some(end) => return Ok(output.bytes(&buffer[..end])?),
                None => output.bytes(&buffer[..count])?,
            }
            offset += count as u64;
        }
        Ok(())
    }
}

/// Give a segment another size
///
/// Added bytes are zeros, and the command allocates their memory. Bytes that are cut off are lost, and a
/// program that has them mapped gets SIGBUS when it accesses them.
#[derive(Debug, clap::Args, Plain)]
pub struct Resize<O: Operand> {
    /// Name of the segment
    #[arg(value_name = O::WORD)]
    name: O,
    /// New size
    size: Size,
}

impl<O: Operand> Action for Resize<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.resize;

    fn run(self, _: &mut Context) -> anyhow::Result<Exit> {
        let Size(size) = self.size;
        let failed = |error| explain(&self.name, error);
        open(&self.name, Access::Write)?.resize(size).map_err(failed).about(&self.name)?;
        Ok(Exit::Done)
    }
}
