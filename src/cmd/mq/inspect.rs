//! `ipc mq stat` and `ls`.

use std::ffi::OsString;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{Column, Columns, Listing};
use crate::app::machine::without_queues;
use crate::app::objects::{Owned, Ownership, columns, list, missing_key};
use crate::app::options::Format;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject, about};
use crate::base::name::{ObjectName, SystemVName};
use crate::io::output::{Key, Record, Type, Value};
use crate::mechanism::queue::QueueName;
use crate::sys::mqueue::{self, Access, Contents, Directory, Shape};
use crate::sys::process::Holders;
use crate::sys::system_v::{Row, Target};
use crate::sys::system_v_queue;

use crate::cmd::mq::explain;

/// Show the state of a message queue
///
/// For a POSIX queue: its limits, the number of messages and bytes, the process that asked for a
/// notification, its permissions, and the processes that have it open. For a System V queue: the
/// number of messages and bytes, and the processes that sent and received last.
#[derive(Debug, clap::Args, Plain)]
pub struct Stat {
    /// Name of the queue
    name: QueueName,
    #[command(flatten)]
    format: Format,
}

impl Action for Stat {
    const EXAMPLES: &'static [Example] = &[
        ("Show its messages and its users", "ipc mq stat /jobs"),
        ("Print the number of messages", "ipc mq stat --json /jobs | jq .messages"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let record = match &self.name {
            QueueName::Posix(name) => {
                stat(name).map_err(|errno| explain(errno.into())).about(name)?
            }
            QueueName::SystemV(name) => stat_system_v(name)
                .map_err(|errno| missing_key(explain(errno.into()), name))
                .about(name)?,
        };
        output.show(&record, self.format)?;
        Ok(Exit::Done)
    }
}

fn stat(name: &ObjectName) -> Result<Record, Errno> {
    let queue = mqueue::Queue::open(name, Access::Look)?;
    let status = queue.status()?;
    let record = of_posix(name, &queue);
    let notified = queue.contents().ok().and_then(|contents| contents.notified);
    let record = record.optional_number("notify_pid", notified);
    let record = crate::app::objects::ownership(record, &status).time("used", status.st_ctime);
    Ok(crate::app::objects::holders(record, &Holders::of(&status)))
}

fn of_posix(name: &ObjectName, queue: &mqueue::Queue) -> Record {
    let (shape, contents) = (queue.shape().ok(), queue.contents().ok());
    Record::new()
        .bytes("name", name.as_ref().as_encoded_bytes())
        .optional_number("messages", queue.messages().ok())
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
/// POSIX queues first, then System V queues, which have no maximum number of messages. A queue that
/// you may not open is listed without its contents.
///
/// POSIX queues are files of a file system. It need not be mounted if you have the privilege to mount
/// it; otherwise it has to be mounted at /dev/mqueue.
#[derive(Debug, clap::Args, Plain)]
pub struct Ls {
    #[command(flatten)]
    listing: Listing<Listed>,
}

/// A row of `ls`. Little is known of a queue that cannot be opened.
#[derive(Debug)]
pub struct Listed {
    name: OsString,
    messages: Option<u64>,
    bytes: Option<u64>,
    shape: Option<Shape>,
    ownership: Ownership,
}

impl Owned for Listed {
    fn ownership(&self) -> Ownership {
        self.ownership
    }
}

impl Columns for Listed {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("name", Type::Text, "Name of the queue"), |row| {
            Value::text(row.name.as_encoded_bytes())
        }),
        Column::new(Key::new("messages", Type::Number, "Number of messages").or_null(), |row| {
            row.messages.into()
        }),
        Column::new(Key::new("bytes", Type::Size, "Bytes of all messages").or_null(), |row| {
            row.bytes.into()
        }),
        Column::new(
            Key::new("max_msgs", Type::Number, "Maximum number of messages, if POSIX").or_null(),
            |row| row.shape.map(|Shape { max_msgs, .. }| max_msgs).into(),
        ),
        Column::new(
            Key::new("msg_size", Type::Size, "Maximum size of a message, if POSIX").or_null(),
            |row| row.shape.map(|Shape { msg_size, .. }| msg_size).into(),
        ),
        columns::mode(),
        columns::uid(),
        columns::gid(),
    ];
}

impl Action for Ls {
    const EXAMPLES: &'static [Example] = &[
        ("List all queues", "ipc mq ls"),
        ("Print the names of those that are not empty", "ipc mq ls --filter 'messages>0' -o name"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let posix = list_posix();
        let rows = system_v_queue::list();
        let (posix, error) = match posix {
            Ok(posix) => (posix, None),
            Err(errno) => (Vec::new(), Some(about(not_listed(errno), mqueue::DIRECTORY))),
        };
        let system_v: Vec<Listed> = rows.iter().flatten().map(of_system_v).collect();
        let unlisted =
            [error, rows.err().map(|errno| about(explain(errno.into()), "/proc/sysvipc/msg"))];
        let unlisted = unlisted.into_iter().flatten().collect();
        list(&self.listing, posix.into_iter().chain(system_v), unlisted, &mut context.output)
    }
}

fn list_posix() -> Result<Vec<Listed>, Errno> {
    let directory = Directory::open()?;
    let mut rows = Vec::new();
    for name in directory.names()? {
        // It may have been removed since.
        let Ok(status) = directory.status(&name) else { continue };
        let queue = mqueue::Queue::open(&name, Access::Look).ok();
        let queue = queue.as_ref();
        rows.push(Listed {
            messages: queue.and_then(|queue| queue.messages().ok()),
            bytes: queue.and_then(|queue| queue.contents().ok()).map(|contents| contents.bytes),
            shape: queue.and_then(|queue| queue.shape().ok()),
            ownership: Ownership::from(&status),
            name: name.as_ref().to_owned(),
        });
    }
    Ok(rows)
}

fn not_listed(errno: Errno) -> Failure {
    match errno {
        Errno(libc::ENOENT) => without_queues(errno),
        errno => explain(errno.into()),
    }
}

/// A row of `ls`.
fn of_system_v(row: &Row) -> Listed {
    Listed {
        name: row.name(),
        messages: Some(row.number("qnum") as u64),
        bytes: Some(row.number("cbytes") as u64),
        shape: None,
        ownership: Ownership::from(row),
    }
}
