//! Reports of --verbose about named objects.

use std::ffi::OsStr;
use std::fmt::Display;

use crate::base::deadline;
use crate::base::deadline::{Deadline, Waited};
use crate::io::output::{Output, escape};

/// Reports, with --verbose, that an object was created, removed and so on.
pub fn report(output: &Output, name: impl AsRef<OsStr>, what: &str) {
    output.note(format_args!("{}: {what}", escape(name.as_ref().as_encoded_bytes())));
}

/// Reports, with --verbose, that a wait begins.
pub fn report_wait(output: &Output, name: impl AsRef<OsStr>, what: impl Display) {
    let name = escape(name.as_ref().as_encoded_bytes()).into_owned();
    output.note(format_args!("{name}: waiting {what}"));
}

/// Waits with `wait`. With --verbose it first tries without waiting, and calls `report` if it must
/// wait.
pub fn wait_verbosely<T, E>(
    output: &Output,
    deadline: Deadline,
    report: impl FnOnce(),
    mut wait: impl FnMut(Deadline) -> Result<Waited<T>, E>,
) -> Result<Waited<T>, E> {
    match output.is_verbose() {
        true => deadline::announced(deadline, report, wait),
        false => wait(deadline),
    }
}
