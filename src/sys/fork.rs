//! Children that run a function of this program: fork(2), waitpid(2), prctl(2).

use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::errno::Errno::EINTR;
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, getpid, getppid};

use super::pidfd::Process;
use crate::base::errno::Errno;

/// A child. Dropping it kills it and reaps it.
#[derive(Debug)]
pub struct Child {
    pid: Pid,
    process: Process,
    is_reaped: bool,
}

/// The end of a child.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// The function returned this status.
    Exited(i32),
    /// A signal of this number ended it.
    Killed(i32),
}

/// Starts a child that runs `work` and ends with its status. If this process dies, the child is
/// killed. The process has to have one thread only: the child has no other, and a lock that another
/// thread holds stays locked in it.
///
/// # Errors
/// EAGAIN if there are as many processes as there may be; ENOMEM.
pub fn start(work: impl FnOnce() -> i32) -> Result<Child, Errno> {
    let parent = getpid();
    // SAFETY: this process has one thread, so that the child may do what this process may.
    match unsafe { fork() }? {
        ForkResult::Child => {
            let _ = prctl::set_pdeathsig(Signal::SIGKILL);
            // The parent may have died before the call.
            let status = match getppid() == parent {
                true => catch_unwind(AssertUnwindSafe(work)).unwrap_or(PANICKED),
                false => 0,
            };
            // SAFETY: the call ends the child without what the parent registered for its own end.
            unsafe { libc::_exit(status) }
        }
        ForkResult::Parent { child } => {
            let process = Process::open(child.as_raw()).inspect_err(|_| end(child))?;
            Ok(Child { pid: child, process, is_reaped: false })
        }
    }
}

/// The status of a child that panicked, as in programs of Rust.
const PANICKED: i32 = 101;

impl Child {
    /// The process, whose descriptor is readable when it has ended.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Waits until it has ended.
    pub fn wait(mut self) -> Result<Ended, Errno> {
        let status = reap(self.pid);
        self.is_reaped = true;
        match status? {
            WaitStatus::Exited(_, status) => Ok(Ended::Exited(status)),
            WaitStatus::Signaled(_, signal, _) => Ok(Ended::Killed(signal as i32)),
            // waitpid(2) reports stops only if it is asked to.
            _ => Err(Errno(libc::ECHILD)),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.is_reaped {
            end(self.pid);
        }
    }
}

fn reap(pid: Pid) -> nix::Result<WaitStatus> {
    loop {
        match waitpid(pid, None) {
            Err(EINTR) => {}
            result => return result,
        }
    }
}

/// Kills a child and reaps it. Neither can fail for a child that is not reaped yet.
fn end(pid: Pid) {
    let _ = kill(pid, Signal::SIGKILL);
    let _ = reap(pid);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_ends_with_the_status_of_its_function() {
        let child = start(|| 7).unwrap();
        assert_eq!(child.wait(), Ok(Ended::Exited(7)));
    }
}
