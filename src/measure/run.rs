//! The processes of a measurement, and the supervision of them.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::channel::{Meet, Meeting, Side};
use super::control::Control;
use super::message::{LEAST, Verifier, Writer};
use super::names::Names;
use super::part::{answer, ask, receive_all, receive_in_time, send_all, send_in_time};
use super::trial::{Error, Outcome, Question, Trial};
use crate::base::deadline::{Deadline, Waited};
use crate::sys::cleanup::Postponed;
use crate::sys::fork::{self, Child, Ended};
use crate::sys::{cpu, memfd, poll, stream};

/// The longest time until all processes are ready, until the first messages are there, and until all have
/// ended: a slow disk under load takes tens of seconds for them.
const GRACE: Duration = Duration::from_secs(60);

/// Runs a measurement of a mechanism.
pub fn run(trial: &Trial, meet: Meet) -> Result<Outcome, Error> {
    if trial.size < LEAST {
        return Err(Error::Unsuitable);
    }
    let postponed = Postponed::new();
    let mut names = Names::default();
    let control = Control::new()?;
    let mut meeting = Some(meet(trial, &mut names)?);
    let mut processes = Vec::new();
    let senders = (0..trial.senders).map(Side::Sender);
    for side in std::iter::once(Side::Receiver).chain(senders) {
        let meeting = &mut meeting;
        processes.push(Process::start(|| {
            let meeting = meeting.take().ok_or(Error::Wrong("no channel"))?;
            take_part(meeting, side, trial, &control)
        })?);
    }
    // Only the processes hold the ends, so that each sees the end of the others.
    drop(meeting.take());
    supervise(&mut processes, &control, (trial, &postponed))?;
    drop(names);
    let elapsed = control
        .end()
        .load(Ordering::Acquire)
        .saturating_sub(control.begin().load(Ordering::Acquire));
    Ok(Outcome {
        samples: control.samples()?,
        sent: control.sent().load(Ordering::Acquire),
        received: control.received().load(Ordering::Acquire),
        timed: control.timed().load(Ordering::Acquire),
        elapsed,
    })
}

/// A process of a measurement.
struct Process {
    /// `None` when it has ended.
    child: Option<Child>,
    /// Its error message.
    report: OwnedFd,
}

impl Process {
    fn start(work: impl FnOnce() -> Result<(), Error>) -> Result<Self, Error> {
        let report = memfd::new().map_err(Error::of("memfd"))?;
        let child = fork::start(|| match work() {
            Ok(()) => 0,
            Err(error) => {
                // The status reports the failure, if the message cannot be stored.
                let _ = stream::write_at(&report, error.to_string().as_bytes(), 0);
                1
            }
        });
        Ok(Self { child: Some(child.map_err(Error::of("fork"))?), report })
    }

    /// The error of a process that has ended.
    fn verdict(&mut self, child: Child) -> Result<(), Error> {
        match child.wait().map_err(Error::of("waitpid"))? {
            Ended::Exited(0) => Ok(()),
            Ended::Exited(_) => {
                let mut text = vec![0; 512];
                let length = stream::read_at(&self.report, &mut text, 0).unwrap_or(0);
                text.truncate(length);
                Err(Error::Reported(String::from_utf8_lossy(&text).into_owned()))
            }
            Ended::Killed(signal) => {
                Err(Error::Reported(format!("a process was killed by signal {signal}")))
            }
        }
    }
}

/// Lets the processes begin, stops them when the duration after the warm-up has passed, and waits for
/// their ends.
fn supervise(
    processes: &mut [Process],
    control: &Control,
    (trial, postponed): (&Trial, &Postponed),
) -> Result<(), Error> {
    let count = processes.len();
    let mut wait = |limit: Duration, is_over: &dyn Fn(usize) -> bool| {
        // A supervisor that wakes often would be measured too.
        let slice = if limit == GRACE { BRIEF } else { LONG };
        wait_until(processes, postponed, (Deadline::after(limit), slice), is_over)
    };
    let is_ready = |_| control.joined().load(Ordering::Acquire) as usize >= count;
    if !wait(GRACE, &is_ready)? {
        return Err(Error::Wrong("a process did not become ready"));
    }
    control.start();
    if !wait(GRACE, &|left| left == 0 || control.begin().load(Ordering::Acquire) != 0)? {
        return Err(Error::Wrong("the first messages did not arrive"));
    }
    wait(trial.duration, &|left| left == 0)?;
    control.stop();
    match wait(GRACE, &|left| left == 0)? {
        true => Ok(()),
        false => Err(Error::Wrong("a process did not end")),
    }
}

/// The longest time until a condition or a signal is noticed.
const BRIEF: Duration = Duration::from_millis(2);
const LONG: Duration = Duration::from_millis(100);

/// Waits until a condition on the number of running processes holds, and reaps those that end.
/// Returns whether it holds at the deadline.
fn wait_until(
    processes: &mut [Process],
    postponed: &Postponed,
    (deadline, slice): (Deadline, Duration),
    is_over: &dyn Fn(usize) -> bool,
) -> Result<bool, Error> {
    loop {
        if is_over(processes.iter().filter(|process| process.child.is_some()).count()) {
            return Ok(true);
        }
        if postponed.is_wanted() {
            return Err(Error::Wrong("interrupted"));
        }
        if deadline.has_passed() {
            return Ok(false);
        }
        reap(processes, deadline.min(Deadline::after(slice)))?;
    }
}

/// Waits until a process ends, at most until the deadline.
fn reap(processes: &mut [Process], deadline: Deadline) -> Result<(), Error> {
    let descriptors: Vec<_> = processes
        .iter()
        .filter_map(|process| process.child.as_ref())
        .map(|child| child.process().as_fd())
        .collect();
    let waited = poll::any_readable(&descriptors, deadline).map_err(Error::of("poll"))?;
    if waited == Waited::TimedOut {
        return Ok(());
    }
    for process in processes {
        let Some(child) = &process.child else { continue };
        if poll::readable(child.process(), Deadline::PASSED) == Ok(Waited::Done(())) {
            let child = process.child.take().expect("it was there");
            process.verdict(child)?;
        }
    }
    Ok(())
}

/// The work of one process.
fn take_part(
    meeting: Box<dyn Meeting>,
    side: Side,
    trial: &Trial,
    control: &Control,
) -> Result<(), Error> {
    let index = match side {
        Side::Receiver => 0,
        Side::Sender(index) => index + 1,
    };
    if !trial.cpus.is_empty() {
        cpu::pin(trial.cpus[index % trial.cpus.len()]).map_err(Error::of("--cpus"))?;
    }
    let loss = meeting.loss();
    let (mut input, mut output) = meeting.join(side, control)?;
    let (input, output) = (&mut *input, &mut *output);
    control.join_and_wait()?;
    let verifier = Verifier::new(trial.size, trial.senders, loss);
    match (trial.question, side) {
        (Question::Latency, Side::Sender(_)) => ask(input, output, trial, control),
        (Question::Latency, Side::Receiver) => answer(input, output, verifier),
        (Question::Throughput, Side::Sender(index)) => {
            send_all(output, Writer::new(trial.size, index), (trial, loss), control)
        }
        (Question::Throughput, Side::Receiver) => receive_all(input, verifier, trial, control),
        (Question::Paced { rate }, Side::Sender(_)) => {
            send_in_time(output, rate, (trial, loss), control)
        }
        (Question::Paced { rate }, Side::Receiver) => {
            receive_in_time(input, verifier, (trial, rate), control)
        }
    }
}
