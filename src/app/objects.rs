//! What verbs do with named objects, whatever these are: each of several, removal, holders, ownership.

use crate::app::options::Format;
use crate::base::deadline;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure, about};
use crate::base::name::{SystemVName, SystemVTarget};
use crate::io::output::{Output, Record, Unwritable, escape, json_bytes};
use crate::sys::inode;
use crate::sys::process::{Holder, Holders};
use crate::sys::system_v::{Row, Target};
use nix::sys::stat::FileStat;
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::fmt::Display;
use std::path::Path;

/// Puts the way out beside the reason why an object is not made.
pub fn exists_already(error: anyhow::Error) -> anyhow::Error {
    match Failure::in_chain(&error) {
        // It says more than that already.
        Some(failure) if failure.hint_text().is_some() => error,
        _ => Failure::new(Exit::InUse, format!("{error:#}"))
            .hint("--exist-ok accepts one that is there already")
            .into(),
    }
}

/// Puts the way out, which is to make it, beside the reason where an object is not there.
pub fn not_there(failure: Failure, name: impl AsRef<OsStr>, create: &'static str) -> Failure {
    let failure = or_key(failure, &name);
    if failure.exit() != Exit::NotFound || failure.hint_text().is_some() {
        return failure;
    }
    match SystemVName::new(name.as_ref()) {
        Some(Ok(name)) => match name.target() {
            // None is made with a chosen identifier, and one without a key is not found by it.
            SystemVTarget::Id(_) | SystemVTarget::Key(libc::IPC_PRIVATE) => failure,
            _ => failure.hint(create),
        },
        _ => failure.hint(create),
    }
}

/// What is said where an object is not there, or the path that its key is made from is not.
pub fn or_key(failure: Failure, name: impl AsRef<OsStr>) -> Failure {
    match SystemVName::new(name.as_ref()) {
        Some(Ok(name)) if failure.exit() == Exit::NotFound => match name.target() {
            SystemVTarget::Ftok { path, .. } if !Path::new(path).exists() => no_key(path),
            _ => failure,
        },
        _ => failure,
    }
}

/// What a System V name stands for, where an object is made.
pub fn target(name: &SystemVName) -> Result<Target, Failure> {
    Target::new(name).map_err(|errno| match (errno, name.target()) {
        (Errno(libc::ENOENT), SystemVTarget::Ftok { path, .. }) => no_key(path),
        (errno, _) => errno.into(),
    })
}

fn no_key(path: &OsStr) -> Failure {
    let path = escape(path.as_encoded_bytes());
    Failure::new(Exit::NotFound, format!("there is no {path}, from which its key is made"))
        .hint("ftok(3) makes the key of an existing file and PROJ")
}

/// Tells what became of an object, to those who asked for it.
pub fn tell(output: &Output, name: impl AsRef<OsStr>, what: &str) {
    output.note(format_args!("{}: {what}", escape(name.as_ref().as_encoded_bytes())));
}

/// Waits with `wait`. With --verbose it tries first, and calls `tell` where there is something to wait
/// for.
pub fn wait_aloud<T, E>(
    output: &Output,
    deadline: Deadline,
    tell: impl FnOnce(),
    mut wait: impl FnMut(Deadline) -> Result<Waited<T>, E>,
) -> Result<Waited<T>, E> {
    match output.is_verbose() {
        true => deadline::announced(deadline, tell, wait),
        false => wait(deadline),
    }
}

/// Reports what is waited for, to those who asked for more.
pub fn tell_wait(output: &Output, name: impl AsRef<OsStr>, what: impl Display) {
    let name = escape(name.as_ref().as_encoded_bytes()).into_owned();
    output.note(format_args!("{name}: waiting {what}"));
}

/// Tells how much was done before something failed, as it stays done.
pub fn after(failure: Failure, sent: u64) -> Failure {
    match sent {
        0 => failure,
        1 => failure.adding("; the message before it was sent"),
        _ => failure.adding(format_args!("; the {sent} messages before it were sent")),
    }
}

/// Prints the name of a new object that has no other; if nobody gets to know it, the object goes.
pub fn print_name<E>(
    name: &SystemVName,
    output: &mut Output,
    remove: impl FnOnce() -> Result<(), E>,
) -> Result<(), Unwritable> {
    let printed = output.line(name.as_ref().display()).and_then(|()| output.flush());
    // That stdout is closed tells more than that the object is still there.
    printed.inspect_err(|_| drop(remove()))
}

/// What is said to a verb that would make a System V object which nobody finds again.
pub fn nameless() -> Failure {
    Failure::new(Exit::Usage, "this is a new object each time, which nobody would find again")
        .hint("'create' makes one, and prints the name by which it is reached")
}

/// What is said to a verb that would make a System V object with this identifier.
pub fn identifier_given() -> Failure {
    Failure::new(Exit::Usage, "the kernel chooses identifiers")
        .hint("sysv:0 makes a new one, and prints its name")
}

/// Does something to each of several names. One that fails is told, and the others are still done;
/// the status is that of the first failure.
///
/// # Errors
/// That nothing more can be written to stdout.
pub fn each<N: AsRef<OsStr>, E: Into<anyhow::Error>>(
    names: &[N],
    output: &mut Output,
    mut act: impl FnMut(&N, &mut Output) -> Result<(), E>,
) -> anyhow::Result<Exit> {
    let mut exit = Exit::Done;
    for name in names {
        match act(name, output).map_err(Into::into) {
            Ok(()) => {}
            Err(error) if error.is::<Unwritable>() => return Err(error),
            Err(error) => {
                let error = about(error, name);
                output.error(&error);
                exit = if exit == Exit::Done { Exit::of(&error) } else { exit };
            }
        }
    }
    Ok(exit)
}

/// Removes each of several objects; with `force`, those that do not exist count as removed.
pub fn remove<N: AsRef<OsStr>, E: Into<anyhow::Error>>(
    names: &[N],
    force: bool,
    output: &mut Output,
    unlink: impl Fn(&N) -> Result<(), E>,
) -> anyhow::Result<Exit> {
    each(names, output, |name, output| match unlink(name).map_err(Into::into) {
        Err(error) if force && Exit::of(&error) == Exit::NotFound => Ok(()),
        result => result.map(|()| tell(output, name, "removed")),
    })
}

/// Lists what is known of many objects, and then says what could not be listed, by place.
pub fn list(
    records: &[Record],
    unlisted: Vec<anyhow::Error>,
    format: Format,
    output: &mut Output,
) -> anyhow::Result<Exit> {
    output.list(records, format)?;
    for error in &unlisted {
        output.error(error);
    }
    Ok(unlisted.first().map_or(Exit::Done, Exit::of))
}

/// What is said where there is no room for bytes.
pub fn no_room(errno: Errno) -> Failure {
    Failure::from(errno).hint("'df' tells how much room there is")
}

/// What is said where there is no room in a file system: for bytes, or for one more file.
pub fn no_room_in(directory: &Path, errno: Errno) -> Failure {
    match inode::can_be_made_in(directory) {
        false => Failure::from(errno).hint(format!(
            "'df -i {}' tells how many files there are, which are as many as there may be",
            escape(directory.as_os_str().as_encoded_bytes())
        )),
        true => no_room(errno),
    }
}

/// What went wrong while stdin was read.
pub fn stdin_failed(errno: Errno) -> anyhow::Error {
    about(errno, "standard input")
}

/// What is known of the file of an object, for `stat` and `ls`.
pub fn ownership(record: Record, status: &FileStat) -> Record {
    record.mode("mode", status.st_mode).number("uid", status.st_uid).number("gid", status.st_gid)
}

/// The same for a System V object.
pub fn system_v_ownership(record: Record, row: &Row) -> Record {
    record
        .mode("mode", row.number("perms") as u32)
        .number("uid", row.number("uid"))
        .number("gid", row.number("gid"))
}

/// Who made a System V object, for `stat`.
pub fn system_v_creator(record: Record, row: &Row) -> Record {
    record.number("creator_uid", row.number("cuid")).number("creator_gid", row.number("cgid"))
}

/// Who has an object open or mapped, and whether that is all of them.
pub fn holders(record: Record, holders: &Holders) -> Record {
    processes(record, "holders", &holders.seen, holders.hidden)
        .json_only("hidden", Value::from(holders.hidden))
}

/// The same for a row of a list, which ends with [`warn_of_hidden`]: who could not be seen is the
/// same in every row.
pub fn listed_holders(record: Record, holders: &Holders) -> Record {
    let Holders { seen, hidden } = holders;
    let record = match (seen.is_empty(), hidden) {
        (true, 1..) => record.field("holders", json!([]), b"-".as_slice()),
        _ => processes(record, "holders", seen, 0),
    };
    record.json_only("hidden", Value::from(*hidden))
}

/// Says below a list, on stderr, how many processes could not be seen, whatever is in the list. JSON
/// has that number in each row instead.
///
/// # Errors
/// That stdout does not take the list, which comes before.
pub fn warn_of_hidden(
    hidden: usize,
    format: Format,
    output: &mut Output,
) -> Result<(), Unwritable> {
    output.flush()?;
    if hidden > 0 && !format.is_json() {
        output.warn(not_seen(hidden));
    }
    Ok(())
}

/// That so many processes did not let us look.
fn not_seen(hidden: usize) -> String {
    match hidden {
        1 => "1 process could not be seen".to_owned(),
        hidden => format!("{hidden} processes could not be seen"),
    }
}

/// Processes that do something with an object, beside those that could not be seen.
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
