//! Process groups, and signals to many processes at once: kill(2), setpgid(2).

use crate::base::errno::Errno;
use crate::base::signal::Signal;

/// Sends a signal to all processes of a group; 0 is ours.
///
/// # Errors
/// EINVAL for group 1, of which the call would make all processes that there are.
pub fn kill_group(group: i32, signal: Option<Signal>) -> Result<(), Errno> {
    if group == 1 { Err(Errno(libc::EINVAL)) } else { kill_many(-group, signal) }
}

/// Sends a signal to all processes that we may signal, but for the first one and ourselves.
pub fn kill_all(signal: Option<Signal>) -> Result<(), Errno> {
    kill_many(-1, signal)
}

/// The number of our process group.
pub fn own_group() -> i32 {
    nix::unistd::getpgrp().as_raw()
}

/// Puts us at the head of a process group of our own, if we are not there yet.
pub fn lead_group() {
    // Refused only to the leader of a session, which leads its group already.
    let _ = nix::unistd::setpgid(nix::unistd::Pid::from_raw(0), nix::unistd::Pid::from_raw(0));
}

fn kill_many(which: i32, signal: Option<Signal>) -> Result<(), Errno> {
    // SAFETY: the call takes numbers only.
    let result = unsafe { libc::kill(which, signal.map_or(0, Signal::number)) };
    Errno::check(result)
}
