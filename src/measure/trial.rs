//! One measurement: its processes, and the supervision of them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::channel::{Input, Meeting, Output, Side};
use super::control::{Control, SAMPLES};
use super::message::{Depth, LEAST, Loss, Position, Verifier, Writer};
use super::names::Names;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::fork::{self, Child, Ended};
use crate::sys::memfd;
use crate::sys::{cpu, poll, stream, time};

/// What is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Question {
    /// The time of one message: half of the time until the answer of the same size is there.
    Latency,
    /// The time of one message, which is sent at a fixed rate, from the time at which it was due.
    Paced {
        /// Messages a second.
        rate: u64,
    },
    /// The number of messages in a time, in one direction.
    Throughput,
}

/// What a process does while it has to wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pace {
    /// It sleeps in the kernel.
    Blocking,
    /// It tries again at once.
    Spinning,
}

/// A measurement.
#[derive(Clone, Debug)]
pub struct Trial {
    pub question: Question,
    pub pace: Pace,
    /// The length of each message.
    pub size: usize,
    pub senders: usize,
    pub duration: Duration,
    /// The CPUs: the first for the receiver, the others in turn for the senders. None is the choice
    /// of the kernel.
    pub cpus: Vec<usize>,
}

/// The result of a measurement.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The time of each message, in nanoseconds; none for a throughput.
    pub samples: Vec<u64>,
    /// The number of messages that were sent, the warm-up included.
    pub sent: u64,
    /// The number of these that were received.
    pub received: u64,
    /// The number of messages that were received in the time `elapsed`.
    pub timed: u64,
    /// The nanoseconds from the first message until the receiver had the last.
    pub elapsed: u64,
}

/// Why there is no result.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// A system call failed.
    #[error("{0}: {1}")]
    Kernel(&'static str, Errno),
    /// A message is lost or damaged, which must not happen.
    #[error("{0}")]
    Wrong(&'static str),
    /// A process of the measurement reported this.
    #[error("{0}")]
    Reported(String),
    /// The mechanism has no messages of this length.
    #[error("no messages of this length")]
    Unsuitable,
}

impl Error {
    /// Converts an error of a system call on a thing.
    pub fn of(what: &'static str) -> impl Fn(Errno) -> Self + Copy {
        move |errno| Self::Kernel(what, errno)
    }
}

/// The number of messages before those that count. Each is verified whole.
const WARM_UP: u64 = 500;

/// The bytes of these messages, if they are long.
const WARM_UP_BYTES: u64 = 8 << 20;

/// The longest time until all processes are ready, and until they have ended.
const GRACE: Duration = Duration::from_secs(10);

/// Runs a measurement of a mechanism.
pub fn run<M: Meeting>(trial: &Trial) -> Result<Outcome, Error> {
    if trial.size < LEAST {
        return Err(Error::Unsuitable);
    }
    let mut names = Names::default();
    let control = Control::new()?;
    let mut meeting = Some(M::new(trial, &mut names)?);
    let mut processes = Vec::new();
    let senders = (0..trial.senders).map(Side::Sender);
    for side in std::iter::once(Side::Receiver).chain(senders) {
        let meeting = &mut meeting;
        processes.push(Process::start(|| {
            let meeting = meeting.take().ok_or(Error::Wrong("no channel"))?;
            take_part::<M>(meeting, side, trial, &control)
        })?);
    }
    // Only the processes hold the ends, so that each sees the end of the others.
    drop(meeting.take());
    supervise(&mut processes, &control, trial)?;
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
    report: std::os::fd::OwnedFd,
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

/// Starts the processes, stops them when the duration after the warm-up has passed, and waits for their
/// ends.
fn supervise(processes: &mut [Process], control: &Control, trial: &Trial) -> Result<(), Error> {
    let ready = Deadline::after(GRACE);
    while (control.joined().load(Ordering::Acquire) as usize) < processes.len() {
        reap(processes, Deadline::after(Duration::from_millis(1)))?;
        if ready.has_passed() {
            return Err(Error::Wrong("a process did not become ready"));
        }
    }
    control.start();
    let ready = Deadline::after(GRACE);
    while control.begin().load(Ordering::Acquire) == 0 && !ready.has_passed() {
        reap(processes, Deadline::after(Duration::from_millis(1)))?;
    }
    let end = Deadline::after(trial.duration);
    while !end.has_passed() && processes.iter().any(|process| process.child.is_some()) {
        reap(processes, end)?;
    }
    control.stop();
    let end = Deadline::after(GRACE);
    while processes.iter().any(|process| process.child.is_some()) {
        reap(processes, end)?;
        if end.has_passed() {
            return Err(Error::Wrong("a process did not end"));
        }
    }
    Ok(())
}

/// Waits until a process ends, at most until the deadline.
fn reap(processes: &mut [Process], deadline: Deadline) -> Result<(), Error> {
    let descriptors: Vec<_> = processes
        .iter()
        .filter_map(|process| process.child.as_ref())
        .map(|child| std::os::fd::AsFd::as_fd(child.process()))
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
fn take_part<M: Meeting>(
    meeting: M,
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
    let (mut input, mut output) = meeting.join(side, control)?;
    control.join_and_wait()?;
    let verifier = Verifier::new(trial.size, trial.senders, M::LOSS);
    match (trial.question, side) {
        (Question::Latency, Side::Sender(_)) => ask(&mut input, &mut output, trial, control),
        (Question::Latency, Side::Receiver) => answer(&mut input, &mut output, verifier),
        (Question::Throughput, Side::Sender(index)) => {
            send_all(&mut output, Writer::new(trial.size, index), (trial, M::LOSS), control)
        }
        (Question::Throughput, Side::Receiver) => receive_all(&mut input, verifier, trial, control),
        (Question::Paced { rate }, Side::Sender(_)) => {
            send_in_time(&mut output, rate, (trial, M::LOSS), control)
        }
        (Question::Paced { rate }, Side::Receiver) => {
            receive_in_time(&mut input, verifier, (trial, rate), control)
        }
    }
}

fn warm_up(trial: &Trial) -> u64 {
    WARM_UP.min(WARM_UP_BYTES / trial.size as u64).max(10)
}

/// Sends a message, waits for the answer of the same size, and takes half of the time.
fn ask(
    input: &mut impl Input,
    output: &mut impl Output,
    trial: &Trial,
    control: &Control,
) -> Result<(), Error> {
    let mut writer = Writer::new(trial.size, 0);
    let mut verifier = Verifier::new(trial.size, 1, Loss::Refused);
    for _ in 0..warm_up(trial) {
        output.send(writer.next(Position::Inner))?;
        verifier.check(input.receive()?, Depth::Whole)?;
    }
    control.begin().store(time::monotonic(), Ordering::Release);
    let mut has_sample = false;
    loop {
        let is_last = has_sample && control.is_stopped();
        let position = if is_last { Position::Last } else { Position::Inner };
        let message = writer.next(position);
        let begin = time::monotonic();
        output.send(message)?;
        let answer = input.receive()?;
        let end = time::monotonic();
        verifier.check(answer, Depth::Whole)?;
        if is_last {
            return Ok(());
        }
        if !control.add((end - begin) / 2)? {
            control.stop();
        }
        has_sample = true;
    }
}

/// Sends each message back, and verifies it while its sender verifies the answer.
fn answer(
    input: &mut impl Input,
    output: &mut impl Output,
    mut verifier: Verifier,
) -> Result<(), Error> {
    loop {
        let message = input.receive()?;
        output.send(message)?;
        if verifier.check(message, Depth::Whole)? == Position::Last {
            return Ok(());
        }
    }
}

fn send_all(
    output: &mut impl Output,
    mut writer: Writer,
    (trial, loss): (&Trial, Loss),
    control: &Control,
) -> Result<(), Error> {
    for _ in 0..warm_up(trial) {
        output.send(writer.next(Position::Inner))?;
    }
    let mut count = 0;
    while !control.is_stopped() {
        output.send(writer.next(Position::Inner))?;
        count += 1;
    }
    finish_sending(output, &mut writer, loss, control)?;
    control.sent().fetch_add(warm_up(trial) + count + 1, Ordering::AcqRel);
    Ok(())
}

/// Sends the last message; again and again, if the mechanism may lose it.
fn finish_sending(
    output: &mut impl Output,
    writer: &mut Writer,
    loss: Loss,
    control: &Control,
) -> Result<(), Error> {
    output.send(writer.next(Position::Last))?;
    while loss == Loss::Counted && !control.is_finished() {
        time::sleep_until(time::monotonic() + 1_000_000);
        match output.send(writer.again()) {
            // The receiver has ended meanwhile.
            Err(Error::Kernel(_, Errno(libc::ECONNREFUSED | libc::EPIPE))) => {}
            result => result?,
        }
    }
    Ok(())
}

fn receive_all(
    input: &mut impl Input,
    mut verifier: Verifier,
    trial: &Trial,
    control: &Control,
) -> Result<(), Error> {
    let mut left = trial.senders;
    for _ in 0..warm_up(trial) * trial.senders as u64 {
        if verifier.check(input.receive()?, Depth::Whole)? == Position::Last {
            left -= 1;
        }
    }
    let warm = verifier.received;
    control.begin().store(time::monotonic(), Ordering::Release);
    while left > 0 {
        if verifier.check(input.receive()?, Depth::Ends)? == Position::Last {
            left -= 1;
        }
    }
    control.end().store(time::monotonic(), Ordering::Release);
    control.timed().store(verifier.received - warm, Ordering::Release);
    control.received().store(verifier.received, Ordering::Release);
    control.finish();
    Ok(())
}

/// The sleep before a message ends this much before the message is due: the rest is spent spinning,
/// because a timer may be late.
const EARLY: u64 = 100_000;

/// The time at which a message is due, in nanoseconds after the first.
fn due(number: u64, rate: u64) -> u64 {
    (u128::from(number) * 1_000_000_000 / u128::from(rate)) as u64
}

/// Sends messages when they are due. A message that is late is sent at once, and the later ones are
/// due as before, so that a pause counts for each message that it delays.
fn send_in_time(
    output: &mut impl Output,
    rate: u64,
    (trial, loss): (&Trial, Loss),
    control: &Control,
) -> Result<(), Error> {
    let mut writer = Writer::new(trial.size, 0);
    for _ in 0..warm_up(trial) {
        output.send(writer.next(Position::Inner))?;
    }
    let begin = time::monotonic() + 1_000_000;
    control.begin().store(begin, Ordering::Release);
    let mut count = 0;
    while !control.is_stopped() && count < SAMPLES {
        let at = begin + due(count, rate);
        if at > time::monotonic() + EARLY {
            time::sleep_until(at - EARLY);
        }
        while time::monotonic() < at {
            std::hint::spin_loop();
        }
        output.send(writer.next(Position::Inner))?;
        count += 1;
    }
    finish_sending(output, &mut writer, loss, control)?;
    control.sent().store(warm_up(trial) + count + 1, Ordering::Release);
    Ok(())
}

fn receive_in_time(
    input: &mut impl Input,
    mut verifier: Verifier,
    (trial, rate): (&Trial, u64),
    control: &Control,
) -> Result<(), Error> {
    for _ in 0..warm_up(trial) {
        verifier.check(input.receive()?, Depth::Whole)?;
    }
    let warm = warm_up(trial);
    loop {
        let message = input.receive()?;
        let now = time::monotonic();
        if verifier.check(message, Depth::Whole)? == Position::Last {
            break;
        }
        let number = verifier.last_number() - warm - 1;
        let at = control.begin().load(Ordering::Acquire) + due(number, rate);
        control.add(now.saturating_sub(at))?;
    }
    control.end().store(time::monotonic(), Ordering::Release);
    control.timed().store(verifier.received.saturating_sub(warm + 1), Ordering::Release);
    control.received().store(verifier.received, Ordering::Release);
    control.finish();
    Ok(())
}
