//! Columns that objects of several kinds have: permissions, owner, holders.

use nix::sys::stat::FileStat;

use super::holders::not_seen;
use crate::app::listing::Column;
use crate::io::output::{Key, Process, Type, Value};
use crate::sys::process::{Holder, Holders, Openings};
use crate::sys::system_v::Row;

/// The permissions and the owner of an object.
#[derive(Clone, Copy, Debug)]
pub struct Ownership {
    /// The permissions.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

impl From<&FileStat> for Ownership {
    fn from(status: &FileStat) -> Self {
        Self { mode: status.st_mode, uid: status.st_uid, gid: status.st_gid }
    }
}

impl From<&Row> for Ownership {
    fn from(row: &Row) -> Self {
        let number = |column| row.number(column) as u32;
        Self { mode: number("perms"), uid: number("uid"), gid: number("gid") }
    }
}

/// A row with permissions and an owner.
pub trait Owned {
    /// The permissions and the owner.
    fn ownership(&self) -> Ownership;
}

/// The column of the permissions.
pub const fn mode<R: Owned>() -> Column<R> {
    Column::new(Key::new("mode", Type::Mode, "Permissions"), |row| {
        Value::Mode(row.ownership().mode)
    })
}

/// The column of the owner.
pub const fn uid<R: Owned>() -> Column<R> {
    Column::new(Key::new("uid", Type::Number, "User that owns it"), |row| {
        row.ownership().uid.into()
    })
}

/// The column of the group.
pub const fn gid<R: Owned>() -> Column<R> {
    Column::new(Key::new("gid", Type::Number, "Group that owns it"), |row| {
        row.ownership().gid.into()
    })
}

/// Where the number of processes that could not be seen is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unseen {
    /// Below the listing.
    Below,
    /// Behind the processes that could be seen.
    Inline,
}

/// A row with the processes that use the object.
pub trait Held {
    /// Where the number of processes that could not be seen is printed.
    const UNSEEN: Unseen = Unseen::Below;

    /// The processes that have it open, mapped or attached.
    fn holders(&self) -> &Holders;
}

/// The keys of a process in an array of processes.
pub const PROCESS: &[Key] = &[
    Key::new("pid", Type::Number, "Process ID"),
    Key::new("command", Type::Text, "Name of the program"),
];

/// The column of the holders.
pub const fn holders<R: Held>() -> Column<R> {
    let meaning = "Processes that have it open, mapped or attached";
    Column::new(Key::new("holders", Type::Objects(PROCESS), meaning), |row: &R| match R::UNSEEN {
        Unseen::Below => listed(row.holders()),
        Unseen::Inline => processes(&row.holders().seen, row.holders().hidden),
    })
}

/// The column of the number of processes that could not be seen.
pub const fn hidden<R: Held>() -> Column<R> {
    let meaning = "Number of processes that could not be seen";
    Column::new(Key::new("hidden", Type::Number, meaning).on_request(), |row| {
        row.holders().hidden.into()
    })
}

/// A row with the processes that have a pipe open.
pub trait Opened {
    /// The processes that have it open.
    fn openings(&self) -> &Openings;
}

/// The column of the readers.
pub const fn readers<R: Opened>() -> Column<R> {
    let meaning = "Processes that have it open for reading";
    Column::new(Key::new("readers", Type::Objects(PROCESS), meaning), |row| {
        let openings = row.openings();
        processes(&openings.readers(), openings.hidden)
    })
}

/// The column of the writers.
pub const fn writers<R: Opened>() -> Column<R> {
    let meaning = "Processes that have it open for writing";
    Column::new(Key::new("writers", Type::Objects(PROCESS), meaning), |row| {
        let openings = row.openings();
        processes(&openings.writers(), openings.hidden)
    })
}

/// The column of the number of processes whose descriptors could not be seen.
pub const fn unseen<R: Opened>() -> Column<R> {
    let meaning = "Number of processes that could not be seen";
    Column::new(Key::new("hidden", Type::Number, meaning).on_request(), |row| {
        row.openings().hidden.into()
    })
}

/// A row about a System V object, with its row in /proc/sysvipc.
pub trait InKernel {
    /// The row.
    fn row(&self) -> &Row;
}

/// The column of the key.
pub const fn key<R: InKernel>() -> Column<R> {
    Column::new(Key::new("key", Type::Text, "Key, in hexadecimal"), |it| {
        Value::text(it.row().key())
    })
}

/// The column of the user that created the object.
pub const fn creator_uid<R: InKernel>() -> Column<R> {
    Column::new(Key::new("creator_uid", Type::Number, "User that created it"), |it| {
        it.row().number("cuid").into()
    })
}

/// The column of the group that created the object.
pub const fn creator_gid<R: InKernel>() -> Column<R> {
    Column::new(Key::new("creator_gid", Type::Number, "Group that created it"), |it| {
        it.row().number("cgid").into()
    })
}

/// The holders in a row of a listing. The number of hidden processes stands below the listing.
fn listed(holders: &Holders) -> Value {
    match processes(&holders.seen, 0) {
        Value::Processes(seen, _) if seen.is_empty() && holders.hidden > 0 => {
            Value::Processes(seen, b"-".to_vec())
        }
        value => value,
    }
}

/// Processes that use an object in some way, and the number of those that are hidden.
pub fn processes(seen: &[Holder], hidden: usize) -> Value {
    let process =
        |holder: &Holder| Process { pid: holder.pid, command: holder.command.as_slice().into() };
    let seen: Vec<Process> = seen.iter().map(process).collect();
    let mut texts: Vec<String> = seen.iter().map(Process::text).collect();
    if hidden > 0 {
        texts.push(not_seen(hidden));
    }
    let text = if texts.is_empty() { "none".to_owned() } else { texts.join(", ") };
    Value::Processes(seen, text.into_bytes())
}
