//! `ipc mq create` and `rm`.

use std::ffi::OsString;

use clap::builder::RangedU64ValueParser;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example, Statuses};
use crate::app::context::Context;
use crate::app::creation::Creation;
use crate::app::lifetime::{Lifetime, Limited, name_or_id};
use crate::app::objects::{identifier_given, missing_key, print_name, target};
use crate::app::trust::Accepted;
use crate::base::deadline::Waited;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::name::{ObjectName, SystemVName};
use crate::base::units::Size;
use crate::io::output::Output;
use crate::mechanism::queue::{
    self, Access, Error, Found, MessageQueue, Posix, QueueName, Shape, SystemV,
};
use crate::mechanism::temporary::Temporary;
use crate::sys::mqueue::Limits;
use crate::sys::system_v::{Kind, Target};

use super::{explain, not_for_this_kind};

/// Create a message queue
///
/// The status is 5 if there is a queue of that name. Programs open a POSIX queue with mq_open(3), and
/// a System V queue with msgget(2). Messages stay until they are received, or the machine is shut
/// down.
///
/// The limits of POSIX queues for users without privileges, and the default sizes, are in
/// /proc/sys/fs/mqueue. A System V queue has only a limit for the bytes of all messages. 'sysv:0'
/// creates a queue without a key, and prints its name.
#[derive(Debug, clap::Args, Plain)]
pub struct Create {
    /// Name of the queue, such as /jobs, or sysv:0x2a
    name: QueueName,
    /// Maximum number of messages
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u64>::new().range(1..))]
    max_msgs: Option<u64>,
    /// Maximum length of a message
    #[arg(long, value_name = "SIZE", value_parser = Size::positive)]
    msg_size: Option<Size>,
    /// Maximum of all bytes in a System V queue
    #[arg(long, value_name = "SIZE", value_parser = Size::positive)]
    max_bytes: Option<Size>,
    #[command(flatten)]
    creation: Creation,
    #[command(flatten)]
    lifetime: Lifetime,
}

impl Action for Create {
    const EXAMPLES: &'static [Example] = &[
        ("Create a queue for ten jobs", "ipc mq create /jobs --max-msgs 10 --msg-size 256"),
        ("Create it unless it exists, for a group", "ipc mq create -e -m u=rw,g=rw /jobs"),
        ("Create a System V queue with a key from a path", "ipc mq create sysv:/srv/app:J"),
        ("Create it for the time of a command", "ipc mq create /jobs --while -- ./run-all"),
    ];
    const STATUSES: Statuses = Statuses::OfCommandIfAny;

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        if self.lifetime.is_limited() {
            return self.lifetime.run(context, &self);
        }
        let output = &mut context.output;
        match &self.name {
            QueueName::Posix(name) => self.posix(name, output).map(drop).about(name)?,
            QueueName::SystemV(name) => {
                let made = self.system_v(name, output).about(name)?;
                if let Some(queue) = made.filter(|_| is_private(name)) {
                    let remove = || queue.remove().map_err(explain);
                    print_name(&SystemVName::of_id(queue.id()), output, remove)?;
                }
            }
        }
        Ok(Exit::Done)
    }
}

fn is_private(name: &SystemVName) -> bool {
    Target::new(name).is_ok_and(Target::is_private)
}

impl Create {
    /// Whether an option is given that only a POSIX queue has.
    fn has_shape(&self) -> bool {
        self.max_msgs.is_some() || self.msg_size.is_some()
    }

    /// Creates a POSIX queue; `None` if it exists already.
    fn posix(&self, name: &ObjectName, output: &Output) -> anyhow::Result<Option<Posix>> {
        if self.max_bytes.is_some() {
            return Err(not_for_this_kind(
                "--max-bytes is for System V queues; POSIX queues have --max-msgs and --msg-size",
            )
            .into());
        }
        let shape = self.has_shape().then(|| {
            let default = Limits::now().default;
            Shape {
                max_msgs: self.max_msgs.unwrap_or(default.max_msgs),
                msg_size: self.msg_size.map_or(default.msg_size, |Size(bytes)| bytes),
            }
        });
        let mode = self.creation.mode();
        let create = || Posix::create(name, shape, mode).map_err(explain);
        let exists = || self.accept_posix(name);
        self.creation.make(name, output, create, exists)
    }

    /// Accepts a queue that exists already, if it has the shape that was asked for.
    fn accept_posix(&self, name: &ObjectName) -> Result<Accepted, Failure> {
        let queue = Posix::open(name, Access::Look).map_err(explain)?;
        let Shape { max_msgs, msg_size } = queue.shape().map_err(explain)?;
        let accepted = self.creation.accept(&finished(&queue.into())?)?;
        let differs = self.max_msgs.is_some_and(|wanted| wanted != max_msgs)
            || self.msg_size.is_some_and(|Size(wanted)| wanted != msg_size);
        if differs {
            let reason = format!("exists with --max-msgs {max_msgs} --msg-size {msg_size}");
            return Err(Failure::new(Exit::InUse, reason));
        }
        Ok(accepted)
    }

    /// The same for a System V queue, once its creator has finished it.
    fn accept_system_v(&self, target: Target) -> Result<Accepted, Failure> {
        let queue = SystemV::open(target).map_err(explain)?;
        let max_bytes = queue.max_bytes();
        let found = match self.creation.mode() {
            // The caller wants no permissions, which is also how an unfinished queue looks.
            0 => queue.row().map_err(explain)?.found(),
            _ => finished(&queue.into())?,
        };
        let accepted = self.creation.accept(&found)?;
        let Some(Size(wanted)) = self.max_bytes else { return Ok(accepted) };
        match max_bytes.map_err(explain)? {
            there if there == wanted => Ok(accepted),
            there => Err(Failure::new(Exit::InUse, format!("exists with --max-bytes {there}"))),
        }
    }

    /// Creates a System V queue; `None` if it exists already.
    fn system_v(&self, name: &SystemVName, output: &Output) -> anyhow::Result<Option<SystemV>> {
        if self.has_shape() {
            return Err(not_for_this_kind(
                "--max-msgs and --msg-size are for POSIX queues; System V queues have --max-bytes",
            )
            .into());
        }
        let target = target(name)?;
        let bytes = self.max_bytes.map(|Size(bytes)| bytes);
        let exists = || self.accept_system_v(target);
        let create = || create_system_v(target, self.creation.mode(), bytes);
        self.creation.make(name, output, create, exists)
    }
}

impl Limited for Create {
    fn make(&self, output: &Output) -> anyhow::Result<Option<i32>> {
        let made = match &self.name {
            QueueName::Posix(name) => self.posix(name, output).map(|_| None),
            QueueName::SystemV(name) => self.system_v(name, output),
        };
        Ok(made.about(&self.name)?.map(|queue| queue.id()))
    }

    fn find(&self, id: Option<i32>) -> anyhow::Result<Vec<Temporary>> {
        let found = match &self.name {
            QueueName::Posix(name) => Temporary::queue(name),
            QueueName::SystemV(_) => Temporary::system_v(Kind::Queue, id),
        };
        Ok(vec![found.about(&self.name)?])
    }

    fn discard(&self) {
        let _ = queue::remove(&self.name);
    }

    fn name(&self, id: Option<i32>) -> OsString {
        name_or_id(&self.name, id)
    }
}

/// Creates a System V queue.
pub fn create_system_v(
    target: Target,
    mode: u32,
    max_bytes: Option<u64>,
) -> Result<SystemV, Failure> {
    let created = SystemV::create(target, mode, max_bytes);
    created.map_err(|error| match (error, target) {
        (Error::Kernel(Errno(libc::EINVAL)), Target::Id(_)) => identifier_given(),
        (error, _) => explain(error),
    })
}

/// The creator of a queue that exists already and its permissions, once the creator has finished it.
pub fn finished(queue: &MessageQueue) -> Result<Found, Failure> {
    match queue.found().map_err(explain)? {
        Waited::Done(found) => Ok(found),
        Waited::TimedOut => Err(Failure::new(
            Exit::InUse,
            "exists without any permissions, as it was never finished",
        )
        .hint("its maker was killed: 'ipc mq rm' removes it")),
    }
}

/// Remove message queues, and the messages in them
///
/// Processes that have a POSIX queue open go on using it; a new queue of the same name is another one.
/// Processes that wait at a System V queue fail.
#[derive(Debug, clap::Args, Plain)]
pub struct Rm {
    /// Names of queues
    #[arg(required = true)]
    names: Vec<QueueName>,
    /// Ignore queues that do not exist
    #[arg(short, long)]
    force: bool,
}

impl Action for Rm {
    const EXAMPLES: &'static [Example] = &[("Remove both", "ipc mq rm -f /jobs sysv:0x2a")];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let remove = |name: &QueueName| {
            queue::remove(name).map_err(|error| missing_key(explain(error), name))
        };
        crate::app::objects::remove(&self.names, self.force, output, remove)
    }
}
