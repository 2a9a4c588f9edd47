//! Processes that are forked, watched and killed.

use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

/// A process, which is killed when this is dropped.
pub struct Child {
    pid: Pid,
    ended: bool,
}

impl Child {
    /// Runs a function in a process of its own, whose status is what the function gives.
    pub fn fork(run: impl FnOnce() -> u8) -> Self {
        use std::io::Write;
        let _ = std::io::stdout().flush();
        let parent = Pidfd::of_this_process();
        // SAFETY: there is one thread only, so the child can do everything.
        match unsafe { fork() }.expect("there is room for a process") {
            ForkResult::Parent { child } => Self { pid: child, ended: false },
            ForkResult::Child => {
                // SAFETY: the call takes numbers only.
                unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
                if parent.has_ended() {
                    // SAFETY: as below.
                    unsafe { libc::_exit(102) }
                }
                let status = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
                let _ = std::io::stdout().flush();
                // SAFETY: the process ends without what its parent wants to do at its end.
                unsafe { libc::_exit(status.unwrap_or(101).into()) }
            }
        }
    }

    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Its status; `None` if a signal ended it.
    pub fn wait(mut self) -> Option<i32> {
        self.ended = true;
        match waitpid(self.pid, None).expect("it is our child") {
            WaitStatus::Exited(_, status) => Some(status),
            _ => None,
        }
    }

    /// Kills it, and returns when it is gone.
    pub fn kill(&mut self) {
        if !std::mem::replace(&mut self.ended, true) {
            let _ = kill(self.pid, Signal::SIGKILL);
            while matches!(
                waitpid(self.pid, Some(WaitPidFlag::__WALL)),
                Ok(WaitStatus::Stopped(..) | WaitStatus::PtraceEvent(..))
                    | Err(nix::errno::Errno::EINTR)
            ) {}
        }
    }

    /// Whether it sleeps in futex(2).
    pub fn sleeps(&self) -> bool {
        let call = std::fs::read_to_string(format!("/proc/{}/syscall", self.pid));
        call.is_ok_and(|call| call.starts_with(&format!("{} ", libc::SYS_futex)))
    }

    /// Returns when it sleeps in futex(2), or `done` says that it never will.
    pub fn wait_until_asleep(&self, done: impl Fn() -> bool) {
        assert!(within(Duration::from_secs(30), || self.sleeps() || done()), "it never sleeps");
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A process by descriptor. A child cannot ask for the number of a parent in another PID namespace,
/// and a parent that ended before the child asked for the signal sends none.
struct Pidfd(OwnedFd);

impl Pidfd {
    fn of_this_process() -> Self {
        // SAFETY: the call takes numbers only.
        let number = unsafe { libc::syscall(libc::SYS_pidfd_open, std::process::id(), 0) };
        assert!(number >= 0, "there is room for a descriptor");
        // SAFETY: the descriptor is new, and no other value owns it.
        Self(unsafe { OwnedFd::from_raw_fd(number as i32) })
    }

    fn has_ended(&self) -> bool {
        let mut watched = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        poll(&mut watched, PollTimeout::ZERO) == Ok(1)
    }
}

/// Waits for a condition, for no longer than this.
pub fn within(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if condition() {
            return true;
        }
        if start.elapsed() > limit {
            return false;
        }
        pause(Duration::from_micros(20));
    }
}

/// Lets others run for a while.
pub fn pause(duration: Duration) {
    std::thread::park_timeout(duration);
}

/// Keeps this process, and those that it forks, on the CPU that it is on. It must not have looked at
/// how many there are.
pub fn stay_on_one_cpu() {
    let cpu = nix::sched::sched_getcpu().expect("it is on one");
    let mut set = CpuSet::new();
    set.set(cpu).expect("it is one of ours");
    sched_setaffinity(Pid::from_raw(0), &set).expect("it is allowed");
}
