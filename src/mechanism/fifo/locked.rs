//! Records of any length that stay whole among writers which all take the lock of the FIFO: flock(2).
//!
//! A writer may be killed within a record that it cannot write in one piece, and the kernel releases its
//! lock. So a writer marks the FIFO before such a record, and removes the mark after the record. The
//! writer that finds a mark under the lock learns that the record before its own has no end. Only the
//! owner of the FIFO and root can set a mark. For the writers of others a guard ends the record.

use std::mem;
use std::os::fd::AsFd;

use super::guard::Guard;
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

/// A writer of records under the lock.
#[derive(Debug)]
pub struct LockedWriter {
    writer: Writer,
    /// The bytes that end a record that was cut short.
    separator: &'static [u8],
    /// `None` if this user may mark the FIFO.
    guard: Option<Guard>,
    /// Whether it has ended the record of a mark that it may not remove.
    has_ended_marked: bool,
}

impl LockedWriter {
    /// A writer that ends records which were cut short by `separator`. If it is killed itself, its guard
    /// calls `report` with the number of the record, or the next writer notices it.
    ///
    /// # Errors
    /// EAGAIN and EMFILE at limits.
    pub fn new(
        writer: Writer,
        separator: &'static [u8],
        report: impl FnOnce(u64),
    ) -> Result<Self, Error> {
        let guard = match write_hint::is_settable(&writer) {
            true => None,
            false => Some(Guard::start(&writer, separator, report)?),
        };
        Ok(Self { writer, separator, guard, has_ended_marked: false })
    }

    /// Writes a record while no other writer of this kind writes. If the record before it was cut short,
    /// it calls `report`, and ends that record first. Each wait has the deadline that `deadline` returns.
    ///
    /// # Errors
    /// [`Error::ReaderLeft`]; ENOLCK.
    pub fn write(
        &mut self,
        record: &[u8],
        number: u64,
        deadline: impl Fn() -> Deadline,
        report: impl FnOnce(),
    ) -> Result<Written, Error> {
        let Self { writer, separator, guard, has_ended_marked } = self;
        let Some(lock) = LOCK.guard(&*writer, deadline())? else { return Ok(Written::TimedOut) };
        let is_marked = write_hint::get(&*writer) == Ok(BEGUN);
        if is_marked && !*has_ended_marked {
            report();
            if writer.write(separator, deadline())? == Waited::TimedOut {
                return Ok(Written::TimedOut);
            }
        }
        *has_ended_marked = is_marked && !mark(writer, WHOLE);
        let is_long = record.len() > LONGEST_RECORD;
        if is_long {
            begin(writer, guard.as_ref(), number)?;
        }
        let (count, written) = writer.write_counted(record, deadline());
        let is_cut_short = written == Ok(Waited::TimedOut) && count > 0;
        match guard {
            _ if !is_long => {}
            None if is_cut_short => {}
            None => {
                mark(writer, WHOLE);
            }
            Some(guard) if is_cut_short => {
                guard.give_up()?;
                // The guard keeps the lock until it has ended the record.
                mem::forget(lock);
            }
            Some(guard) => guard.end()?,
        }
        Ok(match written? {
            Waited::Done(()) => Written::Whole,
            Waited::TimedOut if is_cut_short => Written::CutShort(count),
            Waited::TimedOut => Written::TimedOut,
        })
    }
}

/// Notes that a record begins, for the case that this process is killed.
fn begin(writer: &Writer, guard: Option<&Guard>, number: u64) -> Result<(), Error> {
    match guard {
        Some(guard) => Ok(guard.begin(number)?),
        None => {
            mark(writer, BEGUN);
            Ok(())
        }
    }
}

/// Sets or removes the mark; returns whether this user may do that.
fn mark(writer: &Writer, mark: u64) -> bool {
    write_hint::set(writer.as_fd(), mark).is_ok()
}
