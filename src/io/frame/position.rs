//! The position of a stream within its records, for a program that passes on blocks of any size.

use crate::io::frame::reader::{Head, length_of_len4, length_of_netstring};
use crate::io::frame::{DIGITS, Form, ReadError, find};

/// The position of a stream within its records.
#[derive(Clone, Debug)]
pub struct Position {
    form: Form,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    /// Before a record.
    Start,
    /// Within a record that a terminator ends.
    Within,
    /// Within the bytes before a record, which have its length.
    Head { bytes: [u8; DIGITS + 1], count: usize },
    /// This many bytes before the end of a record.
    Before(u64),
}

impl Position {
    /// The beginning of a stream of records in this form.
    pub fn start(form: Form) -> Self {
        Self { form, place: Place::Start }
    }

    /// Somewhere in a stream of records in this form, probably within a record; `None` if nothing in
    /// the stream tells where the next one begins.
    pub fn unknown(form: Form) -> Option<Self> {
        match form {
            Form::Line | Form::Null => Some(Self { form, place: Place::Within }),
            Form::Whole => Some(Self { form, place: Place::Before(u64::MAX) }),
            Form::Len4 | Form::Netstring => None,
        }
    }

    /// Advances over the next bytes, and calls `begins` with the index of each record that begins in
    /// them.
    ///
    /// # Errors
    /// An error if the bytes are not in the form.
    pub fn advance(
        &mut self,
        bytes: &[u8],
        mut begins: impl FnMut(usize),
    ) -> Result<(), ReadError> {
        let mut index = 0;
        while index < bytes.len() {
            if let Place::Start = self.place {
                begins(index);
                self.place = match self.form {
                    Form::Line | Form::Null => Place::Within,
                    Form::Whole => Place::Before(u64::MAX),
                    Form::Len4 | Form::Netstring => {
                        Place::Head { bytes: [0; DIGITS + 1], count: 0 }
                    }
                };
            }
            index += self.step(&bytes[index..])?;
        }
        Ok(())
    }

    /// Advances over the next bytes; where a terminator ends records, the last byte is enough.
    ///
    /// # Errors
    /// An error if the bytes are not in the form.
    pub fn skip(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        let last = self.form.terminator().and_then(|_| bytes.len().checked_sub(1));
        if last.is_some() {
            self.place = Place::Within;
        }
        self.advance(&bytes[last.unwrap_or(0)..], |_| {})
    }

    /// Advances within a record; returns the number of bytes, which is not 0.
    fn step(&mut self, bytes: &[u8]) -> Result<usize, ReadError> {
        match &mut self.place {
            Place::Start | Place::Within => {
                let end = self.form.terminator().and_then(|byte| find(byte, bytes));
                self.place = if end.is_some() { Place::Start } else { Place::Within };
                Ok(end.map_or(bytes.len(), |end| end + 1))
            }
            Place::Before(left) => {
                let count = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= count as u64;
                if *left == 0 {
                    self.place = Place::Start;
                }
                Ok(count)
            }
            Place::Head { bytes: head, count } => {
                head[*count] = bytes[0];
                *count += 1;
                let (length, trailer) = match self.form {
                    Form::Netstring => (length_of_netstring(&head[..*count])?, 1),
                    _ => (length_of_len4(&head[..*count]), 0),
                };
                match length.map(|Head { length, .. }| length.saturating_add(trailer)) {
                    Some(0) => self.place = Place::Start,
                    Some(left) => self.place = Place::Before(left),
                    None => {}
                }
                Ok(1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The indices at which records begin, if the stream comes in blocks of this size.
    fn starts(form: Form, bytes: &[u8], size: usize) -> Result<Vec<usize>, ReadError> {
        let (mut starts, mut position) = (Vec::new(), Position::start(form));
        for (number, block) in bytes.chunks(size).enumerate() {
            let mut skipped = position.clone();
            position.advance(block, |index| starts.push(number * size + index))?;
            skipped.skip(block)?;
            let next = |mut position: Position| {
                let mut starts = 0;
                position.advance(b"\x01", |_| starts += 1).map(|()| starts)
            };
            assert_eq!(next(skipped), next(position.clone()));
        }
        Ok(starts)
    }

    #[test]
    fn records_begin_at_the_same_places_whatever_the_blocks() {
        for size in 1..12 {
            assert_eq!(starts(Form::Line, b"ab\n\ncd\ne", size), Ok(vec![0, 3, 4, 7]));
            assert_eq!(starts(Form::Null, b"a\0\n\0", size), Ok(vec![0, 2]));
            assert_eq!(starts(Form::Whole, b"a\nb\0c", size), Ok(vec![0]));
            let counted = b"\x02\0\0\0ab\0\0\0\0\x01\0\0\0c";
            assert_eq!(starts(Form::Len4, counted, size), Ok(vec![0, 6, 10]));
            assert_eq!(starts(Form::Netstring, b"2:ab,0:,10:0123456789,", size), Ok(vec![0, 5, 8]));
        }
    }

    #[test]
    fn bytes_that_are_no_netstrings_are_an_error() {
        for bytes in [&b"a"[..], b"1:a,x", b"123456789012345678901234:"] {
            assert_eq!(starts(Form::Netstring, bytes, 3), Err(ReadError::NotANetstring));
        }
    }
}
