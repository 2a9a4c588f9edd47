//! Fields of `stat` and `ls` that objects of several kinds have: owner, permissions, holders.

use nix::sys::stat::FileStat;
use serde_json::{Value, json};

use crate::app::listing::{Columns, Listing};
use crate::io::output::{Output, Record, Unwritable, escape, json_bytes};
use crate::sys::accounts;
use crate::sys::process::{Holder, Holders};
use crate::sys::system_v::Row;

/// Adds the permissions and the owner of a file.
pub fn ownership(record: Record, status: &FileStat) -> Record {
    record.mode("mode", status.st_mode).number("uid", status.st_uid).number("gid", status.st_gid)
}

/// Adds the permissions and the owner of a System V object.
pub fn system_v_ownership(record: Record, row: &Row) -> Record {
    record
        .mode("mode", row.number("perms") as u32)
        .number("uid", row.number("uid"))
        .number("gid", row.number("gid"))
}

/// Adds the creator of a System V object.
pub fn system_v_creator(record: Record, row: &Row) -> Record {
    record.number("creator_uid", row.number("cuid")).number("creator_gid", row.number("cgid"))
}

/// Adds the processes that have an object open or mapped, and the number of those that are hidden.
pub fn holders(record: Record, holders: &Holders) -> Record {
    processes(record, "holders", &holders.seen, holders.hidden)
        .json_only("hidden", Value::from(holders.hidden))
}

/// Warns below a listing, on stderr, how many processes are hidden. JSON has the number in each row.
///
/// # Errors
/// EPIPE, ENOSPC and others if stdout cannot be written to, because the list is flushed first.
pub fn warn_of_hidden<R: Columns>(
    hidden: usize,
    listing: &Listing<R>,
    output: &mut Output,
) -> Result<(), Unwritable> {
    output.flush()?;
    if hidden > 0 && listing.is_text() && listing.needs("holders") {
        output.warn(not_seen(hidden));
    }
    Ok(())
}

pub fn not_seen(hidden: usize) -> String {
    match hidden {
        1 => "1 process could not be seen".to_owned(),
        hidden => format!("{hidden} processes could not be seen"),
    }
}

/// The words for a holder that cannot be named. Only another PID namespace hides it from root.
pub fn unseen_holder() -> &'static str {
    if accounts::is_root() {
        "a process of another PID namespace"
    } else {
        "a process of another user or PID namespace"
    }
}

/// Adds processes that use an object in some way, and the number of those that are hidden.
pub fn processes(record: Record, key: &'static str, seen: &[Holder], hidden: usize) -> Record {
    let json: Vec<Value> = seen
        .iter()
        .map(|holder| json!({ "pid": holder.pid, "command": json_bytes(&holder.command) }))
        .collect();
    let mut text: Vec<String> =
        seen.iter().map(|holder| format!("{} ({})", holder.pid, escape(&holder.command))).collect();
    if hidden > 0 {
        text.push(not_seen(hidden));
    }
    let text = if text.is_empty() { "none".to_owned() } else { text.join(", ") };
    record.field(key, Value::from(json), text.into_bytes())
}
