//! `ipc sem stat` and `ls`.

use std::ffi::OsString;

use nix::sys::stat::FileStat;
use serde_json::{Value as Any, json};

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{self, Column, Columns, Json, Listing};
use crate::app::machine::Part;
use crate::app::objects::{self, Held, InKernel, Owned, Ownership, Unseen, columns};
use crate::app::options::Format;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Subject, about};
use crate::base::name::{SemaphoreName, SystemVName};
use crate::io::output::{Key, Type, Value, escape, json_bytes};
use crate::mechanism::semaphore::robust::{Claim, RobustSemaphore};
use crate::mechanism::semaphore::{Error, Name, posix, system_v};
use crate::sys::dev_shm;
use crate::sys::process::{self, Holders};
use crate::sys::system_v::Row;
use crate::sys::system_v_semaphore::Set;

use super::explain;

/// Show the properties of a semaphore
///
/// For a POSIX semaphore these are its value, the number of waiters, the commands of 'ipc sem run' that
/// hold permits, its permissions, and the processes that have it open. Waiters, C programs included,
/// count themselves, so a waiter that is killed stays counted. That costs each 'post' a system call and
/// has no other effect. For a System V set these are, for each semaphore from 0 on, the value, the
/// numbers of waiters for a larger value and for 0, and the process that changed it last, as the kernel
/// knows it.
#[derive(Debug, clap::Args, Plain)]
pub struct Stat {
    /// Name of the semaphore
    name: Name,
    #[command(flatten)]
    format: Format,
}

impl Action for Stat {
    const EXAMPLES: &'static [Example] = &[
        ("See who uses it", "ipc sem stat /gpu"),
        ("Print the holders for a program", "ipc sem stat --json /gpu | jq '.runs[].pid'"),
    ];
    const JSON: &'static [Json] = &[
        Json::object::<PosixSemaphore>().of("a POSIX semaphore"),
        Json::object::<SystemVSet>().of("a System V set"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let failed = |error| explain(&self.name, error);
        match &self.name {
            Name::Posix(name) => {
                let shown = PosixSemaphore::look(name).map_err(failed).about(name)?;
                listing::show(&shown, self.format, output)?;
            }
            Name::SystemV(name) => {
                let shown = SystemVSet::look(name).map_err(failed).about(name)?;
                listing::show(&shown, self.format, output)?;
            }
        }
        Ok(Exit::Done)
    }
}

/// What `stat` shows of a POSIX semaphore.
#[derive(Debug)]
struct PosixSemaphore {
    name: OsString,
    value: u32,
    waiters: u32,
    /// The processes that hold permits, and their permits. An invisible one has no process ID here.
    runs: Vec<(Option<i32>, Claim)>,
    status: FileStat,
    holders: Holders,
}

impl PosixSemaphore {
    fn look(name: &SemaphoreName) -> Result<Self, Error> {
        let robust = RobustSemaphore::open(name)?;
        let semaphore = robust.semaphore();
        let (value, waiters) = (semaphore.value(), semaphore.waiters());
        let runs = robust.holders();
        semaphore.verify()?;
        let status = *semaphore.status();
        let holders = Holders::of(&status);
        Ok(Self { name: name.as_ref().to_owned(), value, waiters, runs, status, holders })
    }

    fn runs(&self) -> Value {
        let json = |(pid, claim): &(Option<i32>, Claim)| {
            let command = pid.map(process::command);
            let command = command.map_or(Any::Null, |command| json_bytes(&command));
            json!({ "pid": pid, "command": command, "count": claim.count })
        };
        let text = |(pid, claim): &(Option<i32>, Claim)| match pid {
            Some(pid) => {
                format!("{pid} ({}) holds {}", escape(&process::command(*pid)), claim.count)
            }
            None => format!("{} holds {}", objects::unseen_holder(), claim.count),
        };
        let values: Vec<Any> = self.runs.iter().map(json).collect();
        let texts: Vec<String> = self.runs.iter().map(text).collect();
        let text = if texts.is_empty() { "none".to_owned() } else { texts.join(", ") };
        Value::Several(values, text.into_bytes())
    }
}

impl Owned for PosixSemaphore {
    fn ownership(&self) -> Ownership {
        Ownership::from(&self.status)
    }
}

impl Held for PosixSemaphore {
    const UNSEEN: Unseen = Unseen::Inline;

    fn holders(&self) -> &Holders {
        &self.holders
    }
}

/// The keys of a command of 'ipc sem run'.
const RUN: &[Key] = &[
    Key::new("pid", Type::Number, "Process, if it is visible").or_null(),
    Key::new("command", Type::Text, "Name of its program").or_null(),
    Key::new("count", Type::Number, "Number of permits that it holds"),
];

impl Columns for PosixSemaphore {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("name", Type::Text, "Name of the semaphore"), |it| {
            Value::text(it.name.as_encoded_bytes())
        }),
        Column::new(Key::new("value", Type::Number, "Value"), |it| it.value.into()),
        Column::new(Key::new("waiters", Type::Number, "Number of waiters"), |it| it.waiters.into()),
        Column::new(
            Key::new("runs", Type::Objects(RUN), "Commands of 'ipc sem run' that hold permits"),
            Self::runs,
        ),
        columns::mode(),
        columns::uid(),
        columns::gid(),
        Column::new(Key::new("changed", Type::Time, "Time of the last change"), |it| {
            Value::Time(it.status.st_ctime)
        }),
        columns::holders(),
        columns::hidden(),
    ];
}

/// What `stat` shows of a System V set, with a number for each semaphore of the set.
#[derive(Debug)]
struct SystemVSet {
    name: OsString,
    id: i32,
    row: Row,
    values: Vec<u32>,
    waiters: Vec<u32>,
    zero_waiters: Vec<u32>,
    last_pids: Vec<u32>,
}

impl SystemVSet {
    fn look(name: &SystemVName) -> Result<Self, Error> {
        let set = system_v::open(name)?;
        let row = set.row()?;
        let count = u16::try_from(row.number("nsems")).unwrap_or(u16::MAX);
        let each = |number: &dyn Fn(u16) -> Result<u32, Errno>| {
            (0..count).map(number).collect::<Result<Vec<u32>, Errno>>()
        };
        Ok(Self {
            name: name.as_ref().to_owned(),
            id: set.id(),
            row,
            values: each(&|index| set.value(index))?,
            waiters: each(&|index| set.waiters(index))?,
            zero_waiters: each(&|index| set.zero_waiters(index))?,
            last_pids: each(&|index| set.last_pid(index))?,
        })
    }
}

/// The numbers of all semaphores of a set.
fn numbers(numbers: &[u32]) -> Value {
    Value::several(numbers.iter().copied(), " ", "")
}

impl Owned for SystemVSet {
    fn ownership(&self) -> Ownership {
        Ownership::from(&self.row)
    }
}

impl InKernel for SystemVSet {
    fn row(&self) -> &Row {
        &self.row
    }
}

impl Columns for SystemVSet {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("name", Type::Text, "Name of the set"), |it| {
            Value::text(it.name.as_encoded_bytes())
        }),
        Column::new(Key::new("id", Type::Number, "Identifier"), |it| it.id.into()),
        columns::key(),
        Column::new(Key::new("nsems", Type::Number, "Number of semaphores"), |it| {
            it.row.number("nsems").into()
        }),
        Column::new(Key::new("values", Type::Numbers, "Value of each semaphore"), |it| {
            numbers(&it.values)
        }),
        Column::new(Key::new("waiters", Type::Number, "Number of waiters for units"), |it| {
            it.waiters.iter().sum::<u32>().into()
        }),
        Column::new(
            Key::new("unit_waiters", Type::Numbers, "Waiters for units of each semaphore"),
            |it| numbers(&it.waiters),
        ),
        Column::new(
            Key::new("zero_waiters", Type::Numbers, "Waiters for 0 of each semaphore"),
            |it| numbers(&it.zero_waiters),
        ),
        Column::new(
            Key::new("last_pids", Type::Numbers, "Process that changed each semaphore last"),
            |it| numbers(&it.last_pids),
        ),
        columns::mode(),
        columns::uid(),
        columns::gid(),
        columns::creator_uid(),
        columns::creator_gid(),
        Column::new(Key::new("used", Type::Time, "Time of the last operation"), |it| {
            Value::Time(it.row.number("otime"))
        }),
        Column::new(Key::new("changed", Type::Time, "Time of the last change"), |it| {
            Value::Time(it.row.number("ctime"))
        }),
    ];
}

/// List the semaphores of this machine
///
/// It lists POSIX semaphores first, then System V sets. Malformed semaphores, semaphores without
/// permission to open them, and sets of several semaphores are listed without a value.
#[derive(Debug, clap::Args, Plain)]
pub struct Ls {
    #[command(flatten)]
    listing: Listing<Listed>,
}

/// A row of `ls`.
#[derive(Debug)]
pub struct Listed {
    name: OsString,
    value: Option<u32>,
    count: i64,
    ownership: Ownership,
}

impl Owned for Listed {
    fn ownership(&self) -> Ownership {
        self.ownership
    }
}

impl Columns for Listed {
    const COLUMNS: &'static [Column<Self>] = &[
        Column::new(Key::new("name", Type::Text, "Name of the semaphore or the set"), |row| {
            Value::text(row.name.as_encoded_bytes())
        }),
        Column::new(
            Key::new("value", Type::Number, "Value, which a set of several does not have")
                .or_null(),
            |row| row.value.into(),
        ),
        Column::new(Key::new("nsems", Type::Number, "Number of semaphores"), |row| {
            row.count.into()
        }),
        columns::mode(),
        columns::uid(),
        columns::gid(),
    ];
}

impl Action for Ls {
    const EXAMPLES: &'static [Example] = &[
        ("List all semaphores", "ipc sem ls"),
        ("Print the names of semaphores with the value 0", "ipc sem ls --filter value=0 -o name"),
    ];
    const JSON: &'static [Json] = &[Json::array::<Listed>()];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let names = posix::list();
        let rows = system_v::list();
        let posix = names.iter().flatten().filter_map(of_posix);
        let all: Vec<Listed> = posix.chain(rows.iter().flatten().map(of_system_v)).collect();
        let unlisted = [
            names.err().map(|errno| about(Part::DevShm.explain(errno), dev_shm::DIRECTORY)),
            rows.err().map(|errno| about(Part::SystemV.explain(errno), "/proc/sysvipc/sem")),
        ];
        let unlisted = unlisted.into_iter().flatten().collect();
        objects::list(&self.listing, all, unlisted, &mut context.output)
    }
}

/// A row of `ls`; `None` for a semaphore that was removed meanwhile.
fn of_posix(name: &SemaphoreName) -> Option<Listed> {
    let ownership = Ownership::from(&posix::status(name).ok()?);
    let value = RobustSemaphore::open(name).ok().map(|robust| robust.semaphore().value());
    Some(Listed { name: name.as_ref().to_owned(), value, count: 1, ownership })
}

/// A row of `ls`, with the name that finds the set.
fn of_system_v(row: &Row) -> Listed {
    let count = row.number("nsems");
    let set = (count == 1).then(|| Set::of_id(row.id()));
    let value = set.and_then(|set| set.value(0).ok());
    Listed { name: row.name(), value, count, ownership: Ownership::from(row) }
}
