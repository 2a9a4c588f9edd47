//! Writes dequeued messages to stdout; keeps the messages that could not be written.
//!
//! A message that was received and is not yet written would be lost with the process. So fatal
//! signals are blocked from before a message is received until it is written, and unblocked only
//! while the process waits. No message is received before stdout has room for it, or after the
//! reader of stdout has closed it. If stdout still does not take a message, the caller requeues it.
//! Only KILL loses messages: those of one write.
//!
//! A pipe to which other processes write too may take at most PIPE_BUF bytes at a time, and a terminal
//! even fewer. So a write may block in the middle of a message. A signal ends that wait too, and the message
//! counts as not written.

use std::convert::Infallible;
use std::ops::Range;
use std::os::fd::BorrowedFd;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::io::frame::{Form, Writer};
use crate::io::output::{Output, Properties, Unwritable};
use crate::io::sink::Sink;
use crate::sys::pipe;
use crate::sys::signal::Blocked;

/// The number of bytes that are gathered for one write.
const GATHERED: usize = 32 << 10;

/// A writer to stdout. It blocks fatal signals until it is dropped.
#[derive(Debug)]
pub struct Outbox {
    writer: Writer,
    blocked: Blocked,
    sink: Sink,
    /// The number of bytes that stdout takes without waiting, if it was determined since the last
    /// write.
    room: Option<usize>,
    /// The pending messages that can be requeued.
    gathered: Vec<Gathered>,
    /// The start of a pending batch of records, and the lengths of the records.
    batch: usize,
    lengths: Vec<u32>,
    unwritten: Vec<Unwritten>,
    /// The number of bytes after which it enlarges a pipe; `None` is never.
    enlarges_after: Option<u64>,
}

/// The message in a record that can be requeued.
#[derive(Clone, Copy, Debug)]
pub struct Requeueable {
    /// The priority or type of the message.
    pub priority: i64,
    /// The number of bytes of the record before the message.
    pub prefix: usize,
}

/// A message that stdout has taken in part or not at all.
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

/// Records that are appended to the pending bytes.
#[derive(Debug)]
pub struct Gathering<'a> {
    form: Form,
    lengths: &'a mut Vec<u32>,
    /// The number of records still wanted.
    left: u64,
}

impl Gathering<'_> {
    /// Limits the records to this number.
    pub fn at_most(&mut self, count: u64) {
        self.left = count;
    }

    /// Whether no more records are wanted.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.left == 0
    }

    /// Appends the framing before a record of this length.
    #[inline]
    pub fn begin(&mut self, length: usize, pending: &mut Vec<u8>) {
        let Ok(()) = self.form.head(length, |head| {
            pending.extend_from_slice(head);
            Ok::<(), Infallible>(())
        });
        self.lengths.push(length as u32);
        self.left = self.left.saturating_sub(1);
    }

    /// Appends the framing after a record.
    #[inline]
    pub fn end(&mut self, pending: &mut Vec<u8>) {
        match self.form.trailer() {
            [byte] => pending.push(*byte),
            trailer => pending.extend_from_slice(trailer),
        }
    }
}

/// The positions of records of these lengths that are contiguous from `start`.
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
    /// An outbox for records in this form.
    ///
    /// # Errors
    /// EBADF if stdout is not open for writing.
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
            enlarges_after: None,
        })
    }

    /// Enlarges stdout, if it is a pipe, when many bytes were written. A reader that is killed loses
    /// what is in the pipe.
    pub fn enlarge_for_many(&mut self) {
        self.enlarges_after = Some(pipe::CAPACITY_AT_FIRST);
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
            // The record was too long to be gathered, and is written already.
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

    /// Gathers the records that `take` appends to the pending bytes, between [`Gathering::begin`]
    /// and [`Gathering::end`]; none if `take` removes its bytes again.
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

    /// The number of bytes that stdout takes without waiting, as of the last wait for it.
    pub fn room(&self) -> usize {
        self.room.unwrap_or(0)
    }

    /// Writes a message as a line of JSON, at once. The message can be requeued if it has a
    /// priority or a type.
    pub fn write_json(
        &mut self,
        output: &mut Output,
        record: &Properties<'_>,
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
    /// EPIPE, ENOSPC and others of stdout; the messages to requeue are then [`Outbox::unwritten`].
    pub fn flush(&mut self, output: &mut Output) -> Result<(), Unwritable> {
        self.room = None;
        self.count(output.pending().len() as u64);
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

    /// Counts bytes that are written next, and enlarges a pipe when they become many.
    fn count(&mut self, bytes: u64) {
        match self.enlarges_after {
            Some(left) if left > bytes => self.enlarges_after = Some(left - bytes),
            Some(_) => {
                self.enlarges_after = None;
                self.sink.enlarge();
            }
            None => {}
        }
    }

    /// The messages that stdout did not take.
    pub fn unwritten(&mut self) -> Vec<Unwritten> {
        std::mem::take(&mut self.unwritten)
    }

    /// Whether stdout has room for another record. The gathered records are written first if it has
    /// none, or if the record, which with its framing has at most `longest` bytes, may not fit
    /// after them. `None` is for records that are written before the next is received.
    ///
    /// # Errors
    /// EPIPE if the reader of stdout has closed it.
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
    /// EPIPE if the reader of stdout has closed it.
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

/// Writes all of the bytes, waiting for room; returns the number of bytes written.
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
