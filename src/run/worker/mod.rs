//! A worker: claims the messages of a queue and runs a COMMAND for each.
//!
//! What the queue is does not matter here: [`Source`] opens it, [`Queue`] claims, acknowledges and
//! takes back messages. The worker holds a message from the claim until its COMMAND has succeeded or
//! the message is back in the queue. In between it may run the COMMAND again after a delay.
//!
//! The supervisor prints reports; the threads that run COMMANDs never write.

mod consumer;
mod failures;
mod held;
mod report;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure};
use crate::base::signal::Signal;
use crate::io::output::Output;
use crate::run::job::Command;
use crate::run::pool::{Limits, Pool, Supervisor};
use crate::sys::eventfd::Bell;

use self::consumer::Consumer;
use self::failures::Failures;
use self::report::{Report, Reports};

/// Opens a queue, once for each thread of the worker.
pub trait Source: Send + Sync + 'static {
    /// An open queue.
    type Queue: Queue;

    /// Opens it.
    ///
    /// # Errors
    /// Why the worker cannot use it.
    fn open(&self) -> anyhow::Result<Self::Queue>;
}

/// A queue whose messages a worker claims, for one thread of the worker.
pub trait Queue {
    /// A message that was claimed. Dropping it does nothing to the queue.
    type Claim;

    /// Claims the next message; `None` if there is none now.
    ///
    /// # Errors
    /// That the queue cannot be used.
    fn claim(&mut self) -> Result<Option<Self::Claim>, Failure>;

    /// Whether the queue is closed, and has no message that is not claimed by this worker.
    fn is_exhausted(&self) -> bool {
        false
    }

    /// Waits until there may be a message. The wait ends without one when `stop` rings, or a system
    /// call fails with EINTR after `stop` has rung.
    ///
    /// # Errors
    /// That the queue cannot be used.
    fn wait(&mut self, stop: &Bell, deadline: Deadline) -> Result<Waited, Failure>;

    /// Counts one more attempt for a message, before COMMAND starts; returns the number of the
    /// attempt. A queue that keeps the count with the message makes it durable.
    ///
    /// # Errors
    /// That it cannot be counted.
    fn begin(&mut self, claim: &mut Self::Claim) -> Result<u32, Failure>;

    /// The bytes of a message, as COMMAND reads them.
    ///
    /// # Errors
    /// ENOMEM, EMFILE, and those of the queue.
    fn input(&self, claim: &Self::Claim) -> Result<OwnedFd, Errno>;

    /// The variables that COMMAND finds in its environment.
    fn variables(&self, claim: &Self::Claim) -> Vec<(&'static str, Vec<u8>)>;

    /// A descriptor that keeps the claim for as long as COMMAND and its children have it open.
    fn lease<'a>(&'a self, _: &'a Self::Claim) -> Option<BorrowedFd<'a>> {
        None
    }

    /// A number by which a message that went back is recognized when it is claimed again.
    fn identity(&self, claim: &Self::Claim) -> u64;

    /// Removes a message for good, as COMMAND has succeeded.
    ///
    /// # Errors
    /// That it may be claimed again.
    fn acknowledge(&mut self, claim: Self::Claim) -> Result<(), Failure>;

    /// Makes a message available to all workers again, waiting for room until `deadline` or until
    /// `hurry` rings.
    ///
    /// # Errors
    /// That it cannot go back, and the claim is all that is left of it.
    fn put_back(
        &mut self,
        claim: &Self::Claim,
        hurry: &Bell,
        deadline: Deadline,
    ) -> Result<Waited, Failure>;

    /// Moves a message to the dead-letter queue, waiting for room until `deadline` or until `stop`
    /// rings.
    ///
    /// # Errors
    /// That the dead-letter queue does not take it.
    fn bury(
        &mut self,
        claim: &Self::Claim,
        stop: &Bell,
        deadline: Deadline,
    ) -> Result<Waited, Failure>;

    /// Gives a message up whose COMMAND has failed in its last attempt; returns what becomes of it, in
    /// words that follow `the message`.
    ///
    /// # Errors
    /// That the queue cannot be used.
    fn give_up(&mut self, claim: Self::Claim) -> Result<&'static str, Failure>;

    /// Puts back what was claimed only to see whether it is there, waiting until `hurry` rings.
    ///
    /// # Errors
    /// That the queue cannot be used.
    fn close(&mut self, hurry: &Bell) -> Result<(), Failure>;
}

/// What becomes of a message whose COMMAND has failed in its last attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LastResort {
    /// It goes to the dead-letter queue of this name.
    Bury(OsString),
    /// It goes back to its queue.
    PutBack,
    /// The queue decides.
    GiveUp,
}

/// Which messages to claim, and how long to wait for each.
#[derive(Clone, Debug)]
pub struct Supply {
    /// The name of the queue.
    pub name: OsString,
    /// The greatest number of messages to claim.
    pub count: u64,
    /// Whether to end when there is no message.
    pub ends_when_empty: bool,
    /// How long to wait for a message; `None` is without limit.
    pub timeout: Option<Duration>,
    /// The failure if that is too long.
    pub timed_out: Failure,
}

/// How to run COMMAND for each message.
#[derive(Debug)]
pub struct Plan {
    /// The COMMAND.
    pub command: Command,
    /// How many may run at a time.
    pub jobs: usize,
    /// How often COMMAND runs for a message until it succeeds.
    pub attempts: u32,
    /// The delay after the first failure.
    pub retry_delay: Duration,
    /// What follows the last attempt.
    pub last_resort: LastResort,
    /// How long a COMMAND may run.
    pub limits: Limits,
    /// Whether to wait for the children of COMMAND as well.
    pub waits_for_children: bool,
}

impl Plan {
    /// Whether the caller wants a message kept that a signal to the worker has interrupted.
    fn is_at_least_once(&self) -> bool {
        self.attempts > 1 || self.last_resort != LastResort::GiveUp
    }
}

/// What the threads share.
#[derive(Debug)]
struct Job<S> {
    source: S,
    supply: Supply,
    plan: Plan,
    pool: Arc<Pool>,
    /// How many messages no thread has set out to claim.
    left: AtomicU64,
    /// How many messages were claimed.
    claimed: AtomicU64,
    failures: Failures,
}

impl<S> Job<S> {
    /// Sets out to claim one more message; whether that is within the limit.
    fn reserve(&self) -> bool {
        let less = |left: u64| left.checked_sub(1);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// The moment at which a wait for a message that begins now ends.
    fn deadline(&self) -> Deadline {
        match self.supply.timeout {
            Some(Duration::ZERO) => Deadline::PASSED,
            timeout => timeout.map_or(Deadline::NEVER, Deadline::after),
        }
    }
}

/// How a worker ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// With the status of the first COMMAND that failed in its last attempt, if one did.
    Exit(Exit),
    /// By this signal.
    Signal(Signal),
}

/// Claims messages and runs COMMAND for each, until there are no more messages to claim, or a signal
/// ends the worker.
///
/// # Errors
/// That a COMMAND cannot be started, or the queue cannot be used.
pub fn run<S: Source>(
    source: S,
    supply: Supply,
    plan: Plan,
    output: &Output,
) -> anyhow::Result<Ended> {
    let mut supervisor = Supervisor::new().map_err(Failure::from)?;
    let pool = Arc::clone(supervisor.pool());
    let (sender, received) = mpsc::channel();
    let (left, claimed) = (AtomicU64::new(supply.count), AtomicU64::new(0));
    let failures = Failures::new(plan.retry_delay);
    let jobs = plan.jobs;
    let job = Arc::new(Job { source, supply, plan, pool, left, claimed, failures });
    for _ in 0..jobs {
        let (shared, reports) = (Arc::clone(&job), sender.clone());
        if let Err(errno) = supervisor.start(move || Consumer::work(shared, reports)) {
            // The threads that have started finish what they have claimed.
            let _ = sender.send(Report::Error(no_thread(errno).into()));
            job.pool.stop();
            break;
        }
    }
    let mut reports = Reports::new(output, &job);
    let signal = supervisor.attend(|| received.try_iter().for_each(|report| reports.show(report)));
    let ended = reports.ended();
    match signal.map_err(Failure::from)? {
        Some(signal) => Ok(Ended::Signal(signal)),
        None => ended.map(Ended::Exit),
    }
}

fn no_thread(errno: Errno) -> Failure {
    Failure::new(errno.into(), format!("starting a thread: {errno}"))
        .hint("'ulimit -u' shows how many there may be")
}
