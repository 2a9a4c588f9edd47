//! `ipc mq set`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::report;
use crate::app::ownership::{Ownable, Ownership, nothing_to_set};
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::name::SystemVName;
use crate::base::units::Size;
use crate::mechanism::ownership::NewOwnership;
use crate::mechanism::queue::{Error, Posix, QueueName, SystemV};
use crate::sys::system_v::Target;

use super::{not_for_this_kind, unopened};

/// Change the permissions, the owner, or the limit of a queue
///
/// The owner of a POSIX queue may change its permissions, and its group to another of its own groups;
/// root may change the owner. Its limits cannot be changed. The owner and the creator of a System V queue
/// may change its permissions, its owner, and its limit up to 'sysctl kernel.msgmnb'. They need no
/// permission to use the queue. All changes of a System V queue are made at once.
#[derive(Debug, clap::Args, Plain)]
pub struct Set {
    /// Name of the queue, such as /jobs, or sysv:0x2a
    name: QueueName,
    /// Maximum of all bytes in a System V queue
    #[arg(long, value_name = "SIZE", value_parser = Size::positive)]
    max_bytes: Option<Size>,
    #[command(flatten)]
    ownership: Ownership,
}

impl Action for Set {
    const EXAMPLES: &'static [Example] = &[
        ("Have senders wait sooner", "ipc mq set sysv:0x2a --max-bytes 4096"),
        ("Let every user send, and a group receive", "ipc mq set /jobs -m 0662 --owner :staff"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        self.set().about(&self.name)?;
        report(&context.output, &self.name, "set");
        Ok(Exit::Done)
    }
}

impl Set {
    fn set(&self) -> Result<(), Failure> {
        let bytes = self.max_bytes.map(|Size(bytes)| bytes);
        let change = self.ownership.change();
        let (set, object) = match (&self.name, bytes) {
            (QueueName::Posix(_), Some(_)) => {
                return Err(not_for_this_kind("only the limit of a System V queue can be changed"));
            }
            _ if bytes.is_none() && change.is_empty() => {
                return Err(nothing_to_set("--mode, --owner or --max-bytes"));
            }
            (QueueName::Posix(name), None) => (Posix::set_ownership(name, &change), Ownable::File),
            (QueueName::SystemV(name), bytes) => {
                (set_system_v(name, bytes, &change), Ownable::SystemV)
            }
        };
        set.map_err(|error| {
            let errno = match error {
                Error::Kernel(errno) => Some(errno),
                _ => None,
            };
            self.ownership.explain(unopened(error, &self.name), errno, object)
        })
    }
}

fn set_system_v(
    name: &SystemVName,
    max_bytes: Option<u64>,
    change: &NewOwnership,
) -> Result<(), Error> {
    SystemV::open(Target::new(name)?)?.set(max_bytes, change)
}
