//! `ipc sem stat` and `ls`.

use std::ffi::OsString;

use serde_json::{Value as Json, json};

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::listing::{Column, Columns, Listing};
use crate::app::machine::Part;
use crate::app::objects::{self, Owned, Ownership, columns};
use crate::app::options::Format;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Subject, about};
use crate::base::name::{SemaphoreName, SystemVName};
use crate::io::output::{Key, Record, Type, Value, escape, json_bytes};
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

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let record = match &self.name {
            Name::Posix(name) => posix_record(name),
            Name::SystemV(name) => system_v_record(name),
        };
        let record = record.map_err(|error| explain(&self.name, error)).about(&self.name)?;
        output.show(&record, self.format)?;
        Ok(Exit::Done)
    }
}

fn posix_record(name: &SemaphoreName) -> Result<Record, Error> {
    let robust = RobustSemaphore::open(name)?;
    let semaphore = robust.semaphore();
    let status = semaphore.status();
    let record = Record::new()
        .bytes("name", name.as_ref().as_encoded_bytes())
        .number("value", semaphore.value())
        .number("waiters", semaphore.waiters());
    let record = runs(record, &robust.holders());
    semaphore.verify()?;
    let record = objects::ownership(record, status).time("changed", status.st_ctime);
    Ok(objects::holders(record, &Holders::of(status)))
}

/// The processes that hold permits. A process that is not visible has no process ID here.
fn runs(record: Record, holders: &[(Option<i32>, Claim)]) -> Record {
    let json = |(pid, claim): &(Option<i32>, Claim)| {
        let command = pid.map(process::command);
        let command = command.map_or(Json::Null, |command| json_bytes(&command));
        json!({ "pid": pid, "command": command, "count": claim.count })
    };
    let text = |(pid, claim): &(Option<i32>, Claim)| match pid {
        Some(pid) => format!("{pid} ({}) holds {}", escape(&process::command(*pid)), claim.count),
        None => format!("{} holds {}", crate::app::objects::unseen_holder(), claim.count),
    };
    let json: Vec<Json> = holders.iter().map(json).collect();
    let text: Vec<String> = holders.iter().map(text).collect();
    let text = if text.is_empty() { "none".to_owned() } else { text.join(", ") };
    record.field("runs", Json::from(json), text.into_bytes())
}

fn system_v_record(name: &SystemVName) -> Result<Record, Error> {
    let set = system_v::open(name)?;
    let row = set.row()?;
    let count = u16::try_from(row.number("nsems")).unwrap_or(u16::MAX);
    let record = Record::new()
        .bytes("name", name.as_ref().as_encoded_bytes())
        .number("id", set.id())
        .bytes("key", row.key().as_bytes())
        .number("nsems", count);
    let record = members(record, "values", count, |index| set.value(index))?;
    let waiters = (0..count).map(|index| set.waiters(index)).sum::<Result<u32, Errno>>()?;
    let record = record.number("waiters", waiters);
    let record = members(record, "unit_waiters", count, |index| set.waiters(index))?;
    let record = members(record, "zero_waiters", count, |index| set.zero_waiters(index))?;
    let record = members(record, "last_pids", count, |index| set.last_pid(index))?;
    let record = objects::system_v_ownership(record, &row);
    Ok(objects::system_v_creator(record, &row)
        .time("used", row.number("otime"))
        .time("changed", row.number("ctime")))
}

/// A field with a number for each semaphore of a set.
fn members(
    record: Record,
    key: &'static str,
    count: u16,
    number: impl Fn(u16) -> Result<u32, Errno>,
) -> Result<Record, Errno> {
    let numbers = (0..count).map(number).collect::<Result<Vec<u32>, Errno>>()?;
    let text: Vec<String> = numbers.iter().map(u32::to_string).collect();
    Ok(record.field(key, Json::from(numbers), text.join(" ").into_bytes()))
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
