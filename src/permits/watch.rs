//! Watching for the ends of those who hold units, by those who wait for them: no process has to
//! stay for it. One watches at a time, and if it ends the next one takes its place.
//!
//! A claim names the `ipc` that made it and its command, and these are watched for. What holds the
//! claim after both have ended, a daemon that was left running, is known to nobody; but the kernel
//! knows, and tells those who ask for the lock of that claim.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use nix::poll::{PollFd, PollFlags};
use std::os::fd::AsFd;

use super::{Error, LOOK_AGAIN, Permits, byte};
use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;
use crate::permits::slots::{self, Claim};
use crate::signals::Signal;
use crate::sys::eventfd::Bell;
use crate::sys::pidfd::Process;
use crate::sys::poll;
use crate::sys::signal::Blocked;
use crate::sys::watch::Watch as Changes;

/// A thread that watches, until this is dropped.
#[derive(Debug)]
pub struct Watch {
    stop: Arc<Bell>,
}

impl Watch {
    /// Starts it, if the system has room for a thread; without one it only takes longer to see
    /// that somebody has ended.
    pub fn start(permits: &Permits) -> Result<Self, Error> {
        let stop = Arc::new(Bell::new()?);
        let permits = Arc::new(permits.reopen()?);
        let bell = Arc::clone(&stop);
        // No signal that is meant for the process may end up at this thread, which inherits this,
        // but for the one by which it learns that memory was lost.
        let _blocked = Blocked::new(Signal::all().filter(|&s| s != Signal::BUS).collect());
        drop(spawn("watch", move || watch(&permits, &bell)));
        Ok(Self { stop })
    }
}

/// A thread that ends by itself. It has nothing to tell: those who wait look again even so.
fn spawn(
    name: &str,
    work: impl FnOnce() -> Result<(), Error> + Send + 'static,
) -> std::io::Result<JoinHandle<Result<(), Error>>> {
    thread::Builder::new().name(name.to_owned()).stack_size(STACK).spawn(work)
}

const STACK: usize = 128 << 10;

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.ring();
    }
}

fn watch(permits: &Arc<Permits>, stop: &Arc<Bell>) -> Result<(), Error> {
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
    let mut vigils = Vigils::default();
    while !stop.has_rung() {
        // In this order: whoever ends before he is watched has ended before it is looked whether
        // he still holds his units.
        processes.update(permits);
        permits.reap()?;
        vigils.keep_at(processes.left_behind(), permits, stop);
        processes.wait(stop, changes.as_ref())?;
    }
    Ok(())
}

/// The processes of claims. One that has ended is kept without a handle as long as its claim is
/// there, since what it started may still hold it.
#[derive(Debug, Default)]
struct Processes(Vec<(usize, i32, Option<Process>)>);

/// How many are watched at most, as descriptors are few. What is beyond takes longer to be seen.
const MOST: usize = 400;

impl Processes {
    fn update(&mut self, permits: &Permits) {
        let there: Vec<(usize, i32)> = slots::held(&permits.semaphore)
            .flat_map(|(index, Claim { keeper, command, .. })| [(index, keeper), (index, command)])
            .filter(|&(_, pid)| pid != 0)
            .take(MOST)
            .collect();
        self.0.retain(|&(index, pid, _)| there.contains(&(index, pid)));
        for (index, pid) in there {
            if !self.0.iter().any(|&(i, p, _)| (i, p) == (index, pid)) {
                self.0.push((index, pid, Process::open(pid).ok()));
            }
        }
    }

    /// The slots of claims of which all known processes have ended.
    fn left_behind(&self) -> impl Iterator<Item = usize> {
        let lives =
            |slot| self.0.iter().any(|(index, _, process)| *index == slot && process.is_some());
        self.0.iter().map(|&(index, ..)| index).filter(move |&slot| !lives(slot))
    }

    /// Waits until one of them ends, a claim is made, we shall stop, or it is time to look again.
    fn wait(&mut self, stop: &Bell, changes: Option<&Changes>) -> Result<(), Errno> {
        let mut fds = vec![PollFd::new(stop.as_fd(), PollFlags::POLLIN)];
        fds.extend(changes.map(|changes| PollFd::new(changes.as_fd(), PollFlags::POLLIN)));
        let others = fds.len();
        let watched: Vec<usize> =
            (0..self.0.len()).filter(|&place| self.0[place].2.is_some()).collect();
        fds.extend(watched.iter().filter_map(|&place| {
            Some(PollFd::new(self.0[place].2.as_ref()?.as_fd(), PollFlags::POLLIN))
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
        ended.into_iter().for_each(|place| self.0[place].2 = None);
        Ok(())
    }
}

/// Threads that wait for what was left behind, each for the lock of one slot.
#[derive(Debug, Default)]
struct Vigils(Vec<(usize, JoinHandle<Result<(), Error>>)>);

/// How many are kept at most. What is beyond takes longer to be seen.
const MOST_VIGILS: usize = 16;

impl Vigils {
    /// Keeps one at each of these slots.
    fn keep_at(
        &mut self,
        slots: impl Iterator<Item = usize>,
        permits: &Arc<Permits>,
        stop: &Arc<Bell>,
    ) {
        self.0.retain(|(_, thread)| !thread.is_finished());
        for slot in slots {
            if self.0.len() < MOST_VIGILS && self.0.iter().all(|&(kept, _)| kept != slot) {
                let (permits, stop) = (Arc::clone(permits), Arc::clone(stop));
                let thread = spawn("vigil", move || keep_vigil(slot, &permits, &stop));
                self.0.extend(thread.ok().map(|thread| (slot, thread)));
            }
        }
    }
}

/// Waits until nobody holds the claim in a slot, and gives it back.
fn keep_vigil(slot: usize, permits: &Permits, stop: &Bell) -> Result<(), Error> {
    while !stop.has_rung() {
        if permits.wait_for_release(slot, Deadline::after(LOOK_AGAIN))? == Waited::Done(()) {
            return permits.reap();
        }
    }
    Ok(())
}
