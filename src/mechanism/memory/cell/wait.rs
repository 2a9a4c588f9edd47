//! Waiting for a number in shared memory: futex(2).

use std::ops::Range;
use std::time::Duration;

use super::{Cell, Error, Number};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::units::Timeout;
use crate::mechanism::memory::segment;
use crate::mechanism::memory::segment::{Segment, View};
use crate::sys::poll;

/// The condition that ends a wait.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// The number equals this one.
    Equal(Number),
    /// It differs from this one.
    NotEqual(Number),
    /// It is this one or greater.
    AtLeast(Number),
    /// It differs from its first value.
    Change,
}

impl Condition {
    /// Whether it holds for a number; [`Condition::Change`] needs the number before.
    pub fn holds(self, number: Number) -> bool {
        match self {
            Self::Equal(wanted) => number == wanted,
            Self::NotEqual(wanted) => number != wanted,
            Self::AtLeast(wanted) => number >= wanted,
            Self::Change => false,
        }
    }
}

/// Waits until the condition holds for a number; returns the number. The wait ends with a wake-up of a
/// process that changed it. For processes that change it without one, it is read again at this
/// interval.
///
/// # Errors
/// As [`Cell::window`]; [`segment::Error::Removed`] and [`segment::Error::Shrank`], when the number is
/// read again.
pub fn wait(
    segment: &dyn Segment,
    cell: Cell,
    condition: Condition,
    interval: Timeout,
    deadline: Deadline,
) -> Result<Waited<Number>, Error> {
    let mut wait = Wait { segment, cell, condition, interval, deadline, first: None };
    loop {
        if let Some(waited) = wait.asleep()? {
            return Ok(waited);
        }
        if let Some(waited) = wait.in_hole()? {
            return Ok(waited);
        }
    }
}

/// The longest interval at which a number in a hole is read, where there is no room for the page that
/// a sleep needs.
const IN_HOLE: Duration = Duration::from_millis(50);

/// A wait.
struct Wait<'a> {
    segment: &'a dyn Segment,
    cell: Cell,
    condition: Condition,
    interval: Timeout,
    deadline: Deadline,
    /// The first value, for [`Condition::Change`].
    first: Option<u64>,
}

impl Wait<'_> {
    /// Sleeps on the memory of the number; `None` if there is no memory for it.
    fn asleep(&mut self) -> Result<Option<Waited<Number>>, Error> {
        let (offset, width) = (self.cell.offset, self.cell.format.kind.width());
        let window = self.cell.window(self.segment)?;
        loop {
            // The snapshot comes before the number, so that a change between the two ends the sleep.
            let snapshot = window.snapshot(offset, width);
            let bits = window.load(offset, width);
            match window.verify() {
                Err(Errno(libc::ENOSPC | libc::EIO)) => return Ok(None),
                verified => verified?,
            }
            if let Some(waited) = self.check(bits)? {
                return Ok(Some(waited));
            }
            let again = match self.interval {
                Timeout::Forever => self.deadline,
                Timeout::For(interval) => self.deadline.min(Deadline::after(interval)),
            };
            // Whether it was woken or timed out, the number decides.
            let _ = window.wait(offset, width, snapshot, again)?;
        }
    }

    /// Reads the number at intervals for as long as it is in a hole; `None` when it is not.
    fn in_hole(&mut self) -> Result<Option<Waited<Number>>, Error> {
        let bytes = self.bytes()?;
        let interval = match self.interval {
            Timeout::Forever => IN_HOLE,
            Timeout::For(interval) => interval.min(IN_HOLE),
        };
        loop {
            let mut view = View::new(self.segment, bytes.clone());
            let bits = view.load(self.cell.offset, self.cell.format.kind.width())?;
            if let Some(waited) = self.check(bits)? {
                return Ok(Some(waited));
            }
            if !self.segment.stored(bytes.clone())?.is_empty() {
                return Ok(None);
            }
            let again = self.deadline.min(Deadline::after(interval));
            let _: Waited = poll::any_readable(&[], again)?;
        }
    }

    /// Whether the wait ends, now that the number has these bits.
    fn check(&mut self, bits: u64) -> Result<Option<Waited<Number>>, Error> {
        let size = self.segment.size()?;
        // The rest of the last page stays mapped, and reads as zeros.
        if size < self.cell.offset + self.cell.format.kind.width().bytes() {
            return Err(segment::Error::Shrank.into());
        }
        self.segment.check_not_removed()?;
        let number = self.cell.format.decode(bits);
        let holds = match self.condition {
            Condition::Change => bits != *self.first.get_or_insert(bits),
            condition => condition.holds(number),
        };
        if holds {
            return Ok(Some(Waited::Done(number)));
        }
        Ok(self.deadline.has_passed().then_some(Waited::TimedOut))
    }

    fn bytes(&self) -> Result<Range<u64>, Error> {
        let width = self.cell.format.kind.width().bytes();
        Ok(self.segment.range(self.cell.offset, Some(width))?)
    }
}
