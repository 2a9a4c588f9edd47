//! Writes dequeued messages to stdout; keeps the messages that could not be written.
//!
//! A message that was received and is not yet written would be lost with the process. So fatal
//! signals are blocked from before a message is received until it is written, and unblocked only
//! while the process waits. No message is received before stdout has room for it, or after the reader
//! of stdout has left. The caller requeues the messages that stdout does not take after all. Only KILL
//! loses messages: those of one write.
//!
//! A pipe that is not empty may take no more than PIPE_BUF bytes at once, and a terminal not even
//! that. So a message may have to wait for its reader halfway. A signal ends that wait too, and the
//! message is one that could not be written.

use std::convert::Infallible;
use std::ops::Range;
use std::os::fd::BorrowedFd;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::io::frame::{Form, Writer};
use crate::io::output::{Output, Record, Unwritable};
use crate::io::sink::Sink;
use crate::sys::signal::Blocked;

/// The number of bytes that are gathered for one write.
const GATHERED: usize = 32 << 10;

/// The way to stdout. Fatal signals are blocked for as long as it lives.
#[derive(Debug)]
pub struct Outbox {
    writer: Writer,
    blocked: Blocked,
    sink: Sink,
    /// The number of bytes that stdout takes without waiting, if it was asked since the last write.
    room: Option<usize>,
    /// The pending messages that can be requeued.
    gathered: Vec<Gathered>,
    /// The start of a pending batch of records, and the lengths of the records.
    batch: usize,
    lengths: Vec<u32>,
    unwritten: Vec<Unwritten>,
}

/// The message in a record that can be requeued.
#[derive(Clone, Copy, Debug)]
pub struct Requeueable {
    /// The priority or type of the message.
    pub priority: i64,
    /// The number of bytes of the record before the message.
    pub prefix: usize,
}

/// A message of which stdout has taken at most a part.
#[derive(Clone, Debug)]
pub struct Unwritten {
    /// The message.
    pub bytes: Vec<u8>,
    /// Its priority or type.
    pub priority: i64,
}

/// A message that is pending.
#[derive(Clone, Debug)]
struct Gathered {
    priority: i64,
    /// Its position.
    bytes: Range<usize>,
    /// The end of its framing.
    end: usize,
}

/// Records that are put behind what is pending.
#[derive(Debug)]
pub struct Gathering<'a> {
    form: Form,
    lengths: &'a mut Vec<u32>,
    /// How many more are wanted.
    left: u64,
}

impl Gathering<'_> {
    /// Takes no more records than so many.
    pub fn at_most(&mut self, count: u64) {
        self.left = count;
    }

    /// Whether no more records are wanted.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.left == 0
    }

    /// Puts what stands before a record of this length.
    #[inline]
    pub fn begin(&mut self, length: usize, pending: &mut Vec<u8>) {
        let Ok(()) = self.form.head(length, |head| {
            pending.extend_from_slice(head);
            Ok::<(), Infallible>(())
        });
        self.lengths.push(length as u32);
        self.left = self.left.saturating_sub(1);
    }

    /// Puts what stands behind a record.
    #[inline]
    pub fn end(&mut self, pending: &mut Vec<u8>) {
        match self.form.trailer() {
            [byte] => pending.push(*byte),
            trailer => pending.extend_from_slice(trailer),
        }
    }
}

/// Where records of these lengths are that follow each other from `start` on.
fn places(form: Form, start: usize, lengths: &[u32]) -> impl Iterator<Item = Gathered> {
    let place = move |start: &mut usize, &length: &u32| {
        let mut head = 0;
        let Ok(()) = form.head(length as usize, |bytes| {
            head = bytes.len();
            Ok::<(), Infallible>(())
        });
        let bytes = *start + head..*start + head + length as usize;
        *start = bytes.end + form.trailer().len();
        Some(Gathered { priority: 0, bytes, end: *start })
    };
    lengths.iter().scan(start, place)
}

impl Outbox {
    /// A way for records in this form.
    ///
    /// # Errors
    /// That nothing can be written to stdout.
    pub fn new(form: Form, stdout: BorrowedFd<'static>) -> Result<Self, Unwritable> {
        let blocked = Blocked::new(Signal::deadly().collect());
        let sink = Sink::new(stdout).map_err(Unwritable)?;
        let writer = Writer::new(form);
        let (gathered, lengths) = (Vec::new(), Vec::new());
        Ok(Self {
            writer,
            blocked,
            sink,
            room: None,
            gathered,
            batch: 0,
            lengths,
            unwritten: Vec::new(),
        })
    }

    /// Writes a record. Several may be gathered until the next wait.
    pub fn write(
        &mut self,
        output: &mut Output,
        record: &[u8],
        message: Option<Requeueable>,
    ) -> anyhow::Result<()> {
        let written = self.gather(output, record);
        let Some(Requeueable { priority, prefix }) = message else { return written };
        let end = output.pending().len();
        let start = end.checked_sub(self.writer.tail() + record.len());
        match (&written, start) {
            (Ok(()), Some(start)) => {
                let bytes = start + prefix..start + record.len();
                self.gathered.push(Gathered { priority, bytes, end });
            }
            // The record was too long to be gathered, and is written.
            (Ok(()), None) => {}
            (Err(_), _) => self.keep(&record[prefix..], priority),
        }
        written
    }

    fn gather(&mut self, output: &mut Output, record: &[u8]) -> anyhow::Result<()> {
        if output.pending().len() + record.len() > GATHERED {
            self.flush(output)?;
        }
        self.writer.write(output, record)
    }

    /// Gathers the records that `take` appends to the pending bytes, between [`Gathering::begin`] and
    /// [`Gathering::end`]; none if it takes its bytes back.
    pub fn gather_batch<T>(
        &mut self,
        output: &mut Output,
        take: impl FnOnce(&mut Vec<u8>, &mut Gathering<'_>) -> T,
    ) -> T {
        let (form, lengths) = (self.writer.form(), &mut self.lengths);
        let start = output.pending().len();
        if lengths.is_empty() {
            self.batch = start;
        }
        let before = lengths.len();
        let mut gathering = Gathering { form, lengths, left: u64::MAX };
        let taken = output.gather(|pending| take(pending, &mut gathering));
        let framed = &output.pending()[start..];
        if framed.is_empty() {
            self.lengths.truncate(before);
        }
        let records = self.lengths.len() - before;
        if self.writer.has_to_look() && form.ends_within_any(framed, records) {
            self.writer.warn(output);
        }
        taken
    }

    /// The number of bytes that stdout takes without waiting, as seen after the last wait for it.
    pub fn room(&self) -> usize {
        self.room.unwrap_or(0)
    }

    /// Writes a message as a line of JSON, at once. The message can be requeued if it has a priority or
    /// a type.
    pub fn write_json(
        &mut self,
        output: &mut Output,
        record: &Record,
        message: &[u8],
        priority: Option<i64>,
    ) -> anyhow::Result<()> {
        let written = output.json(record).and_then(|()| self.flush(output));
        if let (Err(_), Some(priority)) = (&written, priority) {
            self.keep(message, priority);
        }
        Ok(written?)
    }

    fn keep(&mut self, message: &[u8], priority: i64) {
        self.unwritten.push(Unwritten { bytes: message.to_vec(), priority });
    }

    /// Writes the records that were gathered.
    ///
    /// # Errors
    /// That stdout does not take them; the messages to requeue are then [`Outbox::unwritten`].
    pub fn flush(&mut self, output: &mut Output) -> Result<(), Unwritable> {
        self.room = None;
        let (sink, blocked) = (&self.sink, &self.blocked);
        let batch = (self.writer.form(), self.batch, &self.lengths);
        let flushed = output.write_out(|bytes| put(sink, blocked, bytes)).map_err(|failed| {
            self.gathered.extend(places(batch.0, batch.1, batch.2));
            let rest = self.gathered.iter().filter(|message| message.end > failed.written);
            self.unwritten.extend(rest.map(|message| Unwritten {
                bytes: failed.pending[message.bytes.clone()].to_vec(),
                priority: message.priority,
            }));
            failed.error
        });
        self.gathered.clear();
        self.lengths.clear();
        flushed
    }

    /// The messages that stdout did not take.
    pub fn unwritten(&mut self) -> Vec<Unwritten> {
        std::mem::take(&mut self.unwritten)
    }

    /// Whether stdout has room for another record. The gathered records are written first if it has
    /// not, or if the record, which with its framing has at most `longest` bytes, may not fit behind
    /// them. `None` is for records that are written before the next is received.
    ///
    /// # Errors
    /// That the reader of stdout has left.
    pub fn has_room(
        &mut self,
        output: &mut Output,
        longest: Option<usize>,
    ) -> Result<bool, Unwritable> {
        let gathered = output.pending().len();
        let fits =
            |room| gathered < GATHERED && longest.is_some_and(|longest| gathered + longest <= room);
        if self.room.is_some_and(|room| gathered == 0 || fits(room)) {
            return Ok(true);
        }
        self.flush(output)?;
        let waited = self.look(Deadline::PASSED)?;
        Ok(self.note(waited) == Waited::Done(()))
    }

    /// Waits until stdout has room.
    ///
    /// # Errors
    /// That the reader of stdout has left.
    pub fn wait_for_room(&mut self, deadline: Deadline) -> Result<Waited, Unwritable> {
        let waited = self.blocked.lifted(|| self.look(deadline))?;
        Ok(self.note(waited))
    }

    fn look(&self, deadline: Deadline) -> Result<Waited, Unwritable> {
        self.sink.wait(deadline).map_err(Unwritable)
    }

    fn note(&mut self, waited: Waited) -> Waited {
        self.room = (waited == Waited::Done(())).then(|| self.sink.room());
        waited
    }

    /// Writes the records that were gathered, then waits with `wait` for the next message.
    pub fn wait<T>(
        &mut self,
        output: &mut Output,
        wait: impl FnOnce() -> T,
    ) -> Result<T, Unwritable> {
        self.flush(output)?;
        Ok(self.blocked.lifted(wait))
    }
}

/// Writes all of the bytes, waiting for room; returns how many were written.
///
/// # Errors
/// EINTR if a fatal signal has arrived.
fn put(sink: &Sink, blocked: &Blocked, bytes: &[u8]) -> (usize, Result<(), Errno>) {
    let mut written = 0;
    loop {
        let (count, result) = sink.write(&bytes[written..]);
        written += count;
        if result != Err(Errno(libc::EAGAIN)) {
            return (written, result);
        }
        let signals = blocked.descriptor_of_effective();
        if let Err(errno) = signals.and_then(|signals| sink.wait_unless(signals)) {
            return (written, Err(errno));
        }
    }
}
