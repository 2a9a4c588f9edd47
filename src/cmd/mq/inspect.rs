//! `ipc mq stat` and `ls`.

use std::ffi::OsString;

use nix::sys::stat::FileStat;

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{self, Column, Columns, Json, Listing};
use crate::app::machine::without_queues;
use crate::app::objects::{Held, InKernel, Owned, Ownership, Unseen, columns, list, missing_key};
use crate::app::options::Format;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, Subject, about};
use crate::base::name::{ObjectName, SystemVName};
use crate::io::output::{Key, Type, Value};
use crate::mechanism::queue::QueueName;
use crate::sys::mqueue::{self, Access, Directory, Shape};
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
    const JSON: &'static [Json] = &[
        Json::object::<PosixQueue>().of("a POSIX queue"),
        Json::object::<SystemVQueue>().of("a System V queue"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let shown = match &self.name {
            QueueName::Posix(name) => PosixQueue::look(name)
                .map(|queue| listing::properties(&queue))
                .map_err(|errno| explain(errno.into())),
            QueueName::SystemV(name) => SystemVQueue::look(name)
                .map(|queue| listing::properties(&queue))
                .map_err(|errno| missing_key(explain(errno.into()), name)),
        };
        context.output.properties(&shown.about(&self.name)?, self.format)?;
        Ok(Exit::Done)
    }
}

/// What `stat` shows of a POSIX queue.
#[derive(Debug)]
struct PosixQueue {
    listed: Listed,
    notified: Option<i32>,
    used: i64,
    holders: Holders,
}

impl PosixQueue {
    fn look(name: &ObjectName) -> Result<Self, Errno> {
        let queue = mqueue::Queue::open(name, Access::Look)?;
        let status = queue.status()?;
        Ok(Self {
            notified: queue.contents().ok().and_then(|contents| contents.notified),
            listed: Listed::of_posix(name, Some(&queue), &status),
            used: mqueue::time_of_use(&status),
            holders: Holders::of(&status),
        })
    }
}

impl Owned for PosixQueue {
    fn ownership(&self) -> Ownership {
        self.listed.ownership
    }
}

impl Held for PosixQueue {
    const UNSEEN: Unseen = Unseen::Inline;

    fn holders(&self) -> &Holders {
        &self.holders
    }
}

impl About for PosixQueue {
    fn listed(&self) -> &Listed {
        &self.listed
    }
}

impl Columns for PosixQueue {
    const COLUMNS: &'static [Column<Self>] = &[
        name(),
        messages(),
        bytes(),
        max_msgs(),
        msg_size(),
        Column::new(
            Key::new("notify_pid", Type::Number, "Process that mq_notify(3) notifies").or_null(),
            |it| it.notified.into(),
        ),
        columns::mode(),
        columns::uid(),
        columns::gid(),
        Column::new(Key::new("used", Type::Time, "Time of the last use"), |it| {
            Value::Time(it.used)
        }),
        columns::holders(),
        columns::hidden(),
    ];
}

/// What `stat` shows of a System V queue.
#[derive(Debug)]
struct SystemVQueue {
    listed: Listed,
    id: i32,
    max_bytes: Option<u64>,
    row: Row,
}

impl SystemVQueue {
    fn look(name: &SystemVName) -> Result<Self, Errno> {
        let queue = system_v_queue::Queue::open(Target::new(name)?)?;
        let row = queue.row()?;
        let listed = Listed { name: name.as_ref().to_owned(), ..Listed::of_system_v(&row) };
        let max_bytes = queue.max_bytes().ok();
        Ok(Self { listed, id: queue.id(), max_bytes, row })
    }

    fn process(&self, column: &str) -> Value {
        Some(self.row.number(column)).filter(|&pid| pid != 0).into()
    }

    fn time(&self, column: &str) -> Value {
        Value::Time(self.row.number(column))
    }
}

impl Owned for SystemVQueue {
    fn ownership(&self) -> Ownership {
        self.listed.ownership
    }
}

impl InKernel for SystemVQueue {
    fn row(&self) -> &Row {
        &self.row
    }
}

impl About for SystemVQueue {
    fn listed(&self) -> &Listed {
        &self.listed
    }
}

impl Columns for SystemVQueue {
    const COLUMNS: &'static [Column<Self>] = &[
        name(),
        Column::new(Key::new("id", Type::Number, "Identifier"), |it| it.id.into()),
        columns::key(),
        messages(),
        bytes(),
        Column::new(Key::new("max_bytes", Type::Size, "Maximum number of bytes").or_null(), |it| {
            it.max_bytes.into()
        }),
        columns::mode(),
        columns::uid(),
        columns::gid(),
        columns::creator_uid(),
        columns::creator_gid(),
        Column::new(
            Key::new("last_sender", Type::Number, "Process that sent last").or_null(),
            |it| it.process("lspid"),
        ),
        Column::new(
            Key::new("last_receiver", Type::Number, "Process that received last").or_null(),
            |it| it.process("lrpid"),
        ),
        Column::new(Key::new("sent", Type::Time, "Time of the last send"), |it| it.time("stime")),
        Column::new(Key::new("received", Type::Time, "Time of the last receive"), |it| {
            it.time("rtime")
        }),
        Column::new(Key::new("changed", Type::Time, "Time of the last change"), |it| {
            it.time("ctime")
        }),
    ];
}

/// A row about a queue.
trait About {
    fn listed(&self) -> &Listed;
}

impl About for Listed {
    fn listed(&self) -> &Listed {
        self
    }
}

const fn name<R: About>() -> Column<R> {
    Column::new(Key::new("name", Type::Text, "Name of the queue"), |it| {
        Value::text(it.listed().name.as_encoded_bytes())
    })
}

const fn messages<R: About>() -> Column<R> {
    Column::new(Key::new("messages", Type::Number, "Number of messages").or_null(), |it| {
        it.listed().messages.into()
    })
}

const fn bytes<R: About>() -> Column<R> {
    Column::new(Key::new("bytes", Type::Size, "Bytes of all messages").or_null(), |it| {
        it.listed().bytes.into()
    })
}

const fn max_msgs<R: About>() -> Column<R> {
    let meaning = "Maximum number of messages, if POSIX";
    Column::new(Key::new("max_msgs", Type::Number, meaning).or_null(), |it| {
        it.listed().shape.map(|Shape { max_msgs, .. }| max_msgs).into()
    })
}

const fn msg_size<R: About>() -> Column<R> {
    let meaning = "Maximum size of a message, if POSIX";
    Column::new(Key::new("msg_size", Type::Size, meaning).or_null(), |it| {
        it.listed().shape.map(|Shape { msg_size, .. }| msg_size).into()
    })
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
    /// A sender waits while the queue is full.
    fn needs_attention(&self) -> bool {
        let maximum = self.shape.map(|shape| shape.max_msgs);
        self.messages.is_some_and(|messages| maximum.is_some_and(|maximum| messages >= maximum))
    }

    const COLUMNS: &'static [Column<Self>] = &[
        name(),
        messages(),
        bytes(),
        max_msgs(),
        msg_size(),
        columns::mode(),
        columns::uid(),
        columns::gid(),
    ];
}

impl Listed {
    fn of_posix(name: &ObjectName, queue: Option<&mqueue::Queue>, status: &FileStat) -> Self {
        Self {
            name: name.as_ref().to_owned(),
            messages: queue.and_then(|queue| queue.messages().ok()),
            bytes: queue.and_then(|queue| queue.contents().ok()).map(|contents| contents.bytes),
            shape: queue.and_then(|queue| queue.shape().ok()),
            ownership: Ownership::from(status),
        }
    }

    fn of_system_v(row: &Row) -> Self {
        Self {
            name: row.name(),
            messages: Some(row.number("qnum") as u64),
            bytes: Some(row.number("cbytes") as u64),
            shape: None,
            ownership: Ownership::from(row),
        }
    }
}

impl Action for Ls {
    const EXAMPLES: &'static [Example] = &[
        ("List all queues", "ipc mq ls"),
        ("Print the names of those that are not empty", "ipc mq ls --filter 'messages>0' -o name"),
    ];
    const JSON: &'static [Json] = &[Json::array::<Listed>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let posix = list_posix();
        let rows = system_v_queue::list();
        let (posix, error) = match posix {
            Ok(posix) => (posix, None),
            Err(errno) => (Vec::new(), Some(about(not_listed(errno), mqueue::DIRECTORY))),
        };
        let system_v: Vec<Listed> = rows.iter().flatten().map(Listed::of_system_v).collect();
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
        rows.push(Listed::of_posix(&name, queue.as_ref(), &status));
    }
    Ok(rows)
}

fn not_listed(errno: Errno) -> Failure {
    match errno {
        Errno(libc::ENOENT) => without_queues(errno),
        errno => explain(errno.into()),
    }
}
