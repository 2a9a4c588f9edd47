//! Records of any length that stay whole among writers which all take the lock of the FIFO: flock(2).
//!
//! The kernel releases the lock of a writer that is killed. So a writer marks the FIFO before a record
//! that it cannot write in one piece, and removes the mark after the record. The writer that finds a
//! mark under the lock learns that the record before its own has no end.

use std::os::fd::AsFd;

use super::{Error, LONGEST_RECORD, Writer};
use crate::base::deadline::{Deadline, Waited};
use crate::sys::lock::{Kind, Lock, Mode, Range};
use crate::sys::write_hint;

const LOCK: Lock =
    Lock { kind: Kind::Flock, mode: Mode::Exclusive, range: Range { start: 0, length: 0 } };

/// The mark: a number that no program gives a FIFO.
const BEGUN: u64 = write_hint::GREATEST;

/// No mark.
const WHOLE: u64 = 0;

/// The outcome of a write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Written {
    /// All of the record is in the FIFO.
    Whole,
    /// Nothing of it is, at the deadline.
    TimedOut,
    /// This many bytes of it are, at the deadline.
    CutShort(usize),
}

/// Writes a record while no other writer that uses this function writes. If the record before it was
/// cut short, it calls `report`, and writes `separator` first. Each wait has the deadline that
/// `deadline` returns.
///
/// # Errors
/// [`Error::ReaderLeft`]; ENOLCK.
pub fn write(
    writer: &Writer,
    record: &[u8],
    separator: &[u8],
    deadline: impl Fn() -> Deadline,
    report: impl FnOnce(),
) -> Result<Written, Error> {
    let fd = writer.as_fd();
    let Some(_lock) = LOCK.guard(&fd, deadline())? else { return Ok(Written::TimedOut) };
    if write_hint::get(fd) == Ok(BEGUN) {
        report();
        if writer.write(separator, deadline())? == Waited::TimedOut {
            return Ok(Written::TimedOut);
        }
        mark(writer, WHOLE);
    }
    let is_long = record.len() > LONGEST_RECORD;
    if is_long {
        mark(writer, BEGUN);
    }
    let (count, written) = writer.write_counted(record, deadline());
    let is_cut_short = written == Ok(Waited::TimedOut) && count > 0;
    if is_long && !is_cut_short {
        mark(writer, WHOLE);
    }
    Ok(match written? {
        Waited::Done(()) => Written::Whole,
        Waited::TimedOut if is_cut_short => Written::CutShort(count),
        Waited::TimedOut => Written::TimedOut,
    })
}

/// Sets or removes the mark. Only the owner of the FIFO can do that; the records of other users are
/// whole as well, but their end is not checked.
fn mark(writer: &Writer, mark: u64) {
    let _ = write_hint::set(writer, mark);
}
