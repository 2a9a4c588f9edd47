//! `ipc queue create`.

use std::ffi::OsString;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example, Statuses};
use crate::app::context::Context;
use crate::app::creation::Creation;
use crate::app::lifetime::{Lifetime, Limited};
use crate::app::trust::Accepted;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::units::Size;
use crate::io::output::Output;
use crate::mechanism::queue::named::RingName;
use crate::mechanism::queue::ring::{Error, Ring};
use crate::mechanism::temporary::Temporary;

use super::{attach, explain};

/// Create a queue
///
/// A name such as /jobs is an object of POSIX shared memory. A name with './' or a second slash is
/// a file, which outlives a reboot.
///
/// The capacity is that of the ring of messages: each takes its bytes, rounded up to a multiple of
/// 8, and 16 more. It is rounded up to a power of two of at least 4096. All of it is allocated at
/// once, so that a push never fails for lack of memory or disk space.
///
/// The status is 5 if the name exists.
#[derive(Debug, clap::Args, Plain)]
pub struct Create {
    /// Name of the queue, such as /jobs, or a path such as ./jobs
    name: RingName,
    /// Bytes of the ring, rounded up to a power of two
    #[arg(long, value_name = "SIZE", value_parser = Size::positive, required = true)]
    capacity: Size,
    #[command(flatten)]
    creation: Creation,
    #[command(flatten)]
    lifetime: Lifetime,
}

impl Action for Create {
    const EXAMPLES: &'static [Example] = &[
        ("Create a queue in shared memory", "ipc queue create /jobs --capacity 1M"),
        ("Create one in a file, for a group", "ipc queue create ./jobs --capacity 64M -m 0660"),
        ("Remove it when a command ends", "ipc queue create /jobs --capacity 1M --while -- ./job"),
    ];
    const STATUSES: Statuses = Statuses::OfCommandIfAny;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        if self.lifetime.is_limited() {
            return self.lifetime.run(context, &self);
        }
        self.make(&context.output)?;
        Ok(Exit::Done)
    }
}

impl Limited for Create {
    fn make(&self, output: &Output) -> anyhow::Result<Option<i32>> {
        let Size(bytes) = self.capacity;
        let create = || create(&self.name, self.creation.mode(), bytes);
        let made = self.creation.make(&self.name, output, create, || self.accept(bytes));
        made.about(&self.name)?;
        Ok(None)
    }

    fn find(&self, _: Option<i32>) -> anyhow::Result<Vec<Temporary>> {
        Ok(vec![Temporary::file(&self.name.path()).about(&self.name)?])
    }

    fn name(&self, _: Option<i32>) -> OsString {
        self.name.as_ref().to_owned()
    }
}

impl Create {
    /// Accepts a queue that exists already, if it is trusted and has the requested capacity.
    fn accept(&self, bytes: u64) -> Result<Accepted, Failure> {
        let open = self.name.open().map_err(|error| explain(error, &self.name))?;
        let accepted = self.creation.accept(&self.name.found(&open)?)?;
        let there = attach(&self.name, open.file)?.capacity();
        match Ring::capacity_for(bytes) == Some(there) {
            true => Ok(accepted),
            false => Err(Failure::new(Exit::InUse, format!("exists with --capacity {there}"))),
        }
    }
}

/// Creates a queue.
pub fn create(name: &RingName, mode: u32, bytes: u64) -> Result<Ring, Failure> {
    name.create(mode, bytes).map_err(|error: Error| explain(error, name))
}
