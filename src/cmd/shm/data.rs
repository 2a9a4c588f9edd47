//! Bytes in bulk: making segments, filling them and reading them.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::trust::Trust;
use crate::base::exit::{Exit, Failure, Subject, about};
use crate::base::units::{Permissions, Size};
use crate::io::output::{Output, Unwritable};
use crate::io::transfer::Side;
use crate::mechanism::memory::segment;
use crate::mechanism::memory::segment::{
    Access, Fit, PageSize, Passing, Place, Segment, WriteError,
};
use crate::sys::origin::Found;
use crate::sys::stdio::Stream;

use super::{
    Durability, Guarding, Operand, bytes, explain_of, of_kernel, open, open_unnamed,
    refuse_removed, removed, shrank, within,
};
use crate::app::creation::Creation;
use crate::app::objects::{each, print_name, stdin_failed};

/// Create a segment
///
/// Its bytes are zeros. The memory is there when the command ends: a program that maps the segment
/// does not run out of it later.
///
/// Under 'shm', 'sysv:0' makes a System V segment without a key, and prints the name by which it is
/// reached.
#[derive(Debug, clap::Args, Plain)]
pub struct Create<O: Operand> {
    /// Name of the segment
    #[arg(value_name = O::WORD)]
    name: O,
    /// How many bytes it has
    #[arg(short, long)]
    size: Size,
    /// Use huge pages, or fail
    #[arg(long)]
    huge: bool,
    #[command(flatten)]
    creation: Creation,
}

impl<O: Operand> Action for Create<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.create;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let Size(size) = self.size;
        let page_size = if self.huge { PageSize::Huge } else { PageSize::Ordinary };
        let failed = |error| explain_of(&self.name, error);
        let create = || self.name.create(size, self.creation.mode(), page_size).map_err(failed);
        let exists = || {
            let (segment, found) = self.name.open_found(Access::Read).map_err(failed)?;
            let accepted = self.creation.accept(&found)?;
            match segment.size()? {
                there if there == size => Ok(accepted),
                there => {
                    let reason = format!("exists with another size, {there} bytes");
                    Err(Failure::new(Exit::InUse, reason))
                }
            }
        };
        let made = self.creation.make(&self.name, output, create, exists).about(&self.name)?;
        if let Some(name) = made.flatten() {
            print_name(&name, output, || name.remove())?;
        }
        Ok(Exit::Done)
    }
}

/// Write stdin into a segment
///
/// A segment that does not exist is created, as large as the input, and appears when it is
/// complete; a System V segment can be seen before, as the kernel knows no other way. An existing
/// one keeps its size: input that does not fit is refused, before a byte is written if stdin is a
/// file, and otherwise when it is full, with a message that says how much was written. --grow and
/// --truncate give it another size; they are refused for System V segments, which keep theirs.
///
/// Of several that create it at the same time one does, and the others write into it, and let it
/// grow where that is needed.
#[derive(Debug, clap::Args, Plain)]
pub struct Write<O: Operand> {
    /// Name of the segment
    #[arg(value_name = O::WORD)]
    name: O,
    /// Where to begin
    #[arg(long, value_name = "SIZE")]
    offset: Option<Size>,
    /// Let the segment grow where the input does not fit
    #[arg(long)]
    grow: bool,
    /// Let the segment end where the input ends
    #[arg(long, conflicts_with = "grow")]
    truncate: bool,
    /// Permissions for a segment that is created; 0600 if not given
    #[arg(short, long)]
    mode: Option<Permissions>,
    #[command(flatten)]
    trust: Trust,
    #[command(flatten)]
    durability: O::Durability,
    #[command(flatten)]
    guarding: Guarding,
}

impl<O: Operand> Action for Write<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.write;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let _guard = self.guarding.take(output)?;
        self.write().map_err(|error| match error {
            WriteError::Source(errno) => stdin_failed(errno),
            error => about(self.explain(error), &self.name),
        })?;
        Ok(Exit::Done)
    }
}

impl<O: Operand> Write<O> {
    fn write(&self) -> Result<(), WriteError> {
        let (input, offset) = (Stream::Input.fd(), bytes(self.offset));
        let mode = Permissions::of_new_object(self.mode);
        let accept = |found: &Found| self.trust.accept(found, self.mode.map(|_| mode));
        let segment = segment::write_to(&self.name, input, offset, mode, self.fit(), accept)?;
        if let Some(sync) = self.durability.sync() {
            segment.sync(sync)?;
            self.name.sync_name()?;
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

    fn explain(&self, error: WriteError) -> Failure {
        match error {
            WriteError::Segment(error) => explain_of(&self.name, error),
            WriteError::DoesNotFit { can_grow, .. } | WriteError::BeyondTheEnd { can_grow, .. } => {
                let failure = Failure::failed(error.to_string());
                match can_grow {
                    true => failure.hint("--grow makes room, --truncate fits it"),
                    false => failure,
                }
            }
            WriteError::Partly { errno, size } => {
                of_kernel(errno).adding(format_args!("; it has {size} bytes now"))
            }
            WriteError::Removed => removed(),
            WriteError::Itself | WriteError::CutShort => Failure::failed(error.to_string()),
            WriteError::Source(errno) => errno.into(),
            WriteError::Refused(failure) => failure,
        }
    }
}

/// Print what is in segments
///
/// Where stdout is a pipe, its reader may be handed the memory itself rather than a copy: it sees
/// what is written to the segment until it has read it. With --guard it never does.
///
/// What lies beyond the end is refused before a byte of the segment is printed; that it becomes
/// shorter or is removed meanwhile is an error. The other segments are printed all the same.
#[derive(Debug, clap::Args, Plain)]
pub struct Cat<O: Operand> {
    /// Names of segments
    #[arg(required = true, value_name = O::WORD)]
    names: Vec<O>,
    /// Where to begin
    #[arg(long, value_name = "SIZE")]
    offset: Option<Size>,
    /// How many bytes to print; all if not given
    #[arg(long, value_name = "SIZE")]
    count: Option<Size>,
    /// Stop at the first NUL
    #[arg(long)]
    string: bool,
    #[command(flatten)]
    guarding: Guarding,
}

impl<O: Operand> Action for Cat<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.cat;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let _guard = self.guarding.take(output)?;
        each(&self.names, output, |name, output| self.print(name, output))
    }
}

impl<O: Operand> Cat<O> {
    fn print(&self, name: &O, output: &mut Output) -> anyhow::Result<()> {
        let segment = open_unnamed(name, Access::Read)?;
        let count = self.count.map(|Size(count)| count);
        let range = within(&*segment, bytes(self.offset), count)?;
        if self.string {
            print_string(&*segment, range, output)?;
        } else {
            output.flush()?;
            let expected = range.end - range.start;
            let passed = segment.drain(Stream::Output.fd(), range, self.passing());
            let passed = passed.map_err(|error| match error.side {
                Side::Source => anyhow::Error::from(error.errno),
                Side::Destination => Unwritable(error.errno).into(),
            })?;
            if passed < expected {
                return Err(shrank().into());
            }
        }
        Ok(refuse_removed(&*segment)?)
    }

    fn passing(&self) -> Passing {
        if self.guarding.is_wanted() { Passing::ByValue } else { Passing::ByReference }
    }
}

/// Prints up to the first NUL.
fn print_string(
    segment: &dyn Segment,
    range: std::ops::Range<u64>,
    output: &mut Output,
) -> anyhow::Result<()> {
    let mut buffer = [0; 4096];
    let mut offset = range.start;
    while offset < range.end {
        let room = (range.end - offset).min(buffer.len() as u64) as usize;
        let count = segment.read(&mut buffer[..room], offset)?;
        if count == 0 {
            return Err(shrank().into());
        }
        match buffer[..count].iter().position(|&byte| byte == 0) {
            Some(end) => return Ok(output.bytes(&buffer[..end])?),
            None => output.bytes(&buffer[..count])?,
        }
        offset += count as u64;
    }
    Ok(())
}

/// Give a segment another size
///
/// What is added is zeros, whose memory is there when the command ends; what is cut off is lost,
/// and a program that touches it in a mapping gets SIGBUS.
#[derive(Debug, clap::Args, Plain)]
pub struct Resize<O: Operand> {
    /// Name of the segment
    #[arg(value_name = O::WORD)]
    name: O,
    /// The new size
    size: Size,
}

impl<O: Operand> Action for Resize<O> {
    const EXAMPLES: &'static [Example] = O::EXAMPLES.resize;

    fn run(self, _: &mut Context) -> anyhow::Result<Exit> {
        let Size(size) = self.size;
        let failed = |error| explain_of(&self.name, error);
        open(&self.name, Access::Write)?.resize(size).map_err(failed).about(&self.name)?;
        Ok(Exit::Done)
    }
}
