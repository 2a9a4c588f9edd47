//! Messages on their way from where they were taken for good to stdout.
//!
//! A message that was taken and not yet written would be lost with us. So signals that would end us
//! are held back from before a message is taken until it is written, and let through only while we
//! wait; and none is taken before stdout has room for it, or after its reader has left. What stdout
//! does not take after all can go back to where it came from. What is left to lose is the messages of
//! one write, to KILL.
//!
//! Of a pipe that holds something it cannot be known that it takes more than PIPE_BUF bytes at once,
//! and of a terminal not even that. So a message may have to wait for its reader halfway. A signal
//! ends that too: what is not written whole goes back.

use std::convert::Infallible;
use std::ops::Range;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::io::frame::{Form, Writer};
use crate::io::output::{Output, Record, Unwritable};
use crate::io::sink::Sink;
use crate::sys::signal::Blocked;

/// How much is gathered for one write.
const GATHERED: usize = 32 << 10;

/// The way to stdout. For as long as it lives, signals wait.
#[derive(Debug)]
pub struct Outbox {
    writer: Writer,
    held: Blocked,
    sink: Sink,
    /// How much stdout takes without waiting, as was seen since it was last written to.
    room: Option<usize>,
    /// What is pending and can go back.
    gathered: Vec<Gathered>,
    /// Where a batch of records begins that is pending, and the lengths of these.
    batch: usize,
    lengths: Vec<u32>,
    unwritten: Vec<Returned>,
}

/// Where a record comes from, to which it can go back.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The priority or type of the message.
    pub priority: i64,
    /// How many bytes of the record stand before the message.
    pub prefix: usize,
}

/// A message of which stdout has taken at most a part.
#[derive(Clone, Debug)]
pub struct Returned {
    /// The message.
    pub bytes: Vec<u8>,
    /// Its priority or type.
    pub priority: i64,
}

/// A message that is pending.
#[derive(Clone, Debug)]
struct Gathered {
    priority: i64,
    /// Where it stands.
    bytes: Range<usize>,
    /// Where its framing ends.
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
    pub fn new(form: Form) -> Result<Self, Unwritable> {
        let held = Blocked::new(Signal::deadly().collect());
        let sink = Sink::of_stdout().map_err(Unwritable)?;
        let writer = Writer::new(form);
        let (gathered, lengths) = (Vec::new(), Vec::new());
        Ok(Self {
            writer,
            held,
            sink,
            room: None,
            gathered,
            batch: 0,
            lengths,
            unwritten: Vec::new(),
        })
    }

    /// Hands on a record that was taken. Several may be gathered until the next wait.
    pub fn write(
        &mut self,
        output: &mut Output,
        record: &[u8],
        origin: Option<Origin>,
    ) -> anyhow::Result<()> {
        let written = self.gather(output, record);
        let Some(Origin { priority, prefix }) = origin else { return written };
        let end = output.pending().len();
        let start = end.checked_sub(self.writer.tail() + record.len());
        match (&written, start) {
            (Ok(()), Some(start)) => {
                let bytes = start + prefix..start + record.len();
                self.gathered.push(Gathered { priority, bytes, end });
            }
            // It was too much to be gathered, and is written.
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

    /// Hands on the records that `take` puts behind what is pending, between [`Gathering::begin`] and
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

    /// How many bytes stdout surely takes without waiting, as was seen when it was last waited for.
    pub fn room(&self) -> usize {
        self.room.unwrap_or(0)
    }

    /// Hands on what is known of a message, as a line of JSON, at once. The message can go back if it
    /// has a priority or type to do so.
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
        self.unwritten.push(Returned { bytes: message.to_vec(), priority });
    }

    /// Writes what was gathered.
    ///
    /// # Errors
    /// That stdout does not take it; what can go back is then [`Outbox::unwritten`].
    pub fn flush(&mut self, output: &mut Output) -> Result<(), Unwritable> {
        self.room = None;
        let (sink, held) = (&self.sink, &self.held);
        let batch = (self.writer.form(), self.batch, &self.lengths);
        let flushed = output.write_out(|bytes| put(sink, held, bytes)).map_err(|failed| {
            self.gathered.extend(places(batch.0, batch.1, batch.2));
            let rest = self.gathered.iter().filter(|message| message.end > failed.written);
            self.unwritten.extend(rest.map(|message| Returned {
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
    pub fn unwritten(&mut self) -> Vec<Returned> {
        std::mem::take(&mut self.unwritten)
    }

    /// Whether a record may be taken, as stdout takes it. What was gathered is written if not: also
    /// where the record, which with all that belongs to it has at most `longest` bytes, may not fit
    /// behind it. `None` is for records that are to be written before the next is taken.
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

    /// Waits until stdout takes something.
    ///
    /// # Errors
    /// That the reader of stdout has left.
    pub fn wait_for_room(&mut self, deadline: Deadline) -> Result<Waited, Unwritable> {
        let waited = self.held.lifted(|| self.look(deadline))?;
        Ok(self.note(waited))
    }

    fn look(&self, deadline: Deadline) -> Result<Waited, Unwritable> {
        self.sink.wait(deadline).map_err(Unwritable)
    }

    fn note(&mut self, waited: Waited) -> Waited {
        self.room = (waited == Waited::Done(())).then(|| self.sink.room());
        waited
    }

    /// Writes what was gathered, then waits with `wait` for more to take.
    pub fn wait<T>(
        &mut self,
        output: &mut Output,
        wait: impl FnOnce() -> T,
    ) -> Result<T, Unwritable> {
        self.flush(output)?;
        Ok(self.held.lifted(wait))
    }
}

/// Writes all of it, waiting for room, and tells how much was written.
///
/// # Errors
/// EINTR if a signal has come that will end us.
fn put(sink: &Sink, held: &Blocked, bytes: &[u8]) -> (usize, Result<(), Errno>) {
    let mut written = 0;
    loop {
        let (count, result) = sink.write(&bytes[written..]);
        written += count;
        if result != Err(Errno(libc::EAGAIN)) {
            return (written, result);
        }
        let signals = held.descriptor_of_effective();
        if let Err(errno) = signals.and_then(|signals| sink.wait_unless(signals)) {
            return (written, Err(errno));
        }
    }
}
