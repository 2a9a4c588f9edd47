//! `ipc sem stat` and `ls`.

use serde_json::{Value, json};

use crate::app::arguments::Plain;
use crate::app::command::{Action, Example};
use crate::app::context::Context;
use crate::app::objects::or_key;
use crate::app::options::Format;
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Subject, about};
use crate::base::name::{SemaphoreName, SystemVName};
use crate::io::output::{Record, escape, json_bytes};
use crate::mechanism::semaphore::Name;
use crate::mechanism::semaphore::posix;
use crate::mechanism::semaphore::robust::{Claim, RobustSemaphore};
use crate::sys::process::{self, Holders};
use crate::sys::system_v::{Row, Target};
use crate::sys::system_v_semaphore::{self, Set};

use crate::cmd::sem::{explain, explain_posix, explain_system_v};

/// Show all that is known of a semaphore
///
/// Of a POSIX semaphore that is its value, the number of those who wait, the commands of
/// 'ipc sem run' that hold units, its permissions, and who has it open. Those who wait, C programs
/// included, count themselves, so one who was killed meanwhile is counted for ever; that costs each
/// 'post' a system call, and nothing else. Of a System V set it is, for each semaphore from 0 on, the
/// value, how many wait for units or for none to be left, and which process changed it last, as the
/// kernel knows it.
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
        ("Ask from a program who holds units", "ipc sem stat --json /gpu | jq '.runs[].pid'"),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let record = match &self.name {
            Name::Posix(name) => stat(name).map_err(|error| explain(error.into())).about(name)?,
            Name::SystemV(name) => stat_system_v(name)
                .map_err(|errno| or_key(explain_system_v(errno), name))
                .about(name)?,
        };
        output.show(&record, self.format)?;
        Ok(Exit::Done)
    }
}

fn stat(name: &SemaphoreName) -> Result<Record, crate::mechanism::semaphore::robust::Error> {
    let permits = RobustSemaphore::open(name)?;
    let semaphore = permits.semaphore();
    let status = semaphore.status();
    let record = Record::new()
        .bytes("name", name.as_ref().as_encoded_bytes())
        .number("value", semaphore.value())
        .number("waiters", semaphore.waiters());
    let record = runs(record, &permits.holders());
    semaphore.verify()?;
    let record = crate::app::objects::ownership(record, status).time("changed", status.st_ctime);
    Ok(crate::app::objects::holders(record, &Holders::of(status)))
}

/// Which processes hold units. One that cannot be seen has no number here.
fn runs(record: Record, holders: &[(Option<i32>, Claim)]) -> Record {
    let json = |(pid, claim): &(Option<i32>, Claim)| {
        let command = pid.map(process::command);
        let command = command.map_or(Value::Null, |command| json_bytes(&command));
        json!({ "pid": pid, "command": command, "count": claim.count })
    };
    let text = |(pid, claim): &(Option<i32>, Claim)| match pid {
        Some(pid) => format!("{pid} ({}) holds {}", escape(&process::command(*pid)), claim.count),
        None => format!("{} holds {}", crate::app::unseen::holder(), claim.count),
    };
    let json: Vec<Value> = holders.iter().map(json).collect();
    let text: Vec<String> = holders.iter().map(text).collect();
    let text = if text.is_empty() { "none".to_owned() } else { text.join(", ") };
    record.field("runs", Value::from(json), text.into_bytes())
}

fn stat_system_v(name: &SystemVName) -> Result<Record, Errno> {
    let set = Set::open(Target::new(name)?)?;
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
    let record = crate::app::objects::system_v_ownership(record, &row);
    Ok(crate::app::objects::system_v_creator(record, &row)
        .time("used", row.number("otime"))
        .time("changed", row.number("ctime")))
}

/// A number for each semaphore of a set.
fn members(
    record: Record,
    key: &'static str,
    count: u16,
    number: impl Fn(u16) -> Result<u32, Errno>,
) -> Result<Record, Errno> {
    let numbers = (0..count).map(number).collect::<Result<Vec<u32>, Errno>>()?;
    let text: Vec<String> = numbers.iter().map(u32::to_string).collect();
    Ok(record.field(key, Value::from(numbers), text.join(" ").into_bytes()))
}

/// List the semaphores of this machine
///
/// POSIX semaphores first, then System V sets. What has a semaphore's name but is none, or may not
/// be opened, is listed without a value, and so is a set of several.
#[derive(Debug, clap::Args, Plain)]
pub struct Ls {
    #[command(flatten)]
    format: Format,
}

impl Action for Ls {
    const EXAMPLES: &'static [Example] = &[
        ("See them all", "ipc sem ls"),
        (
            "Name those that nobody can take",
            "ipc sem ls --json | jq -r '.[] | select(.value == 0).name'",
        ),
    ];

    fn run(self, context: &mut Context) -> anyhow::Result<Exit> {
        let output = &mut context.output;
        let mut records = Vec::new();
        let names = posix::list();
        records.extend(names.iter().flatten().filter_map(of_posix));
        let rows = system_v_semaphore::list();
        records.extend(rows.iter().flatten().map(of_system_v));
        let unlisted = [
            names.err().map(|errno| about(explain_posix(errno.into()), "/dev/shm")),
            rows.err().map(|errno| about(explain_system_v(errno), "/proc/sysvipc/sem")),
        ];
        crate::app::objects::list(
            &records,
            unlisted.into_iter().flatten().collect(),
            self.format,
            output,
        )
    }
}

/// A line of `ls`; none for a semaphore that has gone since.
fn of_posix(name: &SemaphoreName) -> Option<Record> {
    let status = posix::status(name).ok()?;
    let value = RobustSemaphore::open(name).ok().map(|permits| permits.semaphore().value());
    let record = of_both(name.as_ref().as_encoded_bytes(), value, 1);
    Some(crate::app::objects::ownership(record, &status))
}

/// A line of `ls`, under the name by which the set is reached.
fn of_system_v(row: &Row) -> Record {
    let count = row.number("nsems");
    let set = Set::open(Target::Id(row.number("semid") as i32)).ok().filter(|_| count == 1);
    let value = set.and_then(|set| set.value(0).ok());
    crate::app::objects::system_v_ownership(
        of_both(row.name().as_encoded_bytes(), value, count),
        row,
    )
}

fn of_both(name: &[u8], value: Option<u32>, count: i64) -> Record {
    Record::new().bytes("name", name).optional_number("value", value).number("nsems", count)
}
