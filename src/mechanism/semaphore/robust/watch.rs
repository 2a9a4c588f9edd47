//! Watches for the ends of holders. A waiter does so in a thread, so that no process has to stay for it.
//! One waiter watches at a time, and when it ends the next one takes over.
//!
//! The thread watches for ends of processes rather than of locks: when a process has ended, the kernel
//! has released all of its locks.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread::JoinHandle;

use nix::poll::{PollFd, PollFlags};

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::mechanism::semaphore::Error;
use crate::mechanism::semaphore::robust::slots::{self, Claim};
use crate::mechanism::semaphore::robust::{CHECK_INTERVAL, RobustSemaphore, byte, lease};
use crate::sys::eventfd::Bell;
use crate::sys::lock::Lock;
use crate::sys::lock_table;
use crate::sys::pidfd::Process;
use crate::sys::poll;
use crate::sys::thread;
use crate::sys::watch::Watch as Changes;

/// A thread that watches. It ends when this is dropped.
#[derive(Debug)]
pub struct Watch {
    stop: Arc<Bell>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Starts the thread. Without it, waiters see the end of a holder within [`CHECK_INTERVAL`].
    ///
    /// # Errors
    /// EMFILE and EAGAIN at a limit of the system.
    pub fn start(semaphore: &RobustSemaphore) -> Result<Self, Error> {
        let stop = Arc::new(Bell::new()?);
        let semaphore = semaphore.reopen()?;
        let bell = Arc::clone(&stop);
        let work = move || {
            // After an error the waiter goes on as without a watch.
            let _ = watch(&semaphore, &bell);
        };
        let thread = thread::start(|builder| {
            builder.name("watch".to_owned()).stack_size(STACK).spawn(work)
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

const STACK: usize = 128 << 10;

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.ring();
        if let Some(thread) = self.thread.take() {
            thread::interrupt_until_finished(thread);
        }
    }
}

fn watch(semaphore: &RobustSemaphore, stop: &Bell) -> Result<(), Error> {
    let _watching = loop {
        let deadline = Deadline::after(CHECK_INTERVAL);
        let lock = Lock::of_byte(byte::WATCH);
        let locked = lock.guard_unless(&semaphore.semaphore, deadline, || stop.has_rung())?;
        if let Some(locked) = locked {
            break locked;
        }
    };
    let changes = Changes::of_writes(&semaphore.semaphore).ok();
    let mut processes = Processes::default();
    while !stop.has_rung() {
        // A process that ends before it is watched has released its locks before they are tested.
        processes.update(semaphore);
        semaphore.reclaim()?;
        if processes.find_left_behind(semaphore) {
            semaphore.reclaim()?;
        }
        processes.wait(stop, changes.as_ref())?;
    }
    Ok(())
}

/// The processes of claims.
#[derive(Debug, Default)]
struct Processes(Vec<Watched>);

/// A process that holds a claim. A process that has ended is kept without a handle as long as the claim
/// exists, since its children may still hold it.
#[derive(Debug)]
struct Watched {
    slot: usize,
    claim: Claim,
    pid: i32,
    process: Option<Process>,
}

/// The maximum number of watched processes, since descriptors are limited. Ends of others are seen within
/// [`CHECK_INTERVAL`].
const MAXIMUM: usize = 400;

impl Processes {
    /// Watches the processes that claims name.
    fn update(&mut self, semaphore: &RobustSemaphore) {
        let held: Vec<(usize, Claim)> = slots::held(&semaphore.semaphore).collect();
        self.0.retain(|watched| held.contains(&(watched.slot, watched.claim)));
        for (slot, claim) in held {
            for pid in [claim.supervisor, claim.command] {
                self.add(slot, claim, pid);
            }
        }
    }

    /// Watches the holders of claims whose named processes have ended, such as daemons that commands
    /// left running, as far as they are visible; whether there are such claims.
    fn find_left_behind(&mut self, semaphore: &RobustSemaphore) -> bool {
        let lives = |slot| self.0.iter().any(|it| it.slot == slot && it.process.is_some());
        let left: Vec<(usize, Claim)> =
            slots::held(&semaphore.semaphore).filter(|&(slot, _)| !lives(slot)).collect();
        if left.is_empty() {
            return false;
        }
        let locks = lock_table::of_file(semaphore.semaphore.status()).unwrap_or_default();
        for (slot, claim) in left {
            let at = lease::lock_of(slot).range.start as u64;
            for lock in locks.iter().filter(|lock| lock.entry.start == at) {
                lock.pids.iter().for_each(|&pid| self.add(slot, claim, pid));
            }
        }
        true
    }

    fn add(&mut self, slot: usize, claim: Claim, pid: i32) {
        let is_known = self.0.iter().any(|it| (it.slot, it.pid) == (slot, pid));
        if pid != 0 && !is_known && self.0.len() < MAXIMUM {
            self.0.push(Watched { slot, claim, pid, process: Process::open(pid).ok() });
        }
    }

    /// Waits until a process ends, a claim changes, the bell rings, or [`CHECK_INTERVAL`] has passed.
    fn wait(&mut self, stop: &Bell, changes: Option<&Changes>) -> Result<(), Errno> {
        let mut fds = vec![PollFd::new(stop.as_fd(), PollFlags::POLLIN)];
        fds.extend(changes.map(|changes| PollFd::new(changes.as_fd(), PollFlags::POLLIN)));
        let others = fds.len();
        let watched: Vec<usize> =
            (0..self.0.len()).filter(|&place| self.0[place].process.is_some()).collect();
        fds.extend(watched.iter().filter_map(|&place| {
            Some(PollFd::new(self.0[place].process.as_ref()?.as_fd(), PollFlags::POLLIN))
        }));
        match poll::any(&mut fds, Deadline::after(CHECK_INTERVAL))? {
            Waited::Done(()) | Waited::TimedOut => {}
        }
        let ended: Vec<usize> = watched
            .into_iter()
            .zip(&fds[others..])
            .filter_map(|(place, fd)| fd.any()?.then_some(place))
            .collect();
        drop(fds);
        if let Some(changes) = changes {
            // The caller reads all slots next, whatever has changed.
            match changes.wait(Deadline::PASSED)? {
                Waited::Done(()) | Waited::TimedOut => {}
            }
        }
        ended.into_iter().for_each(|place| self.0[place].process = None);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;
    use crate::base::name::SemaphoreName;
    use crate::mechanism::semaphore::{Permit, Semaphore, posix};

    /// The number of threads of this process that watch.
    fn threads() -> usize {
        let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
        let names = tasks.filter_map(|task| fs::read(task.path().join("comm")).ok());
        names.filter(|name| name == b"watch\n").count()
    }

    #[test]
    fn the_threads_of_two_waiters_end_with_their_waits() {
        let name = format!("ipc-watch-{}", std::process::id());
        let name = SemaphoreName::new(name.as_ref()).unwrap();
        posix::create(&name, 1, 0o600).unwrap();
        let semaphore = RobustSemaphore::open(&name).unwrap();
        let another = semaphore.reopen().unwrap();
        posix::unlink(&name).unwrap();
        let Ok(Waited::Done(Permit::Lease(lease))) = semaphore.acquire(1, Deadline::PASSED) else {
            panic!("the value is 1");
        };
        // One thread watches, the other one waits for its turn to watch.
        let (one, other) = (Watch::start(&semaphore).unwrap(), Watch::start(&another).unwrap());
        let soon = Deadline::after(Duration::from_millis(50));
        assert_eq!(poll::any(&mut [], soon), Ok(Waited::TimedOut));
        assert_eq!(threads(), 2);
        drop(other);
        drop(one);
        assert_eq!(threads(), 0);
        lease.release().unwrap();
        assert_eq!(semaphore.value(), Ok(1));
    }
}
