//! A process group, until its last process has ended.
//!
//! `/proc` shows the members. Each of them is waited for by a pidfd, which is opened before its group is
//! compared once more, so that no wait concerns another process of the same number. Members that are
//! forked meanwhile are found by the next search, until two find none.
//!
//! The kernel reuses the number of a group after its last process has ended. A pidfd of the leader
//! continues to mean this very group, also after the leader was reaped: pidfd_send_signal(2) with
//! PIDFD_SIGNAL_PROCESS_GROUP. Without a leader, or before Linux 6.9, the group is known by its number
//! alone.

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::sys::pidfd::Process;
use crate::sys::process;

/// A process group.
#[derive(Debug)]
pub struct ProcessGroup {
    number: i32,
    /// Its leader, if it had one that was not reaped, and if the kernel signals a group by it.
    leader: Option<Process>,
}

/// The processes that are left after all visible members have ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rest {
    /// None.
    None,
    /// Some that `/proc` does not show.
    Hidden,
}

/// The maximum number of members that are waited for at a time, each by a descriptor.
const AT_ONCE: usize = 64;

impl ProcessGroup {
    /// The group of this number.
    ///
    /// # Errors
    /// ESRCH if there is none. EINVAL or ENOENT for the number of a thread.
    pub fn open(number: i32) -> Result<Self, Errno> {
        let leader = match Process::open(number) {
            Ok(leader) => match leader.send_to_group(None, None) {
                // The kernel cannot signal a group by the leader.
                Err(Errno(libc::EINVAL)) => None,
                Ok(()) | Err(Errno(libc::EPERM)) => Some(leader),
                Err(errno) => return Err(errno),
            },
            // A group may outlive its leader.
            Err(errno) => match process::kill_group(number, None) {
                Ok(()) | Err(Errno(libc::EPERM)) => None,
                Err(_) => return Err(errno),
            },
        };
        Ok(Self { number, leader })
    }

    /// Whether the group is known by more than its number.
    pub fn is_certain(&self) -> bool {
        self.leader.is_some()
    }

    /// Sends a signal to all members.
    ///
    /// # Errors
    /// ESRCH if the group has ended; EPERM if this process may signal no member.
    pub fn send(&self, signal: Option<Signal>) -> Result<(), Errno> {
        match &self.leader {
            Some(leader) => leader.send_to_group(signal, None),
            None => process::kill_group(self.number, signal),
        }
    }

    /// Waits until all members have ended, reaped or not.
    ///
    /// # Errors
    /// ENOENT without a /proc that shows this PID namespace.
    pub fn wait_until_ended(&self, deadline: Deadline) -> Result<Waited<Rest>, Errno> {
        loop {
            let mut members = self.members()?;
            if members.is_empty() {
                // The list of /proc is of one moment: a member that it has may fork and end before its group
                // is read. The next list has the child.
                members = self.members()?;
            }
            // The number still is that of this group, and so are the members.
            if !self.exists() {
                return Ok(Waited::Done(Rest::None));
            }
            if members.is_empty() {
                return Ok(Waited::Done(self.rest()));
            }
            for member in members {
                if member.wait_until_ended(deadline)? == Waited::TimedOut {
                    return Ok(Waited::TimedOut);
                }
            }
        }
    }

    /// Whether the group has a process, a zombie included.
    fn exists(&self) -> bool {
        matches!(self.send(None), Ok(()) | Err(Errno(libc::EPERM)))
    }

    /// The members that run, or as many of them as there are descriptors for.
    fn members(&self) -> Result<Vec<Process>, Errno> {
        if !process::proc_shows_own_namespace() {
            return Err(Errno(libc::ENOENT));
        }
        let is_member = |pid| process::group_of(pid) == Some(self.number);
        let mut members = Vec::new();
        for pid in process::all().filter(|&pid| is_member(pid) && process::start_time(pid).is_ok())
        {
            match Process::open(pid) {
                Ok(process) if is_member(pid) => members.push(process),
                // It has ended meanwhile.
                Ok(_) | Err(Errno(libc::ESRCH)) => {}
                // The first members are waited for, and then the others.
                Err(Errno(libc::EMFILE | libc::ENFILE)) if !members.is_empty() => break,
                Err(errno) => return Err(errno),
            }
            if members.len() == AT_ONCE {
                break;
            }
        }
        Ok(members)
    }

    /// The processes that are left, where no member runs.
    fn rest(&self) -> Rest {
        let has_zombie = process::all().any(|pid| process::group_of(pid) == Some(self.number));
        if has_zombie || !self.exists() { Rest::None } else { Rest::Hidden }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use super::*;

    /// A shell that leads a group, with a child in it.
    fn group(line: &str) -> (std::process::Child, ProcessGroup) {
        let mut command = Command::new("sh");
        command.args(["-c", line]).stdin(Stdio::null()).process_group(0);
        let child = command.spawn().unwrap();
        let group = ProcessGroup::open(child.id() as i32).unwrap();
        (child, group)
    }

    #[test]
    fn a_group_ends_with_its_last_process_and_not_with_its_leader() {
        let (mut leader, group) = group("sleep 1000 & exit");
        leader.wait().unwrap();
        let soon = Deadline::after(Duration::from_millis(50));
        assert_eq!(group.wait_until_ended(soon), Ok(Waited::TimedOut));
        assert!(group.is_certain(), "its leader is reaped, and its pidfd means the group");
        assert_eq!(group.send(Some(Signal::KILL)), Ok(()));
        assert_eq!(group.wait_until_ended(Deadline::NEVER), Ok(Waited::Done(Rest::None)));
    }

    #[test]
    fn a_group_of_zombies_has_ended() {
        let (mut leader, group) = group("exit");
        assert_eq!(group.wait_until_ended(Deadline::NEVER), Ok(Waited::Done(Rest::None)));
        leader.wait().unwrap();
        assert_eq!(group.send(None), Err(Errno(libc::ESRCH)));
        assert_eq!(ProcessGroup::open(leader.id() as i32).unwrap_err(), Errno(libc::ESRCH));
    }
}
