//! Who has the units that are waited for.

use std::ffi::OsStr;

use crate::app::objects::{tell, tell_wait};
use crate::io::output::{Output, escape};
use crate::mechanism::semaphore::Semaphore;
use crate::mechanism::semaphore::robust::RobustSemaphore;
use crate::sys::process;
use crate::sys::system_v_semaphore::Set;

/// Reports that `count` units of a semaphore are waited for, and who may have them.
pub fn tell_holders(name: impl AsRef<OsStr>, count: u32, semaphore: &Semaphore, output: &Output) {
    match semaphore {
        Semaphore::Posix(permits) => tell_claims(name, count, permits, output),
        Semaphore::SystemV(set, index) => tell_last(name, count, set, *index, output),
    }
}

/// The same of a POSIX semaphore: the commands of `ipc sem run` are known.
pub fn tell_claims(
    name: impl AsRef<OsStr>,
    count: u32,
    permits: &RobustSemaphore,
    output: &Output,
) {
    if !output.is_verbose() {
        return;
    }
    tell_value(&name, count, permits.semaphore().value(), output);
    for claim in permits.claims() {
        let pid = if claim.command == 0 { claim.keeper } else { claim.command };
        let command = process::command(pid);
        tell(output, &name, &format!("{pid} ({}) holds {}", escape(&command), claim.count));
    }
}

/// The same of a System V semaphore: the kernel knows which process changed it last.
pub fn tell_last(name: impl AsRef<OsStr>, count: u32, set: &Set, index: u16, output: &Output) {
    // One that was removed meanwhile fails in the wait.
    let Some(value) = output.is_verbose().then(|| set.value(index).ok()).flatten() else { return };
    tell_value(&name, count, value, output);
    let last = set.last_pid(index).ok().and_then(|pid| i32::try_from(pid).ok());
    if let Some(pid) = last.filter(|&pid| pid > 0) {
        let command = process::command(pid);
        let ended = if command.is_empty() { "which has ended".into() } else { escape(&command) };
        tell(output, &name, &format!("last changed by {pid} ({ended})"));
    }
}

fn tell_value(name: impl AsRef<OsStr>, count: u32, value: u32, output: &Output) {
    tell_wait(output, name, format_args!("until the value is {count} or more; it is {value}"));
}
