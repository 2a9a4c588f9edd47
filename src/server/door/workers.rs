//! Processes that answer one call after the other: records on stdin, records on stdout.
//!
//! A worker that writes anything but one answer for each call is replaced: otherwise a caller would get
//! the answer of another one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::io::frame::{Form, ReadError, Reader};
use crate::io::output::Notes;
use crate::mechanism::door::{Content, Reason, Refusal};
use crate::run::job::{Command, told};
use crate::server::door::commands::{RESERVED, failed, too_long};
use crate::server::door::procedure::{Finished, Procedure, Reply, Request, Source};
use crate::server::door::{Terms, ending};
use crate::server::line_limit::LineLimit;
use crate::sys::events::{Events, Interest};
use crate::sys::pidfd::Process;
use crate::sys::spawn::{Child, Streams};
use crate::sys::{heap, pipe, stream};

/// The records that workers get and write besides the argument and the answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Extras {
    /// Before each argument: the process ID, the user and the group of the caller.
    pub callers: bool,
    /// Before each answer: its status.
    pub statuses: bool,
}

/// Workers.
#[derive(Debug)]
pub struct Workers {
    command: Command,
    form: Form,
    extras: Extras,
    terms: Terms,
    /// The workers, by number.
    all: BTreeMap<u64, Worker>,
    /// The number of workers that were started.
    started: u64,
    notes: Notes,
    /// Limits the lines about workers that are replaced.
    replaced: LineLimit,
}

/// A worker that has not been reaped.
#[derive(Debug)]
struct Worker {
    child: Child,
    /// Readable when it has ended; `None` where CHLD has to report that.
    process: Option<Process>,
    /// Its stdin and its stdout; `None` once it takes no more calls.
    ends: Option<Ends>,
    stage: Stage,
}

/// The ends of the pipes of a worker.
#[derive(Debug)]
struct Ends {
    input: OwnedFd,
    /// Whether the events have its stdin.
    is_input_added: bool,
    /// The bytes of the call for it, and how many of them are written.
    pending: Vec<u8>,
    written: usize,
    answers: Reader<OwnedFd>,
    /// The status of the answer, if it was read already.
    status: Option<u8>,
}

/// The state of a worker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    /// It has no call.
    Idle,
    /// It answers the call of this number until then.
    Answering(u64, Deadline),
    /// The same, but the caller has left: the answer is discarded.
    Discarding(Deadline),
    /// It has closed its stdout, and was asked to end until then.
    Closed(Option<u64>, Deadline),
    /// It is replaced, and was asked to end until then.
    Ending(Deadline),
    /// It was killed.
    Killed,
}

impl Stage {
    fn deadline(self) -> Deadline {
        match self {
            Self::Answering(_, until) | Self::Closed(_, until) => until,
            Self::Discarding(until) | Self::Ending(until) => until,
            Self::Idle | Self::Killed => Deadline::NEVER,
        }
    }

    fn is_over(self) -> bool {
        matches!(self, Self::Closed(..) | Self::Ending(_) | Self::Killed)
    }

    /// The call whose caller waits.
    fn call(self) -> Option<u64> {
        match self {
            Self::Answering(call, _) => Some(call),
            Self::Closed(call, _) => call,
            Self::Idle | Self::Discarding(_) | Self::Ending(_) | Self::Killed => None,
        }
    }
}

/// What a worker has written.
enum Written {
    /// An answer: its status and its bytes.
    Answer(u8, Vec<u8>),
    /// Nothing, or a part of an answer.
    Part,
    /// The end.
    End,
}

impl Ends {
    /// Writes the bytes of the call, as far as there is room.
    fn write(&mut self, number: u64, events: &Events) -> Result<(), Errno> {
        let (count, result) = stream::write_at_once(&self.input, &self.pending[self.written..]);
        self.written += count;
        let interest = match result {
            Ok(()) => {
                self.pending = Vec::new();
                self.written = 0;
                Interest::Nothing
            }
            Err(Errno(libc::EAGAIN)) => Interest::Writable,
            Err(errno) => return Err(errno),
        };
        let event = Source::Input.event(number);
        match (interest, self.is_input_added) {
            (Interest::Nothing, false) => Ok(()),
            (_, true) => events.change(&self.input, event, interest),
            (_, false) => {
                self.is_input_added = true;
                events.add(&self.input, event, interest)
            }
        }
    }

    /// Reads an answer, as far as it is there.
    fn read(&mut self, form: Form, extras: Extras, max_size: u64) -> Result<Written, Refusal> {
        loop {
            let record = match self.answers.next_until(Deadline::PASSED) {
                Ok(Waited::TimedOut) => return Ok(Written::Part),
                Ok(Waited::Done(None)) | Err(ReadError::CutShort) => return Ok(Written::End),
                Ok(Waited::Done(Some(record))) => record,
                Err(ReadError::TooLong { .. }) => return Err(too_long("answer", max_size)),
                Err(error) => return Err(Refusal::new(Reason::Failed, error)),
            };
            if extras.statuses && self.status.is_none() {
                let status = std::str::from_utf8(record).ok().and_then(|text| text.parse().ok());
                let words = "the procedure has written a status that is not a number up to 255";
                self.status = Some(status.ok_or_else(|| Refusal::new(Reason::Failed, words))?);
                continue;
            }
            let end: &[u8] = if form == Form::Line { b"\n" } else { b"" };
            return Ok(Written::Answer(self.status.take().unwrap_or(0), [record, end].concat()));
        }
    }

    /// Checks that the worker has written nothing since its answer.
    fn check_silence(&mut self) -> Result<(), Refusal> {
        if self.status.is_some() || self.answers.has_pending() {
            return Err(Refusal::new(Reason::Failed, "it has written more than one answer"));
        }
        Ok(())
    }
}

impl Workers {
    /// Finds the COMMAND.
    pub fn new(
        words: &[OsString],
        form: Form,
        extras: Extras,
        terms: Terms,
        notes: Notes,
    ) -> anyhow::Result<Self> {
        let command = Command::new(words)?.without(RESERVED).in_own_group();
        let (all, replaced) = (BTreeMap::new(), LineLimit::default());
        Ok(Self { command, form, extras, terms, all, started: 0, notes, replaced })
    }

    /// The number of workers that are not being replaced.
    fn count(&self) -> usize {
        self.all.values().filter(|worker| !worker.stage.is_over()).count()
    }

    /// The number of a worker without a call.
    fn idle(&mut self, events: &Events) -> Result<u64, Refusal> {
        let mut idle = self.all.iter().filter(|(_, worker)| worker.stage == Stage::Idle);
        match idle.next() {
            Some((&number, _)) => Ok(number),
            None => self.start_worker(events).map_err(failed),
        }
    }

    fn start_worker(&mut self, events: &Events) -> Result<u64, Errno> {
        let (far_input, input) = pipe::new()?;
        pipe::make_non_blocking(&input)?;
        let (output, far_output) = pipe::new_for_events()?;
        let streams = Streams { output: Some(far_output.as_fd()), ..Streams::reading(&far_input) };
        let variables = [("IPC_DOOR_COOKIE", self.terms.cookie.as_bytes())];
        let child = self.command.start(streams, &variables)?;
        self.started += 1;
        let number = self.started;
        events.add(&output, Source::Output.event(number), Interest::Readable)?;
        let event = Source::Process.event(number);
        let process = child
            .process()
            .ok()
            .filter(|process| events.add(process, event, Interest::Readable).is_ok());
        let limit = usize::try_from(self.terms.max_size).unwrap_or(usize::MAX);
        let ends = Ends {
            input,
            is_input_added: false,
            pending: Vec::new(),
            written: 0,
            answers: Reader::new(output, self.form, limit.min(isize::MAX as usize)),
            status: None,
        };
        self.all.insert(number, Worker { child, process, ends: Some(ends), stage: Stage::Idle });
        Ok(number)
    }

    /// The bytes of a call for a worker.
    fn framed(&self, request: Request<'_>) -> Result<Vec<u8>, Refusal> {
        let mut argument = request.argument.into_bytes().map_err(failed)?;
        if self.form == Form::Line {
            argument.pop_if(|last| *last == b'\n');
        }
        if self.form.ends_within(&argument) || argument.len() > self.form.longest() {
            let words = "the argument has the byte that ends an argument of this procedure";
            return Err(Refusal::new(Reason::Malformed, words));
        }
        let mut framed = Vec::new();
        let mut put = |piece: &[u8]| heap::append(&mut framed, piece);
        if self.extras.callers {
            let caller = request.caller.map_or(String::new(), |caller| {
                format!("{} {} {}", caller.pid, caller.uid, caller.gid)
            });
            self.form.encode(caller.as_bytes(), &mut put).map_err(failed)?;
        }
        self.form.encode(&argument, &mut put).map_err(failed)?;
        Ok(framed)
    }

    /// Replaces a worker, and refuses its call: it is asked to end, and the next call starts another.
    fn replace(&mut self, number: u64, why: Refusal) -> Option<Finished> {
        let worker = self.all.get_mut(&number)?;
        let call = worker.stage.call();
        worker.ends = None;
        worker.stage = Stage::Ending(ending::terminate(&worker.child));
        let (pid, notes) = (worker.child.pid(), &self.notes);
        let line = format_args!("worker {pid} is replaced: {}", why.words);
        self.replaced.line(line, |line| notes.warn(line));
        call.map(|call| (call, Err(why)))
    }

    /// Reads what a worker has written.
    fn read(&mut self, number: u64) -> Option<Finished> {
        let Worker { child, ends, stage, .. } = self.all.get_mut(&number)?;
        let own = ends.as_mut()?;
        match own.read(self.form, self.extras, self.terms.max_size) {
            Ok(Written::Answer(..)) if *stage == Stage::Idle => {
                let why = "it has written an answer without a call";
                self.replace(number, Refusal::new(Reason::Failed, why))
            }
            Ok(Written::Part) if *stage == Stage::Idle => {
                let silence = own.check_silence();
                silence.err().and_then(|why| self.replace(number, why))
            }
            Ok(Written::Part) => None,
            Ok(Written::End) => {
                *stage = Stage::Closed(stage.call(), ending::terminate(child));
                *ends = None;
                self.reap(number)
            }
            Ok(Written::Answer(status, answer)) => {
                let call = stage.call();
                *stage = Stage::Idle;
                let silence = own.check_silence();
                let _: Option<Finished> = silence.err().and_then(|why| self.replace(number, why));
                let contents = [Content::Bytes(answer), Content::default()];
                call.map(|call| (call, Ok(Reply { status, contents })))
            }
            Err(why) => self.replace(number, why),
        }
    }

    /// Writes more of a call to its worker.
    fn write(&mut self, number: u64, events: &Events) -> Option<Finished> {
        let ends = self.all.get_mut(&number)?.ends.as_mut()?;
        let written = ends.write(number, events);
        written.err().and_then(|errno| {
            let words = format!("the procedure's process does not read its stdin: {errno}");
            self.replace(number, Refusal::new(Reason::Failed, words))
        })
    }

    /// Removes a worker that has ended, and refuses its call.
    fn reap(&mut self, number: u64) -> Option<Finished> {
        let worker = self.all.get_mut(&number)?;
        let status = match worker.child.try_wait() {
            Ok(None) => return None,
            status => status.ok().flatten(),
        };
        let worker = self.all.remove(&number)?;
        let how = status.map_or("ended".to_owned(), told);
        if !matches!(worker.stage, Stage::Ending(_) | Stage::Killed) {
            let (pid, notes) = (worker.child.pid(), &self.notes);
            let line = format_args!("worker {pid} {how}; the next call starts another");
            self.replaced.line(line, |line| notes.warn(line));
        }
        let words = format!("the procedure's process {how} before it answered");
        worker.stage.call().map(|call| (call, Err(Refusal::new(Reason::Failed, words))))
    }

    /// Does what is due for a worker.
    fn tick_worker(&mut self, number: u64) -> Option<Finished> {
        let worker = self.all.get_mut(&number)?;
        match worker.stage {
            Stage::Idle | Stage::Killed => None,
            Stage::Answering(..) | Stage::Discarding(_) => {
                self.replace(number, self.terms.timed_out())
            }
            Stage::Closed(call, _) => {
                ending::kill(&worker.child);
                worker.stage = Stage::Killed;
                let words = "the procedure's process has closed its stdout";
                call.map(|call| (call, Err(Refusal::new(Reason::Failed, words))))
            }
            Stage::Ending(_) => {
                ending::kill(&worker.child);
                worker.stage = Stage::Killed;
                None
            }
        }
    }
}

impl Procedure for Workers {
    fn start(&mut self, events: &Events) -> Result<(), Errno> {
        self.start_worker(events).map(drop)
    }

    fn has_room(&self) -> bool {
        let mut stages = self.all.values().map(|worker| worker.stage);
        stages.any(|stage| stage == Stage::Idle) || self.count() < self.terms.max_calls
    }

    fn begin(&mut self, request: Request<'_>, events: &Events) -> Result<Option<Reply>, Refusal> {
        let call = request.number;
        let framed = self.framed(request)?;
        let number = self.idle(events)?;
        let until = self.terms.call_deadline();
        let worker = self.all.get_mut(&number);
        let Some(Worker { stage, ends: Some(ends), .. }) = worker else { return Ok(None) };
        *stage = Stage::Answering(call, until);
        ends.pending = framed;
        match self.write(number, events) {
            Some((_, Err(refusal))) => Err(refusal),
            _ => Ok(None),
        }
    }

    fn abandon(&mut self, number: u64) {
        for worker in self.all.values_mut().filter(|worker| worker.stage.call() == Some(number)) {
            worker.stage = match worker.stage {
                Stage::Answering(_, until) => Stage::Discarding(until),
                Stage::Closed(_, until) => Stage::Closed(None, until),
                stage => stage,
            };
        }
    }

    fn ready(&mut self, source: Source, number: u64, events: &Events) -> Option<Finished> {
        match source {
            Source::Output => self.read(number),
            Source::Input => self.write(number, events),
            Source::Process => {
                // An answer may be there that was written just before the end.
                let answered = self.read(number);
                answered.or_else(|| self.reap(number))
            }
            Source::Caller | Source::Errors => None,
        }
    }

    fn children_changed(&mut self, _events: &Events) -> Vec<Finished> {
        let without = self.all.iter().filter(|(_, worker)| worker.process.is_none());
        let numbers: Vec<u64> = without.map(|(&number, _)| number).collect();
        numbers.into_iter().filter_map(|number| self.reap(number)).collect()
    }

    fn deadline(&self) -> Deadline {
        let deadlines = self.all.values().map(|worker| worker.stage.deadline());
        deadlines.fold(Deadline::NEVER, Deadline::min)
    }

    fn tick(&mut self, _events: &Events) -> Vec<Finished> {
        let due = self.all.iter().filter(|(_, worker)| worker.stage.deadline().has_passed());
        let due: Vec<u64> = due.map(|(&number, _)| number).collect();
        due.into_iter().filter_map(|number| self.tick_worker(number)).collect()
    }

    fn busy(&self) -> Vec<i32> {
        let busy = self.all.values().filter(|worker| worker.stage != Stage::Idle);
        busy.map(|worker| worker.child.pid()).collect()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // A worker that reads its stdin sees the end.
        self.all.values_mut().for_each(|worker| worker.ends = None);
        ending::finish(self.all.values_mut().map(|worker| &mut worker.child));
    }
}
