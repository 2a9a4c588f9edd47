//! Records on byte streams: where one message ends and the next begins.
//!
//! Every mechanism that keeps the boundaries of messages has the same framings on stdin and
//! stdout. Reading borrows from one buffer and writing gathers in another, so that nothing is
//! allocated for a record once the buffers have grown to hold the longest.

use std::ffi::OsString;
use std::fmt;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;

use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;
use crate::output::Output;
use crate::sys::poll;
use crate::sys::stdio::Stream;
use crate::sys::stream;

/// How records are told apart.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum)]
pub enum Form {
    /// A line each, without its newline
    #[default]
    Line,
    /// Each ends with a NUL
    Null,
    /// All of it is one record; on output nothing is added
    Whole,
    /// A 4-byte little-endian length, then the bytes
    Len4,
    /// A length in decimal, a colon, the bytes, a comma
    Netstring,
}

/// How records are told apart: the options.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Framing {
    /// Records end with NUL instead of newline
    #[arg(short = '0', long, conflicts_with = "frame")]
    null: bool,
    /// How records are told apart
    #[arg(long, value_name = "FORM")]
    frame: Option<Form>,
}

impl Framing {
    /// The form that the options ask for.
    pub fn form(self) -> Form {
        if self.null { Form::Null } else { self.frame.unwrap_or_default() }
    }
}

impl Form {
    /// Gives a record to `put`, in one or a few pieces with what tells it from the next.
    ///
    /// # Errors
    /// Those of `put`. The caller looks at [`Form::longest`] first.
    pub fn encode<E>(
        self,
        record: &[u8],
        mut put: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Line | Self::Null | Self::Whole => {}
            Self::Len4 => put(&(record.len() as u32).to_le_bytes())?,
            Self::Netstring => {
                let mut head = [0; DIGITS + 1];
                let mut rest = &mut head[..];
                // There is room for the digits of any length.
                let _ = write!(rest, "{}:", record.len());
                let unused = rest.len();
                put(&head[..DIGITS + 1 - unused])?;
            }
        }
        put(record)?;
        match self {
            Self::Line => put(b"\n"),
            Self::Null => put(b"\0"),
            Self::Netstring => put(b","),
            Self::Whole | Self::Len4 => Ok(()),
        }
    }

    /// The length of the longest record that it can carry.
    pub fn longest(self) -> usize {
        if self == Self::Len4 { u32::MAX as usize } else { usize::MAX }
    }

    /// The byte that ends a record, where one does.
    fn terminator(self) -> Option<u8> {
        match self {
            Self::Line => Some(b'\n'),
            Self::Null => Some(0),
            Self::Whole | Self::Len4 | Self::Netstring => None,
        }
    }
}

/// The length of a record that is too long for where it goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Length {
    /// This many bytes.
    Exactly(u64),
    /// More than this many; nobody counted further.
    MoreThan(u64),
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(bytes) => write!(f, "{bytes} bytes"),
            Self::MoreThan(bytes) => write!(f, "more than {bytes} bytes"),
        }
    }
}

/// Why there is no next record. What follows such an error cannot be told apart any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReadError {
    /// The descriptor could not be read.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// A record is longer than the caller takes.
    #[error("record of {length} is longer than allowed ({limit})")]
    TooLong {
        /// How long it is.
        length: Length,
        /// How long it may be, in bytes.
        limit: usize,
    },
    /// The stream ends within a record that tells its length.
    #[error("the input ends within a record")]
    CutShort,
    /// There is no netstring where one should begin, or end.
    #[error("the input is not made of netstrings")]
    NotANetstring,
}

/// The records of a descriptor, which may block or not.
#[derive(Debug)]
pub struct Reader<F> {
    source: F,
    form: Form,
    limit: usize,
    buffer: Vec<u8>,
    /// What was read and not yielded: the bytes of `buffer` from here,
    start: usize,
    /// to here.
    end: usize,
    /// How many of these have no terminator among them.
    scanned: usize,
    /// The bytes before these, of a record that is too long to be kept and only counted.
    dropped: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Open,
    /// Nothing more is to be read.
    Ended,
    /// Nothing more is to be yielded.
    Done,
}

/// The first record in what was read.
#[derive(Clone, Copy, Debug)]
enum Found {
    /// So many bytes of framing, of record, and of framing again.
    Record { head: usize, length: usize, tail: usize },
    /// It is longer than allowed.
    TooLong(Length),
    /// Its end is not there yet.
    Part,
    /// There is none, and there will be none.
    End,
}

/// How much is read at first: the memory for more is not worth touching for a message or two.
const READ_AT_FIRST: usize = 8 << 10;

/// How much is read at once where that much comes: what a pipe holds.
const READ_AT_MOST: usize = 64 << 10;

/// How far the bytes of a record that is too long are counted.
const COUNTED: u64 = 1 << 30;

/// The digits of the greatest length that a netstring may tell.
const DIGITS: usize = 20;

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
    /// With a deadline that has passed it never waits: a caller that has something to flush
    /// before it sleeps asks so first. What was read of a record is kept for the next call.
    pub fn next_until(&mut self, deadline: Deadline) -> Result<Waited<Option<&[u8]>>, ReadError> {
        loop {
            match self.find()? {
                Found::Record { head, length, tail } => {
                    let start = self.start + head;
                    self.consume(head + length + tail);
                    return Ok(Waited::Done(Some(&self.buffer[start..start + length])));
                }
                Found::End => return Ok(Waited::Done(None)),
                Found::TooLong(length) => {
                    self.state = State::Done;
                    return Err(ReadError::TooLong { length, limit: self.limit });
                }
                Found::Part => {}
            }
            self.make_room();
            if self.fill(deadline)? == Waited::TimedOut {
                return Ok(Waited::TimedOut);
            }
        }
    }

    /// Whether the next call gives its answer without a system call.
    pub fn has_buffered(&mut self) -> bool {
        !matches!(self.find(), Ok(Found::Part))
    }

    fn pending(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Looks for the first record in what was read.
    fn find(&mut self) -> Result<Found, ReadError> {
        if self.state == State::Done {
            return Ok(Found::End);
        }
        let found = match self.form {
            Form::Line | Form::Null | Form::Whole => Ok(self.find_ended()),
            Form::Len4 => self.find_counted(length_of_len4(self.pending()), 0),
            Form::Netstring => {
                length_of_netstring(self.pending()).and_then(|head| self.find_counted(head, 1))
            }
        };
        if found.is_err() {
            self.state = State::Done;
        }
        found
    }

    /// Looks for a record that a terminator or the end of the stream ends.
    fn find_ended(&mut self) -> Found {
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
            None if self.state == State::Open => Found::Part,
            _ if whole > self.limit as u64 => Found::TooLong(Length::Exactly(whole)),
            Some(_) => Found::Record { head: 0, length, tail: 1 },
            None if length == 0 && self.form != Form::Whole => Found::End,
            None => Found::Record { head: 0, length, tail: 0 },
        }
    }

    /// Keeps only the number of the bytes of a record that is too long, of which `counted` are
    /// known.
    fn drop_pending(&mut self, counted: u64) -> Found {
        let enough = COUNTED.max(self.limit as u64);
        if counted > enough {
            return Found::TooLong(Length::MoreThan(enough));
        }
        self.dropped = counted;
        self.scanned = 0;
        self.start = self.end;
        Found::Part
    }

    /// Looks for a record that `head` bytes in front of it tell the length of.
    fn find_counted(&self, told: Option<Head>, tail: usize) -> Result<Found, ReadError> {
        let pending = self.pending();
        let whole = match told {
            Some(Head { length, .. }) if length > self.limit as u64 => {
                return Ok(Found::TooLong(Length::Exactly(length)));
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

    /// Makes room behind what is pending, where the rest of its record will stand.
    fn make_room(&mut self) {
        let was_filled = self.end == self.buffer.len();
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if was_filled {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let is_full = self.end == self.buffer.len();
        if is_full || was_filled && self.buffer.len() < READ_AT_MOST {
            self.buffer.resize((self.buffer.len() * 2).max(READ_AT_FIRST), 0);
        }
    }

    /// Reads once into the room there is.
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

/// What stands in front of a record that tells its length.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Head {
    size: usize,
    length: u64,
}

fn length_of_len4(bytes: &[u8]) -> Option<Head> {
    let (head, _) = bytes.split_first_chunk::<4>()?;
    Some(Head { size: 4, length: u32::from_le_bytes(*head).into() })
}

/// `None` where it is not all there yet.
fn length_of_netstring(bytes: &[u8]) -> Result<Option<Head>, ReadError> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let too_many = digits > DIGITS || digits > 1 && bytes[0] == b'0';
    match bytes.get(digits) {
        None if !too_many => Ok(None),
        Some(b':') if digits > 0 && !too_many => {
            let digits = std::str::from_utf8(&bytes[..digits]).unwrap_or_default();
            // More than 64 bits can count is more than any limit.
            let length = digits.parse().unwrap_or(u64::MAX);
            Ok(Some(Head { size: digits.len() + 1, length }))
        }
        _ => Err(ReadError::NotANetstring),
    }
}

/// The position of the first such byte, found eight at a time.
///
/// A library that looks for the fastest instructions first takes longer to do so than we take for
/// the messages of most runs.
fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH_BITS: u64 = ONES << 7;
    let pattern = u64::from_ne_bytes([byte; 8]);
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        // The lowest bit set is that of the first byte that is zero in `difference`.
        let difference = u64::from_le_bytes(*word) ^ pattern;
        let zeros = difference.wrapping_sub(ONES) & !difference & HIGH_BITS;
        if zeros != 0 {
            return Some(index * 8 + zeros.trailing_zeros() as usize / 8);
        }
    }
    let position = rest.iter().position(|&other| other == byte)?;
    Some(words.len() * 8 + position)
}

/// The messages that a verb is to send: its operands or, without any, the records of stdin.
#[derive(Debug)]
pub enum Messages {
    /// Those of the command line.
    Operands {
        /// The messages.
        messages: Vec<Vec<u8>>,
        /// How many of them were yielded.
        yielded: usize,
    },
    /// Those of stdin.
    Records(Reader<BorrowedFd<'static>>),
}

impl Messages {
    /// The messages, of at most `limit` bytes each. All operands are looked at first, so that
    /// nothing is sent if one of them is too long.
    pub fn new(operands: Vec<OsString>, form: Form, limit: usize) -> Result<Self, ReadError> {
        if operands.is_empty() {
            return Ok(Self::Records(Reader::new(Stream::Input.fd(), form, limit)));
        }
        if let Some(long) = operands.iter().find(|operand| operand.len() > limit) {
            let length = Length::Exactly(long.len() as u64);
            return Err(ReadError::TooLong { length, limit });
        }
        let messages = operands.into_iter().map(OsString::into_vec).collect();
        Ok(Self::Operands { messages, yielded: 0 })
    }

    /// The next message, waiting for it; `None` at the end.
    pub fn next(&mut self) -> Result<Option<&[u8]>, ReadError> {
        match self {
            Self::Records(reader) => reader.next(),
            Self::Operands { messages, yielded } => {
                *yielded += 1;
                Ok(messages.get(*yielded - 1).map(Vec::as_slice))
            }
        }
    }
}

/// Writes records to stdout.
#[derive(Clone, Copy, Debug)]
pub struct Writer {
    form: Form,
    warned: bool,
}

impl Writer {
    /// A writer of records in this form.
    pub fn new(form: Form) -> Self {
        Self { form, warned: false }
    }

    /// Writes a record. One that the form cannot carry is written as it is, with a warning for
    /// the first of them.
    ///
    /// # Errors
    /// That stdout does not take it, or that its length cannot be told in 4 bytes.
    pub fn write(&mut self, output: &mut Output, record: &[u8]) -> anyhow::Result<()> {
        let limit = self.form.longest();
        if record.len() > limit {
            let length = Length::Exactly(record.len() as u64);
            return Err(ReadError::TooLong { length, limit }.into());
        }
        let terminator = self.form.terminator();
        if !self.warned && terminator.is_some_and(|byte| find(byte, record).is_some()) {
            self.warned = true;
            let what = if self.form == Form::Line { "newline" } else { "NUL" };
            output.warn(format_args!(
                "a message has a {what} in it, which ends one for whoever reads this; \
                 '--frame netstring' keeps messages apart"
            ));
        }
        Ok(self.form.encode(record, |bytes| output.bytes(bytes))?)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use proptest::prelude::*;

    use super::*;

    const FORMS: [Form; 5] = [Form::Line, Form::Null, Form::Whole, Form::Len4, Form::Netstring];

    /// The records of a stream that arrives in pieces of this size, and how it ends.
    fn read_in_pieces(
        form: Form,
        limit: usize,
        stream: &[u8],
        piece: usize,
    ) -> (Vec<Vec<u8>>, Result<(), ReadError>) {
        let (mut near, far) = UnixStream::pair().unwrap();
        let mut reader = Reader::new(far, form, limit);
        let mut pieces = stream.chunks(piece);
        let mut records = Vec::new();
        let mut near = Some(&mut near);
        loop {
            match reader.next_until(Deadline::PASSED) {
                Ok(Waited::Done(Some(record))) => records.push(record.to_vec()),
                Ok(Waited::Done(None)) => return (records, Ok(())),
                Err(error) => return (records, Err(error)),
                Ok(Waited::TimedOut) => match pieces.next() {
                    Some(piece) => near.as_mut().unwrap().write_all(piece).unwrap(),
                    None => {
                        let near = near.take().expect("the end is noticed");
                        near.shutdown(std::net::Shutdown::Write).unwrap();
                    }
                },
            }
        }
    }

    fn read(form: Form, limit: usize, stream: &[u8]) -> (Vec<Vec<u8>>, Result<(), ReadError>) {
        read_in_pieces(form, limit, stream, 4096)
    }

    fn write(form: Form, records: &[Vec<u8>]) -> Vec<u8> {
        let mut stream = Vec::new();
        for record in records {
            let put = |bytes: &[u8]| std::io::Write::write_all(&mut stream, bytes);
            form.encode(record, put).unwrap();
        }
        stream
    }

    fn carries(form: Form, records: &[Vec<u8>]) -> bool {
        match form.terminator() {
            Some(terminator) => !records.concat().contains(&terminator),
            None => form != Form::Whole || records.len() == 1,
        }
    }

    fn too_long(length: Length, limit: usize) -> Result<(), ReadError> {
        Err(ReadError::TooLong { length, limit })
    }

    #[test]
    fn a_line_is_a_record_with_its_newline_or_at_the_end_without() {
        let lines = |stream: &str| read(Form::Line, 9, stream.as_bytes()).0;
        assert_eq!(lines(""), [b""; 0]);
        assert_eq!(lines("\n"), [b""]);
        assert_eq!(lines("a\n\nb"), [b"a".as_slice(), b"", b"b"]);
        assert_eq!(lines("a\0b\n"), [b"a\0b"]);
    }

    #[test]
    fn all_of_a_stream_is_one_record_even_if_it_is_empty() {
        assert_eq!(read(Form::Whole, 9, b"a\nb\n"), (vec![b"a\nb\n".to_vec()], Ok(())));
        assert_eq!(read(Form::Whole, 9, b""), (vec![vec![]], Ok(())));
    }

    #[test]
    fn a_record_that_is_too_long_tells_its_length_and_those_before_it_are_read() {
        for piece in [1, 3, 4096] {
            let read = |form, stream: &[u8]| read_in_pieces(form, 4, stream, piece);
            let long = too_long(Length::Exactly(6), 4);
            assert_eq!(read(Form::Line, b"ok\n123456\nx"), (vec![b"ok".to_vec()], long));
            assert_eq!(read(Form::Line, b"123456"), (vec![], long));
            assert_eq!(read(Form::Whole, b"123456"), (vec![], long));
            assert_eq!(read(Form::Netstring, b"6:"), (vec![], long));
            assert_eq!(read(Form::Len4, b"\x06\0\0\0"), (vec![], long));
            assert_eq!(read(Form::Line, b"1234\n").1, Ok(()));
        }
    }

    #[test]
    fn a_length_beyond_64_bits_is_too_long_and_not_wrapped() {
        let stream = b"18446744073709551617:x,";
        assert_eq!(read(Form::Netstring, 4, stream).1, too_long(Length::Exactly(u64::MAX), 4));
    }

    #[test]
    fn a_stream_that_ends_within_a_counted_record_is_an_error() {
        for (form, stream) in [
            (Form::Len4, b"\x01\0\0\0a\x02\0".as_slice()),
            (Form::Len4, b"\x01\0\0\0a\x02\0\0\0b"),
            (Form::Netstring, b"1:a,2"),
            (Form::Netstring, b"1:a,2:b"),
            (Form::Netstring, b"1:a,1:b"),
        ] {
            let cut = (vec![b"a".to_vec()], Err(ReadError::CutShort));
            assert_eq!(read(form, 9, stream), cut, "{stream:?}");
        }
    }

    #[test]
    fn what_is_no_netstring_is_refused() {
        for stream in ["x", "-1:a,", "01:a,", ":a,", "1:ab", "123456789012345678901", "1 :a,"] {
            let refused = (vec![], Err(ReadError::NotANetstring));
            assert_eq!(read(Form::Netstring, 9, stream.as_bytes()), refused, "{stream}");
        }
    }

    #[test]
    fn a_reader_knows_whether_it_can_answer_at_once() {
        let (mut near, far) = UnixStream::pair().unwrap();
        let mut reader = Reader::new(far, Form::Line, 9);
        assert!(!reader.has_buffered());
        near.write_all(b"a\nb\nc").unwrap();
        assert_eq!(reader.next(), Ok(Some(b"a".as_slice())));
        assert!(reader.has_buffered());
        assert_eq!(reader.next(), Ok(Some(b"b".as_slice())));
        assert!(!reader.has_buffered());
        assert_eq!(reader.next_until(Deadline::PASSED), Ok(Waited::TimedOut));
    }

    #[test]
    fn operands_are_all_looked_at_before_the_first_is_yielded() {
        let operands = |texts: &[&str]| {
            Messages::new(texts.iter().map(OsString::from).collect(), Form::Line, 2)
        };
        assert_eq!(
            operands(&["a", "bcd"]).unwrap_err().to_string(),
            "record of 3 bytes is longer than allowed (2)"
        );
        let mut messages = operands(&["a", ""]).unwrap();
        assert_eq!(messages.next(), Ok(Some(b"a".as_slice())));
        assert_eq!(messages.next(), Ok(Some(b"".as_slice())));
        assert_eq!(messages.next(), Ok(None));
    }

    proptest! {
        #[test]
        fn what_a_form_can_carry_survives_it(
            records in prop::collection::vec(prop::collection::vec(0_u8..12, 0..40), 0..20),
            piece in 1_usize..100,
        ) {
            for form in FORMS.into_iter().filter(|&form| carries(form, &records)) {
                let stream = write(form, &records);
                let read = read_in_pieces(form, 40, &stream, piece);
                prop_assert_eq!(read, (records.clone(), Ok(())), "{:?}", form);
            }
        }

        #[test]
        fn long_records_survive_as_well(size in 0_usize..300_000, piece in 4096_usize..70_000) {
            let records = vec![vec![b'x'; size]];
            for form in FORMS {
                let read = read_in_pieces(form, usize::MAX, &write(form, &records), piece);
                prop_assert!(read == (records.clone(), Ok(())), "{:?}", form);
            }
        }

        #[test]
        fn any_bytes_give_records_or_an_error(
            stream in prop::collection::vec(any::<u8>(), 0..200),
            piece in 1_usize..100,
        ) {
            for form in FORMS {
                let (records, _) = read_in_pieces(form, 50, &stream, piece);
                prop_assert!(records.iter().all(|record| record.len() <= 50));
            }
        }

        #[test]
        fn the_first_byte_of_a_kind_is_found(
            bytes in prop::collection::vec(prop::sample::select(&[0_u8, 1, 9, 10, 11, 127, 128, 138, 255]), 0..40),
            byte in prop::sample::select(&[0_u8, 10, 128, 255]),
        ) {
            let naive = bytes.iter().position(|&other| other == byte);
            prop_assert_eq!(find(byte, &bytes), naive);
        }
    }
}
