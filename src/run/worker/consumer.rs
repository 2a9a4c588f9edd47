//! One thread of a worker. It claims a message after the COMMAND for the previous one has ended.

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Failure, about};
use crate::run::pool::{Busy, Claimed, End, Until};
use crate::sys::eventfd::Bell;
use crate::sys::spawn::Streams;
use crate::sys::{pipe, poll};

use super::held::{Held, Next};
use super::report::{Report, Then};
use super::{Job, LastResort, Queue, Source};

/// A message, and the record that this thread processes it.
type Work<Q> = (<Q as Queue>::Claim, Busy);

/// One thread of a worker.
pub struct Consumer<S: Source> {
    job: Arc<Job<S>>,
    queue: S::Queue,
    reports: Sender<Report>,
    /// Whether this thread has reserved the claim of a message.
    reserved: bool,
    /// Messages to requeue; the queue was full.
    kept: VecDeque<Work<S::Queue>>,
    /// Messages with an action that is due later.
    held: Held<Work<S::Queue>>,
}

/// The maximum number of messages that a thread keeps while the queue is full. Beyond that it runs
/// their COMMANDs again, as the queue may be full because no other process receives from it.
const KEPT: usize = 8;

impl<S: Source> Consumer<S> {
    /// Works until no messages are left.
    pub fn work(job: Arc<Job<S>>, reports: Sender<Report>) {
        let fail = |error| {
            // The receiver outlives the threads.
            let _ = reports.send(Report::Error(error));
            job.pool.stop();
        };
        let queue = match job.source.open() {
            Ok(queue) => queue,
            Err(error) => return fail(error),
        };
        let mut consumer = Self {
            job: Arc::clone(&job),
            queue,
            reports: reports.clone(),
            reserved: false,
            kept: VecDeque::new(),
            held: Held::default(),
        };
        let worked = consumer.process_all();
        let finished = consumer.finish();
        if let Err(error) = worked.and(finished) {
            fail(error);
        }
    }

    fn report(&self, report: Report) {
        // The receiver outlives the threads.
        let _ = self.reports.send(report);
        self.job.pool.report();
    }

    fn process_all(&mut self) -> anyhow::Result<()> {
        while let Some((claim, busy)) = self.next()? {
            self.process(claim, busy)?;
        }
        Ok(())
    }

    /// The next message to run COMMAND for; `None` at the end.
    fn next(&mut self) -> anyhow::Result<Option<Work<S::Queue>>> {
        let job = Arc::clone(&self.job);
        let mut seen = job.claimed.load(Ordering::Relaxed);
        let mut deadline = job.deadline();
        loop {
            while let Some(work) = self.held.due(Next::PutBack) {
                self.kept.push_back(work);
            }
            self.put_back_kept();
            if job.pool.is_stopped() {
                return Ok(None);
            }
            if let Some(work) = self.held.due(Next::Retry) {
                return Ok(Some(work));
            }
            if self.kept.len() >= KEPT {
                return Ok(self.kept.pop_front());
            }
            self.reserved = self.reserved || job.reserve();
            if let Some(work) = self.claim()? {
                return Ok(Some(work));
            }
            let ends = job.supply.ends_when_empty || self.queue.is_exhausted();
            let has_no_more = !self.reserved || job.pool.is_exhausted();
            let is_last = has_no_more || ends && !self.held.is_full();
            if is_last && !self.held.has_retries() {
                return Ok(None);
            }
            // The messages that fill the queue are not for this worker.
            if let Some(work) = self.kept.pop_front() {
                return Ok(Some(work));
            }
            let waited = if is_last { self.rest()? } else { self.wait(deadline)? };
            // The timeout begins anew for each message, whichever thread claims it.
            let now = job.claimed.load(Ordering::Relaxed);
            if waited == Waited::TimedOut
                && deadline.has_passed()
                && !job.pool.is_stopped()
                && !is_last
            {
                if now == seen {
                    return Err(self.failed(job.supply.timed_out.clone()));
                }
                (seen, deadline) = (now, job.deadline());
            }
        }
    }

    /// Claims a message if this thread has reserved one, unless it holds the maximum.
    fn claim(&mut self) -> anyhow::Result<Option<Work<S::Queue>>> {
        if !self.reserved || self.held.is_full() {
            return Ok(None);
        }
        let Self { job, queue, .. } = self;
        let claimed = job.pool.claim(|| {
            Ok(match queue.claim()? {
                Some(claim) => Claimed::Work(claim),
                None if queue.has_ended() => Claimed::End,
                None => Claimed::Nothing,
            })
        });
        let claimed = claimed.map_err(|failure| self.failed(failure))?;
        if claimed.is_some() {
            self.reserved = false;
            self.job.claimed.fetch_add(1, Ordering::Relaxed);
        }
        Ok(claimed)
    }

    /// Waits for a message, at most until an action is due.
    fn wait(&mut self, deadline: Deadline) -> anyhow::Result<Waited> {
        if deadline == Deadline::PASSED {
            return Ok(Waited::TimedOut);
        }
        if self.held.is_full() {
            return self.rest();
        }
        self.report(Report::Waits);
        let until = deadline.min(self.held.first());
        let Self { job, queue, .. } = self;
        let waited = job.pool.wait(Until::Exhausted, |stop| queue.wait(stop, until));
        waited.map_err(|failure| self.failed(failure))
    }

    /// Waits until an action is due.
    fn rest(&self) -> anyhow::Result<Waited> {
        let due = self.held.first();
        let rest = |stop: &Bell| poll::any_readable(&[stop.as_fd()], due);
        Ok(self.job.pool.wait(Until::Stopped, rest)?)
    }

    /// Runs COMMAND for a message.
    fn process(&mut self, mut claim: <S::Queue as Queue>::Claim, busy: Busy) -> anyhow::Result<()> {
        let job = Arc::clone(&self.job);
        let attempt = match self.queue.begin(&mut claim) {
            Ok(attempt) => attempt,
            Err(failure) => {
                self.keep(claim, busy);
                return Err(self.failed(failure));
            }
        };
        let executed = self.execute(&claim, attempt, &busy);
        if let Ok(Some(end)) = executed {
            self.queue.ended(&mut claim, end);
        }
        match executed {
            Ok(Some(end)) if end.is_success() => {
                job.failures.forget(self.queue.identity(&claim));
                self.queue.acknowledge(claim).map_err(|failure| self.failed(failure))
            }
            Ok(Some(end)) => self.after_failure(claim, busy, attempt, end),
            // No COMMAND has read the message.
            Ok(None) => {
                self.queue.undo_begin(&mut claim);
                self.keep(claim, busy);
                Ok(())
            }
            Err(errno) => {
                self.queue.undo_begin(&mut claim);
                self.keep(claim, busy);
                Err(job.plan.command.failed(errno))
            }
        }
    }

    /// Runs COMMAND for this attempt; `None` if a signal ends the worker.
    fn execute(
        &self,
        claim: &<S::Queue as Queue>::Claim,
        attempt: u32,
        busy: &Busy,
    ) -> Result<Option<End>, Errno> {
        let plan = &self.job.plan;
        let (input, inserted) = (self.queue.input(claim)?, self.queue.inserted(claim));
        let mut variables = self.queue.variables(claim);
        variables.push(("IPC_ATTEMPT", attempt.to_string().into_bytes()));
        let variables: Vec<(&str, &[u8])> =
            variables.iter().map(|(name, value)| (*name, value.as_slice())).collect();
        let (end, other_end) = match plan.waits_for_children {
            true => pipe::new().map(|(end, other)| (Some(end), Some(other)))?,
            false => (None, None),
        };
        let start = || {
            let inherited = [other_end.as_ref().map(AsFd::as_fd), self.queue.lease(claim)];
            let [output, errors] = self.queue.outputs(claim);
            let streams = Streams {
                input: Some(input.as_fd()),
                output,
                errors,
                inherited,
                inserted: inserted.as_deref(),
                ..Streams::default()
            };
            let child = plan.command.start(streams, &variables);
            // Only the COMMAND and its children have the other end open.
            drop(other_end);
            child
        };
        busy.run(start, plan.limits, end)
    }

    /// Handles a message whose COMMAND failed.
    fn after_failure(
        &mut self,
        claim: <S::Queue as Queue>::Claim,
        busy: Busy,
        attempt: u32,
        end: End,
    ) -> anyhow::Result<()> {
        let job = Arc::clone(&self.job);
        let plan = &job.plan;
        let is_kept = plan.is_at_least_once() || self.queue.is_at_least_once();
        if job.pool.is_ended_by_signal() && is_kept {
            // The signal may be the reason of the failure.
            self.report(Report::Failed(end, Then::GoesBack));
            self.keep(claim, busy);
            return Ok(());
        }
        if attempt < plan.attempts {
            let delay = job.failures.delay(attempt);
            self.report(Report::Failed(end, Then::Again { attempt, delay }));
            self.held.push(Deadline::after(delay), Next::Retry, (claim, busy));
            return Ok(());
        }
        match plan.last_resort {
            LastResort::Bury(_) => {
                self.report(Report::Failed(end, Then::IsBuried));
                self.bury(claim, busy);
            }
            LastResort::PutBack => {
                self.report(Report::Failed(end, Then::GoesBack));
                self.put_back_later(claim, busy);
            }
            LastResort::GiveUp => {
                let given_up = self.queue.give_up(claim);
                let words = given_up.map_err(|failure| self.failed(failure))?;
                self.report(Report::Failed(end, Then::GivenUp(words)));
            }
        }
        Ok(())
    }

    /// Moves a message to the dead-letter queue. If a signal ends the worker before that queue has
    /// room, or that queue does not accept the message, the message is requeued in its own queue.
    fn bury(&mut self, claim: <S::Queue as Queue>::Claim, busy: Busy) {
        let job = Arc::clone(&self.job);
        let stop = job.pool.bell(Until::Stopped);
        let mut buried = self.queue.bury(&claim, stop, Deadline::PASSED);
        if let Ok(Waited::TimedOut) = buried {
            self.report(Report::DeadLetterFull);
            let bury = |stop: &Bell| self.queue.bury(&claim, stop, Deadline::NEVER);
            buried = job.pool.wait(Until::Stopped, bury);
        }
        match buried {
            Ok(Waited::Done(())) => job.failures.forget(self.queue.identity(&claim)),
            Ok(Waited::TimedOut) => self.keep(claim, busy),
            Err(failure) => {
                self.report(Report::NotBuried(failure));
                self.put_back_later(claim, busy);
            }
        }
    }

    /// Requeues a message after a delay.
    fn put_back_later(&mut self, claim: <S::Queue as Queue>::Claim, busy: Busy) {
        let delay = self.job.failures.add(self.queue.identity(&claim));
        self.held.push(Deadline::after(delay), Next::PutBack, (claim, busy));
    }

    /// Requeues a message now, or as soon as the queue has room.
    fn keep(&mut self, claim: <S::Queue as Queue>::Claim, busy: Busy) {
        self.kept.push_back((claim, busy));
        self.put_back_kept();
    }

    /// Requeues as many of the kept messages as the queue has room for.
    fn put_back_kept(&mut self) {
        while let Some((claim, _)) = self.kept.front() {
            let hurry = self.job.pool.bell(Until::Hurried);
            match self.queue.put_back(claim, hurry, Deadline::PASSED) {
                Ok(Waited::TimedOut) => break,
                Ok(Waited::Done(())) => {}
                // A message that cannot be requeued now can never be.
                Err(failure) => self.report(Report::Lost(Some(failure))),
            }
            self.kept.pop_front();
        }
    }

    /// Requeues all messages of this thread, waiting for room until a second signal.
    fn finish(&mut self) -> anyhow::Result<()> {
        self.kept.extend(self.held.all());
        self.put_back_kept();
        if !self.kept.is_empty() {
            self.report(Report::Full);
        }
        while let Some((claim, _busy)) = self.kept.pop_front() {
            let Self { job, queue, .. } = self;
            let put_back = job
                .pool
                .wait(Until::Hurried, |hurry| queue.put_back(&claim, hurry, Deadline::NEVER));
            match put_back {
                Ok(Waited::Done(())) => {}
                Ok(Waited::TimedOut) => self.report(Report::Lost(None)),
                Err(failure) => self.report(Report::Lost(Some(failure))),
            }
        }
        let Self { job, queue, .. } = self;
        let closed = job.pool.wait(Until::Hurried, |hurry| queue.close(hurry).map(Waited::Done));
        closed.map(drop).map_err(|failure| self.failed(failure))
    }

    /// A failure of the queue.
    fn failed(&self, failure: Failure) -> anyhow::Error {
        about(failure, &self.job.supply.name)
    }
}
