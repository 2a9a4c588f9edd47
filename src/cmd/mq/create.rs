//! `ipc mq create`, `set` and `rm`.

use clap::builder::RangedU64ValueParser;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::creation::Creation;
use crate::app::objects::{identifier_given, or_key, print_name, target};
use crate::app::trust::Accepted;
use crate::base::deadline::Waited;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject};
use crate::base::name::{ObjectName, SystemVName};
use crate::base::units::Size;
use crate::io::output::Output;
use crate::mechanism::queue;
use crate::mechanism::queue::QueueName;
use crate::sys::mqueue::{self, Access, Limits, MOST, Shape};
use crate::sys::origin::Found;
use crate::sys::system_v::Target;
use crate::sys::system_v_queue;

use super::{explain, not_for_this_kind};

/// Create a message queue
///
/// It fails with status 5 if there is one of that name. Programs open a POSIX queue with
/// mq_open(3), and a System V queue with msgget(2). The messages stay until they are received, or
/// the machine goes down.
///
/// How large a POSIX queue may be without privileges stands in /proc/sys/fs/mqueue, and so does
/// the shape of one for which nothing is asked for. A System V queue has a limit for all its bytes
/// only. 'sysv:0' makes a queue without a key, and prints the name by which it is reached.
#[derive(Debug, clap::Args, Plain)]
pub struct Create {
    /// Name of the queue, such as /jobs, or sysv:0x2a
    name: QueueName,
    /// Messages that it holds, before who sends has to wait
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u64>::new().range(1..))]
    max_msgs: Option<u64>,
    /// Bytes that a message may have
    #[arg(long, value_name = "SIZE", value_parser = Size::positive)]
    msg_size: Option<Size>,
    /// Bytes that all messages of a System V queue may have
    #[arg(long, value_name = "SIZE", value_parser = Size::positive)]
    max_bytes: Option<Size>,
    #[command(flatten)]
    creation: Creation,
}

impl Action for Create {
    const EXAMPLES: &'static [Example] = &[
        ("Make a queue for ten jobs", "ipc mq create /jobs --max-msgs 10 --msg-size 256"),
        ("Make sure that it is there, for a group", "ipc mq create -e -m u=rw,g=rw /jobs"),
        ("Make a System V queue from a path", "ipc mq create sysv:/srv/app:J"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        match &self.name {
            QueueName::Posix(name) => self.posix(name, output).about(name),
            QueueName::SystemV(name) => self.system_v(name, output).about(name),
        }
    }
}

impl Create {
    /// Whether something was asked for that only a POSIX queue has.
    fn has_shape(&self) -> bool {
        self.max_msgs.is_some() || self.msg_size.is_some()
    }

    fn posix(&self, name: &ObjectName, output: &Output) -> anyhow::Result<Exit> {
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
        let create = || create_posix(name, shape, self.creation.mode());
        let exists = || self.accept_posix(name);
        self.creation.make(name, output, create, exists)?;
        Ok(Exit::Done)
    }

    /// Whether a queue that exists already may be used, and has the shape that was asked for.
    fn accept_posix(&self, name: &ObjectName) -> Result<Accepted, Failure> {
        let queue = mqueue::Queue::open(name, Access::Look).map_err(explain)?;
        let accepted = self.creation.accept(&queue.found().map_err(explain)?)?;
        let Shape { max_msgs, msg_size } = queue.shape().map_err(explain)?;
        let differs = self.max_msgs.is_some_and(|wanted| wanted != max_msgs)
            || self.msg_size.is_some_and(|Size(wanted)| wanted != msg_size);
        if differs {
            let reason = format!("exists with --max-msgs {max_msgs} --msg-size {msg_size}");
            return Err(Failure::new(Exit::InUse, reason));
        }
        Ok(accepted)
    }

    /// The same for a System V queue, which may have to be finished first.
    fn accept_system_v(&self, target: Target) -> Result<Accepted, Failure> {
        let queue = system_v_queue::Queue::open(target).map_err(explain)?;
        let found = match self.creation.mode() {
            // Without permissions is how it shall be.
            0 => queue.row().map_err(explain)?.found(),
            _ => finished(&queue)?,
        };
        let accepted = self.creation.accept(&found)?;
        if let Some(Size(wanted)) = self.max_bytes {
            has_limit(&queue, wanted)?;
        }
        Ok(accepted)
    }

    fn system_v(&self, name: &SystemVName, output: &mut Output) -> anyhow::Result<Exit> {
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
        let made = self.creation.make(name, output, create, exists)?;
        if let Some(queue) = made.filter(|_| target.is_private()) {
            print_name(&SystemVName::of_id(queue.id()), output, || queue.remove())?;
        }
        Ok(Exit::Done)
    }
}

/// Creates a System V queue, and names the limit where one is in the way.
pub fn create_system_v(
    target: Target,
    mode: u32,
    max_bytes: Option<u64>,
) -> Result<system_v_queue::Queue, Failure> {
    system_v_queue::Queue::create(target, mode, max_bytes).map_err(|errno| match (errno, target) {
        (Errno(libc::EINVAL), Target::Id(_)) => identifier_given(),
        (Errno(libc::ENOSPC), _) => Failure::failed(format!(
            "there are as many queues as there may be ({})",
            system_v_queue::queues_limit()
        ))
        .hint("'ipc mq ls' shows them; sysctl kernel.msgmni is the limit"),
        (errno, _) => explain_max_bytes(errno, max_bytes),
    })
}

/// Who made a queue that exists already, once it is finished.
pub fn finished(queue: &system_v_queue::Queue) -> Result<Found, Failure> {
    match queue::wait_until_finished(queue).map_err(explain)? {
        Waited::Done(row) => Ok(row.found()),
        Waited::TimedOut => Err(Failure::new(
            Exit::InUse,
            "exists without any permissions, as it was never finished",
        )
        .hint("its maker was killed: 'ipc mq rm' removes it")),
    }
}

/// Whether a queue that exists already has the limit that was asked for.
fn has_limit(queue: &system_v_queue::Queue, wanted: u64) -> Result<(), Failure> {
    match queue.max_bytes().map_err(explain)? {
        there if there == wanted => Ok(()),
        there => Err(Failure::new(Exit::InUse, format!("exists with --max-bytes {there}"))),
    }
}

/// Creates a POSIX queue, and names the limit where one is in the way.
pub fn create_posix(
    name: &ObjectName,
    shape: Option<Shape>,
    mode: u32,
) -> Result<mqueue::Queue, Failure> {
    mqueue::Queue::create(name, shape, mode).map_err(|errno| explain_limit(errno, shape))
}

fn explain_limit(errno: Errno, shape: Option<Shape>) -> Failure {
    let limits = Limits::now();
    let asked = shape.unwrap_or(limits.default);
    match errno {
        Errno(libc::EINVAL | libc::EOVERFLOW) if asked.max_msgs > limits.largest.max_msgs => {
            beyond("messages", asked.max_msgs, limits.largest.max_msgs, "msg_max", MOST.max_msgs)
        }
        Errno(libc::EINVAL | libc::EOVERFLOW) if asked.msg_size > limits.largest.msg_size => {
            beyond(
                "bytes a message",
                asked.msg_size,
                limits.largest.msg_size,
                "msgsize_max",
                MOST.msg_size,
            )
        }
        Errno(libc::ENOSPC) => {
            let queues = limits.queues;
            Failure::failed(format!("there are as many queues as there may be ({queues})"))
                .hint("'ipc mq ls' shows them; sysctl fs.mqueue.queues_max is the limit")
        }
        Errno(libc::EMFILE) if mqueue::has_free_descriptor() => {
            let limit = mqueue::memory_limit()
                .map_or_else(|| "without limit".to_owned(), |limit| format!("{limit} bytes"));
            Failure::failed(format!(
                "the queues of this user would take more memory than they may (RLIMIT_MSGQUEUE, \
                 {limit})"
            ))
            .hint(
                "'prlimit --msgqueue' shows the limit; make the queue smaller with --max-msgs and \
                 --msg-size, or remove others",
            )
        }
        errno => explain(errno),
    }
}

fn beyond(what: &str, asked: u64, limit: u64, sysctl: &str, most: u64) -> Failure {
    let failure =
        Failure::failed(format!("{asked} {what} are more than the kernel allows ({limit})"));
    match asked > most {
        true => failure,
        false => failure.hint(format!("as root: sysctl fs.mqueue.{sysctl}={asked}")),
    }
}

fn explain_max_bytes(errno: Errno, asked: Option<u64>) -> Failure {
    let limit = system_v_queue::max_bytes_limit();
    match (errno, asked) {
        (Errno(libc::EPERM), Some(bytes)) if bytes > limit => Failure::new(
            Exit::Denied,
            format!("{bytes} bytes are more than the kernel allows ({limit})"),
        )
        .hint(format!("as root: sysctl kernel.msgmnb={bytes}")),
        (errno, _) => explain(errno),
    }
}

/// Change the limit of a System V queue
///
/// Its owner may set less than 'sysctl kernel.msgmnb' says. POSIX queues keep the limits that they
/// were created with.
#[derive(Debug, clap::Args, Plain)]
pub struct Set {
    /// Name of the queue, such as sysv:0x2a
    name: QueueName,
    /// Bytes that all its messages may have
    #[arg(long, value_name = "SIZE", value_parser = Size::positive)]
    max_bytes: Size,
}

impl Action for Set {
    const EXAMPLES: &'static [Example] =
        &[("Let senders wait sooner", "ipc mq set sysv:0x2a --max-bytes 4096")];

    fn run(self, _: &mut Context) -> anyhow::Result<Exit> {
        let QueueName::SystemV(name) = &self.name else {
            return Err(not_for_this_kind("only the limit of a System V queue can be changed"))
                .about(&self.name);
        };
        let Size(bytes) = self.max_bytes;
        Target::new(name)
            .and_then(system_v_queue::Queue::open)
            .and_then(|queue| queue.set_max_bytes(bytes))
            .map_err(|errno| or_key(explain_max_bytes(errno, Some(bytes)), name))
            .about(name)?;
        Ok(Exit::Done)
    }
}

/// Remove message queues, and the messages in them
///
/// Those who have a POSIX queue open go on using it; a new one of the same name is another one.
/// Those who wait at a System V queue fail.
#[derive(Debug, clap::Args, Plain)]
pub struct Rm {
    /// Names of queues
    #[arg(required = true)]
    names: Vec<QueueName>,
    /// Ignore what does not exist
    #[arg(short, long)]
    force: bool,
}

impl Action for Rm {
    const EXAMPLES: &'static [Example] = &[("Tidy up", "ipc mq rm -f /jobs sysv:0x2a")];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let remove =
            |name: &QueueName| queue::remove(name).map_err(|errno| or_key(explain(errno), name));
        crate::app::objects::remove(&self.names, self.force, output, remove)
    }
}
