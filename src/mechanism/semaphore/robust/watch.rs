//! Watching for the ends of those who hold units, by those who wait for them: no process has to
//! stay for it. One watches at a time, and if it ends the next one takes its place.
//!
//! It is the ends of processes that are watched for, rather than their locks: when a process has
//! ended, all that it had is free, and not the claim before the rest.

use std::sync::Arc;

use nix::poll::{PollFd, PollFlags};
use std::os::fd::AsFd;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::mechanism::semaphore::robust::slots;
use crate::mechanism::semaphore::robust::slots::Claim;
use crate::mechanism::semaphore::robust::{Error, LOOK_AGAIN, RobustSemaphore, byte, claims};
use crate::sys::eventfd::Bell;
use crate::sys::lock_table;
use crate::sys::pidfd::Process;
use crate::sys::poll;
use crate::sys::thread;
use crate::sys::watch::Watch as Changes;

/// A thread that watches, until this is dropped.
#[derive(Debug)]
pub struct Watch {
    stop: Arc<Bell>,
}

impl Watch {
    /// Starts it, if the system has room for a thread and its descriptors; without it, it only takes
    /// longer to see that somebody has ended.
    ///
    /// # Errors
    /// EMFILE and its like.
    pub fn start(permits: &RobustSemaphore) -> Result<Self, Error> {
        let stop = Arc::new(Bell::new()?);
        let permits = permits.reopen()?;
        let bell = Arc::clone(&stop);
        let work = move || watch(&permits, &bell);
        // It ends by itself, and it has nothing to tell: those who wait look again even so.
        drop(thread::start(|thread| thread.name("watch".to_owned()).stack_size(STACK).spawn(work)));
        Ok(Self { stop })
    }
}

const STACK: usize = 128 << 10;

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.ring();
    }
}

fn watch(permits: &RobustSemaphore, stop: &Bell) -> Result<(), Error> {
    let _watching = loop {
        let locked = permits.lock(byte::WATCH, Deadline::after(LOOK_AGAIN))?;
        match locked {
            _ if stop.has_rung() => return Ok(()),
            Some(locked) => break locked,
            None => {}
        }
    };
    let changes = Changes::of_writes(&permits.semaphore).ok();
    let mut processes = Processes::default();
    while !stop.has_rung() {
        // In this order: whoever ends before he is watched has ended before it is looked whether
        // he still holds his units.
        processes.update(permits);
        permits.reap()?;
        if processes.find_left_behind(permits) {
            permits.reap()?;
        }
        processes.wait(stop, changes.as_ref())?;
    }
    Ok(())
}

/// The processes of claims.
#[derive(Debug, Default)]
struct Processes(Vec<Watched>);

/// A process that holds a claim. One that has ended is kept without a handle as long as the claim
/// is there, since what it started may still hold it.
#[derive(Debug)]
struct Watched {
    slot: usize,
    claim: Claim,
    pid: i32,
    process: Option<Process>,
}

/// How many are watched at most, as descriptors are few. What is beyond takes longer to be seen.
const MOST: usize = 400;

impl Processes {
    /// Watches those whom claims name.
    fn update(&mut self, permits: &RobustSemaphore) {
        let held: Vec<(usize, Claim)> = slots::held(&permits.semaphore).collect();
        self.0.retain(|watched| held.contains(&(watched.slot, watched.claim)));
        for (slot, claim) in held {
            for pid in [claim.keeper, claim.command] {
                self.add(slot, claim, pid);
            }
        }
    }

    /// Watches those who hold claims of which all known processes have ended, such as daemons that
    /// were left running, as far as we may see who has which lock; whether there are such claims.
    fn find_left_behind(&mut self, permits: &RobustSemaphore) -> bool {
        let lives = |slot| self.0.iter().any(|it| it.slot == slot && it.process.is_some());
        let left: Vec<(usize, Claim)> =
            slots::held(&permits.semaphore).filter(|&(slot, _)| !lives(slot)).collect();
        if left.is_empty() {
            return false;
        }
        let locks = lock_table::of_file(permits.semaphore.status()).unwrap_or_default();
        for (slot, claim) in left {
            let at = claims::lock_of(slot).range.start as u64;
            for lock in locks.iter().filter(|lock| lock.entry.start == at) {
                lock.pids.iter().for_each(|&pid| self.add(slot, claim, pid));
            }
        }
        true
    }

    fn add(&mut self, slot: usize, claim: Claim, pid: i32) {
        let is_known = self.0.iter().any(|it| (it.slot, it.pid) == (slot, pid));
        if pid != 0 && !is_known && self.0.len() < MOST {
            self.0.push(Watched { slot, claim, pid, process: Process::open(pid).ok() });
        }
    }

    /// Waits until one of them ends, a claim is made, we shall stop, or it is time to look again.
    fn wait(&mut self, stop: &Bell, changes: Option<&Changes>) -> Result<(), Errno> {
        let mut fds = vec![PollFd::new(stop.as_fd(), PollFlags::POLLIN)];
        fds.extend(changes.map(|changes| PollFd::new(changes.as_fd(), PollFlags::POLLIN)));
        let others = fds.len();
        let watched: Vec<usize> =
            (0..self.0.len()).filter(|&place| self.0[place].process.is_some()).collect();
        fds.extend(watched.iter().filter_map(|&place| {
            Some(PollFd::new(self.0[place].process.as_ref()?.as_fd(), PollFlags::POLLIN))
        }));
        match poll::any(&mut fds, Deadline::after(LOOK_AGAIN))? {
            Waited::Done(()) | Waited::TimedOut => {}
        }
        let ended: Vec<usize> = watched
            .into_iter()
            .zip(&fds[others..])
            .filter_map(|(place, fd)| fd.any()?.then_some(place))
            .collect();
        drop(fds);
        if let Some(changes) = changes {
            // What has been written is forgotten: all slots are looked at next.
            match changes.wait(Deadline::PASSED)? {
                Waited::Done(()) | Waited::TimedOut => {}
            }
        }
        ended.into_iter().for_each(|place| self.0[place].process = None);
        Ok(())
    }
}
