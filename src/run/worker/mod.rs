//! A worker: claims the messages of a queue and runs a COMMAND for each.
//!
//! The kind of queue does not matter here: [`Source`] opens it, [`Queue`] claims, acknowledges and
//! requeues messages. The worker holds a message from the claim until its COMMAND has succeeded or
//! the message is requeued. In between it may run the COMMAND again after a delay.
//!
//! The supervisor prints reports; the threads that run COMMANDs never write.

mod consumer;
mod failures;
mod held;
mod report;

#[cfg(test)]
mod tests;

use std::ffi::{CString, OsString};
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
use crate::run::pool::{End, Limits, Pool, Supervisor};
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
    /// The failure for which the worker cannot use the queue.
    fn open(&self) -> anyhow::Result<Self::Queue>;
}

/// A queue whose messages a worker claims, for one thread of the worker.
pub trait Queue {
    /// A message that was claimed. Dropping it does nothing to the queue.
    type Claim;

    /// Claims the next message; `None` if there is none now.
    ///
    /// # Errors
    /// A failure if the queue cannot be used.
    fn claim(&mut self) -> Result<Option<Self::Claim>, Failure>;

    /// Whether the queue is closed and has no message other than those that this worker has
    /// claimed.
    fn is_exhausted(&self) -> bool {
        false
    }

    /// Whether the last claim found the end of the stream instead of a message, which ends the worker.
    fn has_ended(&self) -> bool {
        false
    }

    /// Waits until there may be a message. The wait ends without one when `stop` rings, or a system
    /// call fails with EINTR after `stop` has rung.
    ///
    /// # Errors
    /// A failure if the queue cannot be used.
    fn wait(&mut self, stop: &Bell, deadline: Deadline) -> Result<Waited, Failure>;

    /// Counts one more attempt for a message, before COMMAND starts; returns the number of the
    /// attempt. A queue that keeps the count with the message makes it durable.
    ///
    /// # Errors
    /// A failure if the attempt cannot be counted.
    fn begin(&mut self, claim: &mut Self::Claim) -> Result<u32, Failure>;

    /// COMMAND could not be started after [`Queue::begin`], so that this was no attempt.
    fn undo_begin(&mut self, _: &mut Self::Claim) {}

    /// The bytes of a message, as COMMAND reads them.
    ///
    /// # Errors
    /// ENOMEM if there is no memory; EMFILE if no descriptor is left; those of the queue.
    fn input(&self, claim: &Self::Claim) -> Result<OwnedFd, Errno>;

    /// The variables that COMMAND finds in its environment.
    fn variables(&self, claim: &Self::Claim) -> Vec<(&'static str, Vec<u8>)>;

    /// A descriptor that keeps the claim for as long as COMMAND and its children have it open.
    fn lease<'a>(&'a self, _: &'a Self::Claim) -> Option<BorrowedFd<'a>> {
        None
    }

    /// The stdout and the stderr of COMMAND; `None` is the descriptor of this process.
    fn outputs<'a>(&'a self, _: &'a Self::Claim) -> [Option<BorrowedFd<'a>>; 2] {
        [None; 2]
    }

    /// The text that replaces each `{}` in the arguments of COMMAND.
    fn inserted(&self, _: &Self::Claim) -> Option<CString> {
        None
    }

    /// COMMAND has ended in this way; the message is acknowledged, held or given up next.
    fn ended(&mut self, _: &mut Self::Claim, _: End) {}

    /// Whether a message is kept if a signal to the worker interrupts its COMMAND, also in its last
    /// attempt.
    fn is_at_least_once(&self) -> bool {
        false
    }

    /// A number by which a message that went back is recognized when it is claimed again.
    fn identity(&self, claim: &Self::Claim) -> u64;

    /// Removes a message permanently, because COMMAND has succeeded.
    ///
    /// # Errors
    /// A failure if the message may be claimed again.
    fn acknowledge(&mut self, claim: Self::Claim) -> Result<(), Failure>;

    /// Requeues a message for all workers, waiting for room until `deadline` or until `hurry`
    /// rings.
    ///
    /// # Errors
    /// A failure if the message cannot be requeued: the claim then has the only copy.
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
    /// A failure if the dead-letter queue does not accept it.
    fn bury(
        &mut self,
        claim: &Self::Claim,
        stop: &Bell,
        deadline: Deadline,
    ) -> Result<Waited, Failure>;

    /// Abandons a message whose COMMAND has failed in its last attempt; returns the consequence, in
    /// words that follow `the message`.
    ///
    /// # Errors
    /// A failure if the queue cannot be used.
    fn give_up(&mut self, claim: Self::Claim) -> Result<&'static str, Failure>;

    /// Requeues a message that was claimed only to detect it, waiting until `hurry` rings.
    ///
    /// # Errors
    /// A failure if the queue cannot be used.
    fn close(&mut self, hurry: &Bell) -> Result<(), Failure>;
}

/// The consequence of a failure in the last attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LastResort {
    /// The message moves to the dead-letter queue of this name.
    Bury(OsString),
    /// The message is requeued.
    PutBack,
    /// The queue decides.
    GiveUp,
}

/// The selection of messages to claim, and the timeout of each wait.
#[derive(Clone, Debug)]
pub struct Supply {
    /// The name of the queue.
    pub name: OsString,
    /// The maximum number of messages to claim.
    pub count: u64,
    /// Whether to end when there is no message.
    pub ends_when_empty: bool,
    /// The maximum wait for a message; `None` is no limit.
    pub timeout: Option<Duration>,
    /// The failure of a wait that timed out.
    pub timed_out: Failure,
}

/// The parameters of running COMMAND for each message.
#[derive(Debug)]
pub struct Plan {
    /// The COMMAND.
    pub command: Command,
    /// The maximum number of COMMANDs at a time.
    pub jobs: usize,
    /// The maximum number of attempts for a message.
    pub attempts: u32,
    /// The delay after the first failure.
    pub retry_delay: Duration,
    /// The consequence of a failure in the last attempt.
    pub last_resort: LastResort,
    /// The time limits of a COMMAND.
    pub limits: Limits,
    /// Whether to wait for the children of COMMAND as well.
    pub waits_for_children: bool,
}

impl Plan {
    /// Whether a message must be kept if a signal to the worker interrupts its COMMAND.
    fn is_at_least_once(&self) -> bool {
        self.attempts > 1 || self.last_resort != LastResort::GiveUp
    }
}

/// The state that the threads share.
#[derive(Debug)]
struct Job<S> {
    source: S,
    supply: Supply,
    plan: Plan,
    pool: Arc<Pool>,
    /// The number of messages that no thread has reserved.
    left: AtomicU64,
    /// The number of messages that were claimed.
    claimed: AtomicU64,
    failures: Failures,
}

impl<S> Job<S> {
    /// Reserves the claim of one more message; returns whether that is within the limit.
    fn reserve(&self) -> bool {
        let less = |left: u64| left.checked_sub(1);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// The deadline of a wait for a message that begins now.
    fn deadline(&self) -> Deadline {
        match self.supply.timeout {
            Some(Duration::ZERO) => Deadline::PASSED,
            timeout => timeout.map_or(Deadline::NEVER, Deadline::after),
        }
    }
}

/// The end of a worker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// With the status of the first COMMAND that failed in its last attempt, or success.
    Exit(Exit),
    /// By this signal.
    Signal(Signal),
}

/// Claims messages and runs COMMAND for each, until there are no more messages to claim, or a
/// signal ends the worker.
///
/// # Errors
/// A failure if a COMMAND cannot be started, or if the queue cannot be used.
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
            // The threads that have started finish the messages that they have claimed.
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
