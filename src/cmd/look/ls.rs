//! `ipc ls`.

use std::path::PathBuf;

use super::{Choice, Names, name, report_unlisted};
use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{Column, Columns, Json, Listing};
use crate::app::objects::columns::PROCESS;
use crate::app::objects::warn_of_hidden;
use crate::base::exit::Exit;
use crate::io::output::{Key, Type, Value};
use crate::mechanism::survey::{Kind, Object, Request, State, Survey};
use crate::sys::{accounts, time};

/// List the objects of all kinds
///
/// The kinds are shm, sem, mq (POSIX, and System V as sysv:KEY), queue, fifo (those that a process has
/// open), sock (Unix sockets with an address), door, holder (of 'ipc fd hold'), lock (with its holders and
/// waiters), and memory (memfds, and removed objects of shared memory that processes still use). No table of the system has
/// lock files, spools, queues outside /dev/shm, FIFOs that no process has open, and socket paths without
/// a listener: they are listed if their PATH, or their directory, is given. Locks on files are listed
/// with --kind lock or without --kind; lock files have the kind lockfile.
///
/// The size is in bytes. The count is the value of a semaphore, the number of messages, or the number
/// of clients that wait to be accepted. The age is the number of seconds since the last use or change that the
/// kernel records: it does not record stores into mapped memory, and operations on POSIX semaphores.
///
/// --stale lists the objects without a live holder: POSIX objects, queues, FIFOs and memory that no
/// process has open or mapped; segments of System V without attachments; System V semaphores and queues
/// whose last users have ended; socket paths without a socket; lock files whose owner has ended; spools
/// without claimed messages. A lock always has a holder. An object without a holder is not dead: a semaphore between two steps of a
/// script has none. Processes of other users can be invisible: their number is printed on stderr.
#[derive(Debug, clap::Args, Plain)]
pub struct Ls {
    #[command(flatten)]
    choice: Choice,
    /// Only your objects
    #[arg(long, conflicts_with = "user")]
    mine: bool,
    /// Only objects without a live holder
    #[arg(long)]
    stale: bool,
    #[command(flatten)]
    listing: Listing<Listed>,
    /// Files, or directories with files, to list as well
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

impl Action for Ls {
    const JSON: &'static [Json] = &[Json::array::<Listed>()];
    const EXAMPLES: &'static [Example] = &[
        ("List your objects, the largest first", "ipc ls --mine --sort -size"),
        ("List the locks with waiters", "ipc ls --kind lock --filter 'waiters!=-' -o +detail"),
        ("Find what the processes of a program hold", "ipc ls --filter holders=postgres"),
        ("List objects that no process uses, and dead sockets of /run", "ipc ls --stale /run"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let request = Request {
            kinds: self.choice.kind.clone(),
            paths: self.paths.clone(),
            ..Request::default()
        };
        let mut survey = Survey::take(&request);
        let (mut names, now) = (Names::default(), time::seconds());
        let mut objects = std::mem::take(&mut survey.objects);
        objects.retain(|object| self.chooses(object));
        names.learn(&objects);
        let hidden = survey.unseen.count;
        let rows = objects.into_iter().map(|object| Listed::new(object, hidden, now, &mut names));
        self.listing.print(rows, output)?;
        output.flush()?;
        let exit = report_unlisted(&survey, output);
        warn_of_hidden(hidden, &self.listing, output)?;
        Ok(exit)
    }
}

impl Ls {
    fn chooses(&self, object: &Object) -> bool {
        let is_mine = || object.uid == Some(accounts::own_user());
        (!self.mine || is_mine())
            && (!self.stale || object.state != State::Held)
            && self.choice.includes(object)
    }
}

/// A row of `ls`.
#[derive(Debug)]
pub struct Listed {
    object: Object,
    owner: Value,
    age: Option<i64>,
    holders: Value,
    waiters: Value,
    hidden: usize,
}

impl Listed {
    fn new(object: Object, hidden: usize, now: i64, names: &mut Names) -> Self {
        let waiters = match object.kind {
            Kind::Lock => names.processes(object.waiters.iter().copied().flatten().collect()),
            _ => Value::Inapplicable,
        };
        Self {
            owner: object.uid.map(|uid| Value::text(names.user(uid))).into(),
            age: object.used.map(|used| (now - used).max(0)),
            holders: names.processes(object.holders.iter().map(|used| used.pid).collect()),
            waiters,
            hidden,
            object,
        }
    }
}

impl Columns for Listed {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(
            Key::new("kind", Type::Word, "one of the words for --kind, such as shm, or memory"),
            |row| row.object.kind.word().into(),
        ),
        Column::new(Key::new("name", Type::Text, "Name, address or path"), |row| {
            name(&row.object.name)
        }),
        Column::new(Key::new("size", Type::Size, "Bytes in it").or_null(), |row| {
            row.object.size.into()
        }),
        Column::new(
            Key::new("count", Type::Number, "Value, messages, or clients that wait").or_null(),
            |row| row.object.count.into(),
        ),
        Column::new(Key::new("mode", Type::Mode, "Permissions").or_null(), |row| {
            row.object.mode.map_or(Value::MISSING, Value::Mode)
        }),
        Column::new(
            Key::new("owner", Type::Text, "User that owns it; of a lock, that holds it").or_null(),
            |row| row.owner.clone(),
        ),
        Column::new(
            Key::new("uid", Type::Number, "The same by ID").or_null().on_request(),
            |row| row.object.uid.into(),
        ),
        Column::new(
            Key::new("age", Type::Seconds, "Time since the last use or change that is recorded")
                .or_null(),
            |row| row.age.into(),
        ),
        Column::new(
            Key::new("stale", Type::Flag, "Whether it has no live holder").on_request(),
            |row| (row.object.state != State::Held).into(),
        ),
        Column::new(
            Key::new("detail", Type::Text, "More about its kind").or_null().on_request(),
            |row| match row.object.detail.as_str() {
                "" => Value::MISSING,
                detail => Value::text(detail),
            },
        ),
        Column::new(
            Key::new("waiters", Type::Objects(PROCESS), "Processes that wait for it").only("locks"),
            |row| row.waiters.clone(),
        ),
        Column::new(Key::new("holders", Type::Objects(PROCESS), "Processes that use it"), |row| {
            row.holders.clone()
        }),
        Column::new(
            Key::new("hidden", Type::Number, "Number of processes that could not be seen")
                .on_request(),
            |row| row.hidden.into(),
        ),
    ];
}
