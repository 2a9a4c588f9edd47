//! Small segments on a server: a record whose value is the bytes. A change replaces the record by
//! compare-and-set, so it is atomic for any number of bytes, on any offset.

use std::time::Duration;

use super::{Change, Error, Record, Records};
use crate::base::deadline::{Deadline, Waited};
use crate::mechanism::memory::cell::{Cell, Condition, Number};
use crate::mechanism::memory::segment;

/// How often the record is looked at without a sign of a change.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What a change of a segment does with its bytes; the error of a refusal leaves them as they are.
type Edit<'a, T, E> = &'a mut dyn FnMut(&mut Vec<u8>) -> Result<T, E>;

/// The bytes of a segment.
///
/// # Errors
/// [`Error::NotFound`].
pub fn read(
    records: &mut dyn Records,
    key: &str,
    deadline: Deadline,
) -> Result<Waited<Record>, Error> {
    match records.read(key, deadline)? {
        Waited::Done(record) => record.map(Waited::Done).ok_or(Error::NotFound),
        Waited::TimedOut => Ok(Waited::TimedOut),
    }
}

/// Creates a segment with these bytes.
///
/// # Errors
/// [`Error::Exists`].
pub fn create(
    records: &mut dyn Records,
    key: &str,
    bytes: &[u8],
    deadline: Deadline,
) -> Result<Waited, Error> {
    match records.change(Change::of(key, bytes), deadline)? {
        Waited::Done(Some(_)) => Ok(Waited::Done(())),
        Waited::Done(None) => Err(Error::Exists),
        Waited::TimedOut => Ok(Waited::TimedOut),
    }
}

/// Changes the bytes of a segment, again with those of another process if that was faster. With a
/// fencing token, the change is refused after one with a later token. Returns the result of `edit`, or its
/// refusal.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Fenced`].
pub fn update<T, E>(
    records: &mut dyn Records,
    key: &str,
    fence: Option<u64>,
    deadline: Deadline,
    edit: Edit<'_, T, E>,
) -> Result<Waited<Result<T, E>>, Error> {
    loop {
        let Waited::Done(found) = read(records, key, deadline)? else {
            return Ok(Waited::TimedOut);
        };
        if let Some(fence) = fence.filter(|&fence| fence < found.fence) {
            return Err(Error::Fenced { token: fence, later: found.fence });
        }
        let mut bytes = found.value;
        let result = match edit(&mut bytes) {
            Ok(result) => result,
            Err(refusal) => return Ok(Waited::Done(Err(refusal))),
        };
        let change = Change {
            expected: Some(found.revision),
            fence: fence.unwrap_or(found.fence),
            ..Change::of(key, &bytes)
        };
        match records.change(change, deadline)? {
            Waited::Done(Some(_)) => return Ok(Waited::Done(Ok(result))),
            Waited::Done(None) => {}
            Waited::TimedOut => return Ok(Waited::TimedOut),
        }
    }
}

/// Waits until the condition holds for a number; returns the number.
///
/// # Errors
/// [`Error::NotFound`]; the inner error is that of a number beyond the end.
pub fn wait(
    records: &mut dyn Records,
    key: &str,
    cell: Cell,
    condition: Condition,
    deadline: Deadline,
) -> Result<Waited<Result<Number, segment::Error>>, Error> {
    let mut first = None;
    loop {
        let Waited::Done(found) = read(records, key, deadline)? else {
            return Ok(Waited::TimedOut);
        };
        let bits = match load(&found.value, cell) {
            Ok(bits) => bits,
            Err(error) => return Ok(Waited::Done(Err(error))),
        };
        let number = cell.format.decode(bits);
        let holds = match condition {
            Condition::Change => bits != *first.get_or_insert(bits),
            condition => condition.holds(number),
        };
        if holds {
            return Ok(Waited::Done(Ok(number)));
        }
        if deadline.has_passed() {
            return Ok(Waited::TimedOut);
        }
        let until = deadline.min(Deadline::after(LOOK_AGAIN));
        match records.await_change(key, found.revision, until) {
            Ok(_) | Err(Error::Unanswered) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The bits of a number in a segment.
///
/// # Errors
/// [`segment::Error::BeyondTheEnd`].
pub fn load(bytes: &[u8], cell: Cell) -> Result<u64, segment::Error> {
    let range = range(bytes, cell.offset, cell.format.kind.width().bytes())?;
    let mut bits = [0; 8];
    let place = if cfg!(target_endian = "little") { 0 } else { 8 - range.len() };
    bits[place..][..range.len()].copy_from_slice(&bytes[range]);
    Ok(u64::from_ne_bytes(bits))
}

/// Sets a number in a segment.
///
/// # Errors
/// [`segment::Error::BeyondTheEnd`].
pub fn store(bytes: &mut [u8], cell: Cell, number: Number) -> Result<(), segment::Error> {
    let range = range(bytes, cell.offset, cell.format.kind.width().bytes())?;
    let bits = cell.format.encode(number).to_ne_bytes();
    let place = if cfg!(target_endian = "little") { 0 } else { 8 - range.len() };
    let length = range.len();
    bytes[range].copy_from_slice(&bits[place..][..length]);
    Ok(())
}

/// The part of a segment from an offset on.
///
/// # Errors
/// [`segment::Error::BeyondTheEnd`].
pub fn range(
    bytes: &[u8],
    offset: u64,
    count: u64,
) -> Result<std::ops::Range<usize>, segment::Error> {
    let size = bytes.len() as u64;
    match offset.checked_add(count) {
        Some(end) if end <= size => Ok(offset as usize..end as usize),
        _ => Err(segment::Error::BeyondTheEnd { offset, count: Some(count), size }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanism::memory::cell::{Endian, Format, Type};

    #[test]
    fn numbers_are_stored_where_a_mapped_segment_would_have_them() {
        let mut bytes = vec![0; 12];
        for (kind, endian, offset, integer) in [
            (Type::I32, Endian::Native, 0, -2),
            (Type::U16, Endian::Big, 5, 0x0102),
            (Type::U8, Endian::Little, 11, 255),
        ] {
            let cell = Cell { offset, format: Format { kind, endian } };
            store(&mut bytes, cell, Number::Integer(integer)).unwrap();
            let bits = load(&bytes, cell).unwrap();
            assert_eq!(cell.format.decode(bits), Number::Integer(integer));
        }
        assert_eq!(bytes[..4], (-2_i32).to_ne_bytes());
        assert_eq!((bytes[5], bytes[6], bytes[11]), (1, 2, 255));
    }

    #[test]
    fn a_number_beyond_the_end_is_refused() {
        let format = Format { kind: Type::U64, endian: Endian::Native };
        for offset in [1, 8, u64::MAX] {
            let error = load(&[0; 8], Cell { offset, format }).unwrap_err();
            assert_eq!(error, segment::Error::BeyondTheEnd { offset, count: Some(8), size: 8 });
        }
    }
}
