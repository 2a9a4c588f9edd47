//! Reads records from a descriptor that returns pieces of any size.

use std::ops::Range;
use std::os::fd::AsFd;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::io::frame::positions::Positions;
use crate::io::frame::{DIGITS, Form, Length, ReadError, find};
use crate::sys::heap;
use crate::sys::poll;
use crate::sys::stream;

/// The records of a descriptor, which may block or not.
#[derive(Debug)]
pub struct Reader<F> {
    source: F,
    form: Form,
    limit: usize,
    buffer: Vec<u8>,
    /// The bytes that were read and not yielded: those of `buffer` from here,
    start: usize,
    /// to here.
    end: usize,
    /// The number of these bytes that are known to have no terminator.
    scanned: usize,
    /// The number of bytes before these, of a record that is too long and only counted.
    dropped: u64,
    state: State,
    /// The position of the latest record.
    latest: Option<Range<usize>>,
    /// The positions of the records of the latest block.
    block: Vec<Range<usize>>,
}

/// Records that were available at the same time.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    bytes: &'a [u8],
    places: &'a [Range<usize>],
}

impl<'a> Block<'a> {
    /// The number of records.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// The number of bytes from the beginning of the first record to the end of the last.
    pub fn bytes(&self) -> usize {
        match self.places {
            [first, .., last] => last.end - first.start,
            [only] => only.len(),
            [] => 0,
        }
    }

    /// The records after the first `count`.
    pub fn after(&self, count: usize) -> impl Iterator<Item = &'a [u8]> + Clone {
        let (bytes, places) = (self.bytes, self.places);
        places[count..].iter().map(move |place| &bytes[place.clone()])
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Open,
    /// The stream has ended.
    Ended,
    /// The reader yields no more records.
    Done,
}

/// The first record in the bytes that were read.
#[derive(Clone, Copy, Debug)]
enum Found {
    /// The lengths of its framing before, of the record, and of its framing after.
    Record { head: usize, length: usize, tail: usize },
    /// Its end was not read yet.
    Part,
    /// No record is left.
    End,
}

/// The size of the first read. A page fault for more memory does not pay for a message or two.
const READ_AT_FIRST: usize = 8 << 10;

/// The size of later reads: the capacity of a pipe.
const READ_AT_MOST: usize = 64 << 10;

/// The number up to which the bytes of a record that is too long are counted.
const COUNTED: u64 = 1 << 30;

impl<F: AsFd> Reader<F> {
    /// The records of `source`, of at most `limit` bytes each.
    pub fn new(source: F, form: Form, limit: usize) -> Self {
        Self {
            source,
            form,
            limit,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            scanned: 0,
            dropped: 0,
            state: State::Open,
            latest: None,
            block: Vec::new(),
        }
    }

    /// The next record, waiting for it; `None` at the end.
    pub fn next(&mut self) -> Result<Option<&[u8]>, ReadError> {
        match self.next_until(Deadline::NEVER)? {
            Waited::Done(record) => Ok(record),
            Waited::TimedOut => unreachable!("never comes"),
        }
    }

    /// The next record, waiting for it until `deadline`; `None` at the end.
    ///
    /// With a deadline that has passed it never waits: a caller that flushes before it sleeps calls
    /// it so first. The part of a record that was read is kept for the next call.
    pub fn next_until(&mut self, deadline: Deadline) -> Result<Waited<Option<&[u8]>>, ReadError> {
        loop {
            // The bytes after an error cannot be separated.
            match self.find().inspect_err(|_| self.state = State::Done)? {
                Found::Record { head, length, tail } => {
                    let start = self.start + head;
                    self.consume(head + length + tail);
                    self.latest = Some(start..start + length);
                    return Ok(Waited::Done(Some(&self.buffer[start..start + length])));
                }
                Found::End => return Ok(Waited::Done(None)),
                Found::Part => {}
            }
            self.make_room()?;
            if self.fill(deadline)? == Waited::TimedOut {
                return Ok(Waited::TimedOut);
            }
        }
    }

    /// The next record, waiting for it, and the records after it that are available already; `None`
    /// at the end.
    pub fn next_block(&mut self) -> Result<Option<Block<'_>>, ReadError> {
        self.block.clear();
        if self.next()?.is_none() {
            return Ok(None);
        }
        self.block.extend(self.latest.clone());
        // An error belongs to the next call, which finds it again.
        match self.form.terminator() {
            Some(byte) => self.find_all_ended(byte)?,
            None => {
                while let Ok(Found::Record { head, length, tail }) = self.find() {
                    let start = self.start + head;
                    add(start..start + length, &mut self.block)?;
                    self.consume(head + length + tail);
                }
            }
        }
        Ok(Some(Block { bytes: &self.buffer, places: &self.block }))
    }

    /// Adds the available records to the block, each ended by such a byte.
    fn find_all_ended(&mut self, byte: u8) -> Result<(), Errno> {
        let (first, mut start) = (self.start, self.start);
        for position in Positions::new(byte, &self.buffer[first..self.end]) {
            let end = first + position;
            if end - start > self.limit {
                break;
            }
            add(start..end, &mut self.block)?;
            start = end + 1;
        }
        (self.start, self.scanned) = (start, 0);
        Ok(())
    }

    /// Whether the next call returns without a system call.
    pub fn has_buffered(&mut self) -> bool {
        !matches!(self.find(), Ok(Found::Part))
    }

    /// Whether bytes were read that belong to no record yet.
    pub fn has_pending(&self) -> bool {
        !self.pending().is_empty()
    }

    fn pending(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Finds the first record in the bytes that were read.
    fn find(&mut self) -> Result<Found, ReadError> {
        if self.state == State::Done {
            return Ok(Found::End);
        }
        match self.form {
            Form::Line | Form::Null | Form::Whole => self.find_ended(),
            Form::Len4 => self.find_counted(length_of_len4(self.pending()), 0),
            Form::Netstring => {
                length_of_netstring(self.pending()).and_then(|head| self.find_counted(head, 1))
            }
        }
    }

    /// Finds a record that ends with a terminator or with the stream.
    fn find_ended(&mut self) -> Result<Found, ReadError> {
        let pending = &self.buffer[self.start..self.end];
        let terminator = self.form.terminator();
        let position = terminator.and_then(|byte| find(byte, &pending[self.scanned..]));
        let length = position.map_or(pending.len(), |position| self.scanned + position);
        let whole = self.dropped + length as u64;
        self.scanned = length;
        match position {
            None if self.state == State::Open && whole > self.limit as u64 => {
                self.drop_pending(whole)
            }
            None if self.state == State::Open => Ok(Found::Part),
            _ if whole > self.limit as u64 => Err(self.too_long(Length::Exactly(whole))),
            Some(_) => Ok(Found::Record { head: 0, length, tail: 1 }),
            None if length == 0 && self.form != Form::Whole => Ok(Found::End),
            None => Ok(Found::Record { head: 0, length, tail: 0 }),
        }
    }

    fn too_long(&self, length: Length) -> ReadError {
        ReadError::TooLong { length, limit: self.limit }
    }

    /// Drops the bytes of a record that is too long, and keeps their number `counted`.
    fn drop_pending(&mut self, counted: u64) -> Result<Found, ReadError> {
        let enough = COUNTED.max(self.limit as u64);
        if counted > enough {
            return Err(self.too_long(Length::MoreThan(enough)));
        }
        self.dropped = counted;
        self.scanned = 0;
        self.start = self.end;
        Ok(Found::Part)
    }

    /// Finds a record with its length before it.
    fn find_counted(&self, told: Option<Head>, tail: usize) -> Result<Found, ReadError> {
        let pending = self.pending();
        let whole = match told {
            Some(Head { length, .. }) if length > self.limit as u64 => {
                return Err(self.too_long(Length::Exactly(length)));
            }
            // It fits in memory, as the limit does.
            Some(Head { size, length }) => Some((size, length as usize)),
            None => None,
        };
        match whole {
            Some((head, length)) if pending.len() - head >= length.saturating_add(tail) => {
                match pending[head + length..].first() {
                    Some(b',') => {}
                    _ if tail == 0 => {}
                    _ => return Err(ReadError::NotANetstring),
                }
                Ok(Found::Record { head, length, tail })
            }
            _ if self.state == State::Open => Ok(Found::Part),
            None if pending.is_empty() => Ok(Found::End),
            _ => Err(ReadError::CutShort),
        }
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
        self.scanned = 0;
        if self.form == Form::Whole {
            self.state = State::Done;
        }
    }

    /// Makes room after the pending bytes for the rest of the record.
    fn make_room(&mut self) -> Result<(), Errno> {
        let was_filled = self.end == self.buffer.len();
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if was_filled {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let is_full = self.end == self.buffer.len();
        if is_full || was_filled && self.buffer.len() < READ_AT_MOST {
            let length = (self.buffer.len() * 2).max(READ_AT_FIRST);
            heap::lengthen(&mut self.buffer, length)?;
        }
        Ok(())
    }

    /// Reads once into the room after the pending bytes.
    fn fill(&mut self, deadline: Deadline) -> Result<Waited, Errno> {
        if deadline != Deadline::NEVER
            && poll::readable(&self.source, deadline)? == Waited::TimedOut
        {
            return Ok(Waited::TimedOut);
        }
        match stream::read(&self.source, &mut self.buffer[self.end..])? {
            0 => self.state = State::Ended,
            count => self.end += count,
        }
        Ok(Waited::Done(()))
    }
}

/// Adds a record to a block.
#[inline]
fn add(place: Range<usize>, block: &mut Vec<Range<usize>>) -> Result<(), Errno> {
    block.try_reserve(1).map_err(|_| Errno(libc::ENOMEM))?;
    block.push(place);
    Ok(())
}

/// The length before a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Head {
    size: usize,
    pub(super) length: u64,
}

pub(super) fn length_of_len4(bytes: &[u8]) -> Option<Head> {
    let (head, _) = bytes.split_first_chunk::<4>()?;
    Some(Head { size: 4, length: u32::from_le_bytes(*head).into() })
}

/// The length before a netstring; `None` if it was not read completely.
pub(super) fn length_of_netstring(bytes: &[u8]) -> Result<Option<Head>, ReadError> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let too_many = digits > DIGITS || digits > 1 && bytes[0] == b'0';
    match bytes.get(digits) {
        None if !too_many => Ok(None),
        Some(b':') if digits > 0 && !too_many => {
            let digits = std::str::from_utf8(&bytes[..digits]).unwrap_or_default();
            // A length that does not fit into 64 bits is above any limit.
            let length = digits.parse().unwrap_or(u64::MAX);
            Ok(Some(Head { size: digits.len() + 1, length }))
        }
        _ => Err(ReadError::NotANetstring),
    }
}
