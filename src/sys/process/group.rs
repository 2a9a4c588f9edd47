//! Process groups, and signals to many processes at once: kill(2), setpgid(2), setsid(2).

use std::ffi::CStr;

use crate::base::errno::Errno;
use crate::base::signal::Signal;

/// Sends a signal to all processes of a group; 0 is the group of this process.
///
/// # Errors
/// EINVAL for group 1, which the call would take for all processes.
pub fn kill_group(group: i32, signal: Option<Signal>) -> Result<(), Errno> {
    if group == 1 { Err(Errno(libc::EINVAL)) } else { kill_many(-group, signal) }
}

/// Sends a signal to all processes that this process may signal, except itself and process 1.
pub fn kill_all(signal: Option<Signal>) -> Result<(), Errno> {
    kill_many(-1, signal)
}

/// The number of the process group of this process; 0 if its leader is outside of the PID namespace.
pub fn own_group() -> i32 {
    nix::unistd::getpgrp().as_raw()
}

/// The number of the process group of a process, a zombie included; `None` if there is no such process.
pub fn group_of(pid: i32) -> Option<i32> {
    let group = nix::unistd::getpgid(Some(nix::unistd::Pid::from_raw(pid)));
    group.ok().map(nix::unistd::Pid::as_raw)
}

/// Makes this process the leader of a session of its own, without a terminal. It stays where it is if it
/// leads a process group.
pub fn leave_session() {
    let _ = nix::unistd::setsid();
}

/// Changes the name of this process in listings: the first 15 bytes of this one.
pub fn set_name(name: &CStr) {
    let _ = nix::sys::prctl::set_name(name);
}

/// A process group of which this process is the leader until it is dropped; then the process is in
/// its former group again, unless that has no member left.
#[derive(Debug)]
pub struct OwnGroup {
    before: i32,
}

impl OwnGroup {
    /// Makes this process the leader of its own group, if it is not the leader of one.
    pub fn lead() -> Self {
        let before = own_group();
        // It fails only for the leader of a session, which leads its group already.
        let _ = set_group(0);
        Self { before }
    }

    /// The group that the process was in before, if it is another one.
    pub fn former(&self) -> Option<i32> {
        (self.before != own_group()).then_some(self.before)
    }
}

impl Drop for OwnGroup {
    fn drop(&mut self) {
        if self.before != own_group() {
            // It fails if the group has no member left.
            let _ = set_group(self.before);
        }
    }
}

/// Moves this process to a group; 0 is its own.
fn set_group(group: i32) -> nix::Result<()> {
    nix::unistd::setpgid(nix::unistd::Pid::from_raw(0), nix::unistd::Pid::from_raw(group))
}

fn kill_many(which: i32, signal: Option<Signal>) -> Result<(), Errno> {
    // SAFETY: the call takes numbers only.
    let result = unsafe { libc::kill(which, signal.map_or(0, Signal::number)) };
    Errno::check(result)
}
