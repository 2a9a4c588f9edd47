//! `ipc mq stat` and `ls`.

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::or_key;
use crate::app::options::Format;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject, about};
use crate::base::name::{ObjectName, SystemVName};
use crate::io::output::Record;
use crate::mechanism::queue::QueueName;
use crate::sys::mqueue::{self, Access, Contents, Directory, Shape};
use crate::sys::process::Holders;
use crate::sys::system_v::{Row, Target};
use crate::sys::system_v_queue;

use crate::cmd::mq::explain;

/// Show all that is known of a message queue
///
/// Of a POSIX queue that is its shape, what waits in it, who asked to be notified of the next
/// message, its permissions, and who has it open; of a System V queue what waits in it, and who
/// sent and received last.
#[derive(Debug, clap::Args, Plain)]
pub struct Stat {
    /// Name of the queue
    name: QueueName,
    #[command(flatten)]
    format: Format,
}

impl Action for Stat {
    const EXAMPLES: &'static [Example] = &[
        ("See what waits, and who uses it", "ipc mq stat /jobs"),
        ("Ask from a program", "ipc mq stat --json /jobs | jq .messages"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let record = match &self.name {
            QueueName::Posix(name) => stat(name).map_err(explain).about(name)?,
            QueueName::SystemV(name) => {
                stat_system_v(name).map_err(|errno| or_key(explain(errno), name)).about(name)?
            }
        };
        output.show(&record, self.format)?;
        Ok(Exit::Done)
    }
}

fn stat(name: &ObjectName) -> Result<Record, Errno> {
    let queue = mqueue::Queue::open(name, Access::Look)?;
    let status = queue.status()?;
    let record = of_posix(name, Some(&queue));
    let notified = queue.contents().ok().and_then(|contents| contents.notified);
    let record = record.optional_number("notify_pid", notified);
    let record = crate::app::objects::ownership(record, &status).time("used", status.st_ctime);
    Ok(crate::app::objects::holders(record, &Holders::of(&status)))
}

/// What `stat` and `ls` both tell; without a queue that may be opened there is little.
fn of_posix(name: &ObjectName, queue: Option<&mqueue::Queue>) -> Record {
    let shape = queue.and_then(|queue| queue.shape().ok());
    let contents = queue.and_then(|queue| queue.contents().ok());
    Record::new()
        .bytes("name", name.as_ref().as_encoded_bytes())
        .optional_number("messages", queue.and_then(|queue| queue.messages().ok()))
        .optional_number("bytes", contents.map(|Contents { bytes, .. }| bytes))
        .optional_number("max_msgs", shape.map(|Shape { max_msgs, .. }| max_msgs))
        .optional_number("msg_size", shape.map(|Shape { msg_size, .. }| msg_size))
}

fn stat_system_v(name: &SystemVName) -> Result<Record, Errno> {
    let queue = system_v_queue::Queue::open(Target::new(name)?)?;
    let row = queue.row()?;
    let process = |column| Some(row.number(column)).filter(|&pid| pid != 0);
    let record = Record::new()
        .bytes("name", name.as_ref().as_encoded_bytes())
        .number("id", queue.id())
        .bytes("key", row.key().as_bytes())
        .number("messages", row.number("qnum"))
        .number("bytes", row.number("cbytes"))
        .optional_number("max_bytes", queue.max_bytes().ok());
    let record = crate::app::objects::system_v_ownership(record, &row);
    Ok(crate::app::objects::system_v_creator(record, &row)
        .optional_number("last_sender", process("lspid"))
        .optional_number("last_receiver", process("lrpid"))
        .time("sent", row.number("stime"))
        .time("received", row.number("rtime"))
        .time("changed", row.number("ctime")))
}

/// List the message queues of this machine
///
/// POSIX queues first, then System V queues, whose limits are not of messages. What may not be
/// opened is listed without what is in it.
///
/// POSIX queues are files of a file system that need not be mounted: those who may mount it see
/// them without, and others where it is mounted at /dev/mqueue.
#[derive(Debug, clap::Args, Plain)]
pub struct Ls {
    #[command(flatten)]
    format: Format,
}

impl Action for Ls {
    const EXAMPLES: &'static [Example] = &[
        ("See them all", "ipc mq ls"),
        (
            "Name those in which something waits",
            "ipc mq ls --json | jq -r '.[] | select(.messages > 0).name'",
        ),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let posix = list_posix();
        let mut records = posix.as_ref().map_or_else(|_| Vec::new(), Clone::clone);
        let rows = system_v_queue::list();
        records.extend(rows.iter().flatten().map(of_system_v));
        let unlisted = [
            posix.err().map(|errno| about(not_mounted(errno), mqueue::DIRECTORY)),
            rows.err().map(|errno| about(explain(errno), "/proc/sysvipc/msg")),
        ];
        crate::app::objects::list(
            &records,
            unlisted.into_iter().flatten().collect(),
            self.format,
            output,
        )
    }
}

fn list_posix() -> Result<Vec<Record>, Errno> {
    let directory = Directory::open()?;
    let mut records = Vec::new();
    for name in directory.names()? {
        // It may have gone since.
        let Ok(status) = directory.status(&name) else { continue };
        let queue = mqueue::Queue::open(&name, Access::Look).ok();
        records.push(crate::app::objects::ownership(of_posix(&name, queue.as_ref()), &status));
    }
    Ok(records)
}

fn not_mounted(errno: Errno) -> Failure {
    match errno {
        Errno(libc::ENOENT) => Failure::new(
            Exit::NotFound,
            "our POSIX queues are not mounted there, and you may not mount them",
        )
        .hint("as root: mkdir -p /dev/mqueue && mount -t mqueue none /dev/mqueue"),
        errno => explain(errno),
    }
}

/// A line of `ls`, under the name by which the queue is reached.
fn of_system_v(row: &Row) -> Record {
    let record = Record::new()
        .bytes("name", row.name().as_encoded_bytes())
        .number("messages", row.number("qnum"))
        .number("bytes", row.number("cbytes"))
        .optional_number("max_msgs", None::<u64>)
        .optional_number("msg_size", None::<u64>);
    crate::app::objects::system_v_ownership(record, row)
}
