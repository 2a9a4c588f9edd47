//! Reports the users of a semaphore before a wait.

use std::ffi::OsStr;

use crate::app::objects::{report, report_wait};
use crate::io::output::{Output, escape};
use crate::mechanism::semaphore::{Semaphore, User};
use crate::sys::process;

/// Reports that the caller waits until the value is `count`, and which processes have decremented it.
pub fn tell_users(
    name: impl AsRef<OsStr>,
    count: u32,
    semaphore: &(impl Semaphore + ?Sized),
    output: &Output,
) {
    // If the semaphore was removed meanwhile, the wait fails.
    let Some(value) = output.is_verbose().then(|| semaphore.value().ok()).flatten() else { return };
    report_wait(output, &name, format_args!("until the value is {count} or more; it is {value}"));
    for user in semaphore.users() {
        report(output, &name, &in_words(user));
    }
}

/// Reports that the caller waits until the value is 0, and which process has changed it last.
pub fn tell_value(name: impl AsRef<OsStr>, semaphore: &(impl Semaphore + ?Sized), output: &Output) {
    let Some(value) = output.is_verbose().then(|| semaphore.value().ok()).flatten() else { return };
    report_wait(output, &name, format_args!("until the value is 0; it is {value}"));
    for user in semaphore.users() {
        report(output, &name, &in_words(user));
    }
}

fn in_words(user: User) -> String {
    match user {
        User::Holder(pid, count) => {
            format!("{pid} ({}) holds {count}", escape(&process::command(pid)))
        }
        User::Last(pid) => {
            let command = process::command(pid);
            let command = if command.is_empty() { "ended".into() } else { escape(&command) };
            format!("last changed by {pid} ({command})")
        }
    }
}
