//! Copies one stream to several outputs: by tee(2) and splice(2) from a pipe to pipes, by read(2)
//! and write(2) otherwise.
//!
//! tee(2) copies from the head of a pipe and leaves the bytes there. An output that took fewer
//! bytes than another gets the rest after the bytes that all outputs have are consumed. So the
//! slowest output limits the others: they are at most one block ahead of it.
//!
//! An output can join a stream of records, or miss some of it, between two records. For that the bytes
//! are read. If all outputs take all records, tee(2) copies most of the bytes even so: where the next
//! line begins is also known after bytes that were not seen.

mod block;
mod duplicate;
mod output;

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags};
use nix::sys::stat::SFlag;

pub use self::output::{Output, Slow, Why};

use self::block::Block;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::io::frame::{Form, ReadError};
use crate::mechanism::pipe::{CapacityRefused, set_capacity};
use crate::sys::{inode, pipe, poll};

/// The maximum number of bytes to move at a time: half of a large pipe, so that its peer works
/// meanwhile.
const BLOCK: usize = pipe::CAPACITY / 2;

/// How long an output that must not delay the others has for the end of the stream, between two
/// writes to it.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// A stream and its outputs.
#[derive(Debug)]
pub struct Tee<'a> {
    input: BorrowedFd<'a>,
    kind: SFlag,
    /// Whether poll(2) has reported bytes since the last read.
    is_readable: bool,
    /// Whether the input is at its end, while some outputs lack bytes.
    has_ended: bool,
    outputs: Vec<Output<'a>>,
    strategy: Strategy,
    /// The form of the records; `None` for a stream of bytes.
    form: Option<Form>,
    /// Whether the kernel has not refused tee(2) and splice(2) for these descriptors.
    can_duplicate: bool,
    /// The number of bytes after which tee(2) copies no more of a stream of records.
    limit: Option<usize>,
    /// The bytes that were read.
    block: Block,
    moved: u64,
    capacity: Capacity,
    /// The limit of each wait for outputs; `None` is without end.
    patience: Option<Duration>,
    /// A descriptor that stops the stream when it is readable.
    stop: Option<BorrowedFd<'a>>,
}

/// The strategy for copying. Each output counts the bytes that it has taken and another has not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Strategy {
    /// tee(2) from the head of the input, which is a pipe.
    Duplicate,
    /// Writes from a block that was read.
    Copy,
}

/// The capacity of the pipes.
#[derive(Clone, Copy, Debug)]
enum Capacity {
    /// That of the kernel, until many bytes have moved.
    Initial,
    /// As large as the kernel allows without a request.
    Enlarged,
    /// As requested.
    Chosen(u64),
}

/// The reason why a stream has ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// The input is at its end.
    Input,
    /// No output is left.
    Outputs,
    /// An output did not take its bytes in time.
    TimedOut,
    /// The descriptor that stops the stream is readable.
    Stopped,
}

/// The caller of a stream, which learns of outputs that leave, and adds others.
pub trait Watcher<'a> {
    /// The outputs that have appeared since the last call. They get the stream from the next record
    /// on.
    fn arrivals(&mut self) -> Vec<Output<'a>> {
        Vec::new()
    }

    /// An output leaves the stream.
    fn leaves(&mut self, output: Output<'a>, why: Why);
}

impl<'a, F: FnMut(Output<'a>, Why)> Watcher<'a> for F {
    fn leaves(&mut self, output: Output<'a>, why: Why) {
        self(output, why);
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    Moved,
    /// No byte was moved: the input is empty, or the outputs are full.
    Blocked,
    End,
    TimedOut,
    Stopped,
}

impl<'a> Tee<'a> {
    /// A stream from this input to these outputs.
    pub fn new(input: BorrowedFd<'a>, outputs: Vec<Output<'a>>) -> Self {
        let mut tee = Self::by_reading(input, outputs, None);
        if tee.can_duplicate && has_one_consumer(&tee.outputs) {
            tee.strategy = Strategy::Duplicate;
        }
        tee
    }

    /// A stream of records in this form.
    pub fn of_records(input: BorrowedFd<'a>, outputs: Vec<Output<'a>>, form: Form) -> Self {
        Self::by_reading(input, outputs, Some(form))
    }

    fn by_reading(input: BorrowedFd<'a>, outputs: Vec<Output<'a>>, form: Option<Form>) -> Self {
        let kind = inode::kind_of(input);
        Self {
            input,
            kind,
            is_readable: false,
            has_ended: false,
            outputs,
            strategy: Strategy::Copy,
            form,
            can_duplicate: kind == SFlag::S_IFIFO,
            limit: None,
            block: Block::new(form),
            moved: 0,
            capacity: Capacity::Initial,
            patience: None,
            stop: None,
        }
    }

    /// Limits each wait for outputs; `None` is without end.
    pub fn with_patience(self, patience: Option<Duration>) -> Self {
        Self { patience, ..self }
    }

    /// Stops when this descriptor is readable.
    pub fn until_readable(self, stop: Option<BorrowedFd<'a>>) -> Self {
        Self { stop, ..self }
    }

    /// Sets the capacity of each pipe. A pipe with more bytes in it keeps its capacity.
    ///
    /// # Errors
    /// EPERM, EBUSY and others if the kernel refuses it.
    pub fn set_capacity(&mut self, bytes: u64) -> Result<(), CapacityRefused> {
        self.capacity = Capacity::Chosen(bytes);
        let input = Some(self.input).filter(|_| self.kind == SFlag::S_IFIFO);
        let outputs = self.outputs.iter().filter(|output| output.is_pipe()).map(AsFd::as_fd);
        for pipe in input.into_iter().chain(outputs) {
            match set_capacity(pipe, bytes) {
                Ok(()) | Err(CapacityRefused { errno: Errno(libc::EBUSY), .. }) => {}
                Err(refused) => return Err(refused),
            }
        }
        Ok(())
    }

    /// Moves all of the input, and reports each output that leaves the stream, also at its end.
    ///
    /// # Errors
    /// Those of the input.
    pub fn run(mut self, watcher: &mut impl Watcher<'a>) -> Result<Ended, ReadError> {
        let ended = loop {
            let step = match self.step(watcher)? {
                Step::Blocked => self.wait()?,
                step => step,
            };
            let step = match step {
                Step::TimedOut if self.has_ended => self.give_up()?,
                step => step,
            };
            for output in self.outputs.extract_if(.., |output| output.failure().is_some()) {
                let why = output.failure().unwrap_or(Why::Ended);
                watcher.leaves(output, why);
            }
            match step {
                _ if self.outputs.is_empty() => break Ended::Outputs,
                Step::End => break Ended::Input,
                Step::TimedOut => break Ended::TimedOut,
                Step::Stopped => break Ended::Stopped,
                Step::Moved | Step::Blocked => self.enlarge(),
            }
        };
        self.outputs.into_iter().for_each(|output| watcher.leaves(output, Why::Ended));
        Ok(ended)
    }

    fn step(&mut self, watcher: &mut impl Watcher<'a>) -> Result<Step, ReadError> {
        match self.strategy {
            Strategy::Duplicate => self.duplicate(),
            Strategy::Copy => self.copy(watcher),
        }
    }

    /// Enlarges the pipes after the first bytes, so that a short stream saves the calls.
    fn enlarge(&mut self) {
        if matches!(self.capacity, Capacity::Initial) && self.moved >= pipe::CAPACITY_AT_FIRST {
            self.enlarge_now();
        }
    }

    /// Enlarges the pipes, unless their capacity was chosen.
    pub fn enlarge_now(&mut self) {
        if matches!(self.capacity, Capacity::Initial) {
            self.capacity = Capacity::Enlarged;
            pipe::enlarge(self.input);
            self.outputs.iter().for_each(pipe::enlarge);
        }
    }

    /// Adds an output.
    fn add(&mut self, output: Output<'a>) {
        match self.capacity {
            Capacity::Initial => {}
            Capacity::Enlarged => pipe::enlarge(&output),
            // The capacity was accepted for others. At a limit of the user this one keeps its own.
            Capacity::Chosen(bytes) => drop(set_capacity(&output, bytes)),
        }
        self.outputs.push(output);
    }

    /// Records bytes that every output has.
    fn consume(&mut self, count: usize) {
        self.outputs.iter_mut().for_each(|output| output.ahead -= count);
        self.moved += count as u64;
        if self.strategy == Strategy::Duplicate {
            self.limit = self.limit.map(|limit| limit.saturating_sub(count));
        }
    }

    /// The maximum number of bytes that an output has taken.
    fn most(&self) -> usize {
        self.outputs.iter().map(|output| output.ahead).max().unwrap_or(0)
    }

    /// The number of bytes for an output that has taken none.
    fn available(&self) -> usize {
        match self.strategy {
            Strategy::Copy => self.block.length(),
            Strategy::Duplicate if self.most() > 0 => self.most(),
            // If the number is unknown, the next step determines it.
            Strategy::Duplicate => pipe::length(self.input).unwrap_or(1),
        }
    }

    /// Waits for the input unless an output delays it, and for the outputs that lack bytes; in both
    /// cases also for the exit of any reader.
    fn wait(&mut self) -> Result<Step, Errno> {
        let available = self.available();
        let delays = |output: &Output<'_>| output.delays_others() && output.lacks(available);
        let awaits_input = !self.has_ended && !self.outputs.iter().any(delays);
        let idle = self.idle_consumer();
        let events = |index: usize, output: &Output<'_>| match output.lacks(available) {
            true if Some(index) != idle => PollFlags::POLLOUT,
            _ => PollFlags::empty(),
        };
        let outputs = self.outputs.iter().enumerate();
        let outputs = outputs.map(|(index, output)| (output.as_fd(), events(index, output)));
        let mut fds: Vec<_> = outputs.map(|(fd, events)| PollFd::new(fd, events)).collect();
        fds.extend(self.stop.map(|stop| PollFd::new(stop, PollFlags::POLLIN)));
        if awaits_input {
            fds.push(PollFd::new(self.input, PollFlags::POLLIN));
        }
        if poll::any(&mut fds, self.deadline(awaits_input))? == Waited::TimedOut {
            return Ok(Step::TimedOut);
        }
        let reports: Vec<_> =
            fds.iter().map(|fd| fd.revents().unwrap_or(PollFlags::all())).collect();
        let mut reports = reports.into_iter();
        self.outputs.iter_mut().zip(&mut reports).for_each(|(output, report)| output.note(report));
        if self.stop.and_then(|_| reports.next()).is_some_and(|report| !report.is_empty()) {
            return Ok(Step::Stopped);
        }
        Ok(self.note_input(reports.next()))
    }

    fn deadline(&self, awaits_input: bool) -> Deadline {
        let last_wait = Some(LAST_WAIT).filter(|_| self.has_ended);
        match self.patience.or(last_wait) {
            Some(duration) if !awaits_input => Deadline::after(duration),
            _ => Deadline::NEVER,
        }
    }

    /// Uses what poll(2) reports of the input, if that was awaited.
    fn note_input(&mut self, report: Option<PollFlags>) -> Step {
        let Some(report) = report else { return Step::Blocked };
        self.is_readable = !report.is_empty();
        if self.kind == SFlag::S_IFIFO && report == PollFlags::POLLHUP {
            return self.end();
        }
        Step::Blocked
    }

    /// The input is at its end. Outputs may still lack bytes.
    fn end(&mut self) -> Step {
        let available = self.available();
        self.has_ended = self.outputs.iter().any(|output| output.lacks(available));
        if self.has_ended { Step::Blocked } else { Step::End }
    }
}

/// Whether at most one output consumes the bytes at the head of the input, as each does that is not a
/// pipe.
fn has_one_consumer(outputs: &[Output<'_>]) -> bool {
    outputs.iter().filter(|output| !output.is_pipe()).count() <= 1
}

/// Repeats a call while signals interrupt it.
fn again(mut call: impl FnMut() -> Result<usize, Errno>) -> Result<usize, Errno> {
    loop {
        match call() {
            Err(Errno(libc::EINTR)) => {}
            result => return result,
        }
    }
}
