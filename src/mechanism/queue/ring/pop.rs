//! Pops one message, or as many as are ready. A popped message is gone, even if the process that
//! popped it is killed at once.

use std::sync::atomic::Ordering;

use crate::base::deadline::Deadline;
use crate::mechanism::robust_lock::Held;
use crate::sys::lock::Lock;
use crate::sys::memory::Reach;

use super::claim::Found;
use super::layout::claim_byte;
use super::record::{Record, Stage, bytes_at};
use super::side::State;
use super::{Backoff, Error, Outcome, Ring};

/// The bytes to write before and after each message of a batch.
pub trait Enclose {
    /// Writes the bytes before a message of this length.
    fn before(&mut self, length: usize, into: &mut Vec<u8>);
    /// Writes the bytes after a message.
    fn after(&mut self, into: &mut Vec<u8>);
    /// Whether the batch has its maximum number of messages.
    #[inline]
    fn is_full(&self) -> bool {
        false
    }
}

/// Writes nothing before and after a message.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

impl Enclose for Plain {
    #[inline]
    fn before(&mut self, _: usize, _: &mut Vec<u8>) {}
    #[inline]
    fn after(&mut self, _: &mut Vec<u8>) {}
}

/// Writes a byte after each message.
#[derive(Clone, Copy, Debug)]
pub struct Lines(pub u8);

impl Enclose for Lines {
    #[inline]
    fn before(&mut self, _: usize, _: &mut Vec<u8>) {}
    #[inline]
    fn after(&mut self, into: &mut Vec<u8>) {
        into.push(self.0);
    }
}

impl Ring {
    /// Appends the next message to `into`, waiting for one until `deadline`.
    #[inline]
    pub fn pop(&self, into: &mut Vec<u8>, deadline: Deadline) -> Result<Outcome, Error> {
        Ok(self.pop_batch(0, &mut Plain, into, deadline)?.map(drop))
    }

    /// Appends the next messages, in one commit, and returns their number: at least one, and more
    /// while all together stay shorter than `limit`. Waits for the first until `deadline`.
    #[inline]
    pub fn pop_batch(
        &self,
        limit: usize,
        enclose: &mut impl Enclose,
        into: &mut Vec<u8>,
        deadline: Deadline,
    ) -> Result<Outcome<usize>, Error> {
        let before = into.len();
        let popped = self.pop_or_wait(before + limit, enclose, into, deadline);
        if !matches!(popped, Ok(Outcome::Done(_))) {
            into.truncate(before);
        }
        popped
    }

    #[inline(always)]
    fn pop_or_wait(
        &self,
        limit: usize,
        enclose: &mut impl Enclose,
        into: &mut Vec<u8>,
        deadline: Deadline,
    ) -> Result<Outcome<usize>, Error> {
        let side = self.pop_side();
        let mut backoff = Backoff::Spin;
        loop {
            let Some(held) = self.lock(side, deadline)? else { return Ok(Outcome::TimedOut) };
            let (head, seq) = side.own();
            let tail = self.known_tail(head)?;
            let (count, state) = self.take_ready(head, tail, limit, enclose, into)?;
            if count > 0 {
                side.commit(seq, state, held);
                self.memory.verify()?;
                return Ok(Outcome::Done(count));
            }
            // The queue is empty, or the message at the head is claimed.
            let (tail, pushes) = self.tail(head)?;
            let held = match self.pop_claimed((head, seq), tail, held, enclose, into)? {
                None => return Ok(Outcome::Done(1)),
                Some(held) => held,
            };
            if self.is_drained(head)? {
                return Ok(Outcome::Closed);
            }
            if deadline.has_passed() {
                return Ok(Outcome::TimedOut);
            }
            let waiting = (&mut backoff, &self.messages);
            let deadline = self.deadline_beside_claims(head, tail, deadline);
            self.wait((self.push_side(), pushes), held, waiting, deadline)?;
        }
    }

    /// Appends the ready messages at the head.
    #[inline(always)]
    fn take_ready(
        &self,
        mut head: State,
        tail: u64,
        limit: usize,
        enclose: &mut impl Enclose,
        into: &mut Vec<u8>,
    ) -> Result<(usize, State), Error> {
        let mut count = 0;
        while head.position != tail {
            let most = tail.wrapping_sub(head.position);
            let record = Record::load(&self.memory, head.position, most)?;
            let length = record.length as usize;
            let is_enough = count > 0 && (into.len() + length >= limit || enclose.is_full());
            if record.stage != Stage::Ready || is_enough {
                break;
            }
            let next = head.after(record.size(), u64::from(record.length));
            // The next message is probably as long. Its lines come while this one is copied and the
            // commit waits.
            self.memory
                .will_read(next.position, record.size().min(tail.wrapping_sub(next.position)));
            self.copy_out(head.position, record, enclose, into)?;
            head = next;
            count += 1;
        }
        Ok((count, head))
    }

    #[inline(always)]
    fn copy_out(
        &self,
        position: u64,
        record: Record,
        enclose: &mut impl Enclose,
        into: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let length = record.length as usize;
        enclose.before(length, into);
        self.memory.append(bytes_at(position), length, into)?;
        enclose.after(into);
        Ok(())
    }

    /// The tail as last seen if there are messages before it, or else the current tail.
    #[inline(always)]
    fn known_tail(&self, head: State) -> Result<u64, Error> {
        let hint = self.pop_side().hint().load(Ordering::Relaxed);
        let ahead = hint.wrapping_sub(head.position);
        let is_known = ahead <= self.capacity() && self.memory.reach() == Reach::Mapping;
        if ahead > 0 && is_known { Ok(hint) } else { Ok(self.tail(head)?.0) }
    }

    /// The tail, and the number of commits of the push side at that moment. The caller holds the
    /// lock.
    #[inline]
    pub(super) fn tail(&self, head: State) -> Result<(u64, u32), Error> {
        let (tail, seq) = self.push_side().peek()?;
        self.span(head, tail)?;
        self.pop_side().hint().store(tail.position, Ordering::Relaxed);
        Ok((tail.position, seq))
    }

    /// Whether the queue is closed and empty.
    #[inline]
    pub(super) fn is_drained(&self, head: State) -> Result<bool, Error> {
        // Load the flag first: no push commits after the flag is set.
        Ok(self.is_closed() && self.tail(head)?.0 == head.position)
    }

    /// Pops a message if the one at the head is not ready: a later one that is ready, or one whose
    /// claim has ended without an acknowledgement. Returns the lock if there is no such message.
    #[cold]
    fn pop_claimed<'a>(
        &'a self,
        (head, seq): (State, u32),
        tail: u64,
        held: Held<'a>,
        enclose: &mut impl Enclose,
        into: &mut Vec<u8>,
    ) -> Result<Option<Held<'a>>, Error> {
        if head.position == tail {
            return Ok(Some(held));
        }
        let is_free = |position| {
            let lock = Lock::of_byte(claim_byte(position)?);
            Ok(!lock.is_excluded(self.memory.file())?)
        };
        let Some(Found { position, record }) = self.find(head.position, tail, is_free)? else {
            return Ok(Some(held));
        };
        self.copy_out(position, record, enclose, into)?;
        self.count_redelivery(record);
        // All messages before this one are claimed or acknowledged.
        self.move_cursor(position.wrapping_add(record.size()));
        self.finish((head, seq), (position, record), tail, held)?;
        self.memory.verify()?;
        Ok(None)
    }
}
