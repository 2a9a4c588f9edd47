//! Operations on named objects of any kind: operations on several objects, removal, listings.

pub mod columns;
mod explain;
mod holders;
mod report;

use std::ffi::OsStr;

use crate::app::listing::{Columns, Listing};
use crate::base::exit::{Exit, about};
use crate::base::name::SystemVName;
use crate::io::output::{Output, Unwritable};

pub use self::columns::{Held, InKernel, Opened, Owned, Ownership, Unseen};
pub use self::explain::{
    add_sent, exists_already, identifier_given, missing_key, nameless, no_room, no_room_in,
    not_there, stdin_failed, target, unreadable, write_failed,
};
pub use self::holders::{unseen_holder, warn_of_hidden};
pub use self::report::{report, report_wait, wait_verbosely};

/// Applies an operation to each of several names. An error is reported, and the loop continues.
/// Returns the status of the first error.
///
/// # Errors
/// EPIPE, ENOSPC and others if stdout cannot be written to, which ends the loop.
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

/// Removes each of several objects. With `force`, objects that do not exist count as removed.
pub fn remove<N: AsRef<OsStr>, E: Into<anyhow::Error>>(
    names: &[N],
    force: bool,
    output: &mut Output,
    unlink: impl Fn(&N) -> Result<(), E>,
) -> anyhow::Result<Exit> {
    each(names, output, |name, output| match unlink(name).map_err(Into::into) {
        Err(error) if force && Exit::of(&error) == Exit::NotFound => Ok(()),
        result => result.map(|()| report(output, name, "removed")),
    })
}

/// Prints a listing of objects, and then reports the errors of those that could not be listed.
pub fn list<R: Columns>(
    listing: &Listing<R>,
    rows: impl IntoIterator<Item = R>,
    unlisted: Vec<anyhow::Error>,
    output: &mut Output,
) -> anyhow::Result<Exit> {
    listing.print(rows, output)?;
    for error in &unlisted {
        output.error(error);
    }
    Ok(unlisted.first().map_or(Exit::Done, Exit::of))
}

/// Prints the name of a new object that has no other name. If that fails, the object is removed,
/// because no process could find it.
pub fn print_name<E>(
    name: &SystemVName,
    output: &mut Output,
    remove: impl FnOnce() -> Result<(), E>,
) -> Result<(), Unwritable> {
    let printed = output.line(name.as_ref().display()).and_then(|()| output.flush());
    // The error of stdout takes precedence over one of `remove`.
    printed.inspect_err(|_| drop(remove()))
}
