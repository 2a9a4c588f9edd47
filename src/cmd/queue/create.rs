//! `ipc queue create`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::creation::Creation;
use crate::app::trust::Accepted;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::units::Size;
use crate::mechanism::queue::named::RingName;
use crate::mechanism::queue::ring::{Error, Ring};

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
}

impl Action for Create {
    const EXAMPLES: &'static [Example] = &[
        ("Create a queue in shared memory", "ipc queue create /jobs --capacity 1M"),
        ("Create one in a file, for a group", "ipc queue create ./jobs --capacity 64M -m 0660"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let Size(bytes) = self.capacity;
        let create = || create(&self.name, self.creation.mode(), bytes);
        self.creation
            .make(&self.name, &context.output, create, || self.accept(bytes))
            .about(&self.name)?;
        Ok(Exit::Done)
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
