//! Claims and acknowledgements: if a claim ends without an acknowledgement, the queue delivers the
//! message again.
//!
//! A claim is a lock on a byte of the file, held by an open file description of its own, which
//! COMMAND inherits. The record and the lock decide; the cursor only shortens the search.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::mechanism::mutant::{self, Mutant};
use crate::mechanism::robust_lock::Held;
use crate::sys::lock::Lock;
use crate::sys::memory::Reach;
use crate::sys::{futex, object, time};

use super::layout::{CURSOR, REDELIVERED, SEARCHED, claim_byte};
use super::record::{Record, Stage, bytes_at, store_time};
use super::side::State;
use super::{Backoff, Error, Outcome, Ring};

/// The interval between searches for claims that ended without an acknowledgement.
const SEARCH: Duration = Duration::from_millis(500);

/// The exclusive claim of this process, and of those that inherit the descriptor, on a message.
/// When the last of these descriptors is closed, the queue delivers the message again.
#[derive(Debug)]
pub struct Claim {
    file: OwnedFd,
    position: u64,
    attempts: u32,
}

impl Claim {
    /// The number of times that the message was claimed, this time included.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The position of the message in the queue. No other message ever has it.
    pub fn position(&self) -> u64 {
        self.position
    }
}

impl AsFd for Claim {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// A message that the queue can deliver.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub position: u64,
    pub record: Record,
}

impl Ring {
    /// Claims the next message and appends it to `into`, waiting for one until `deadline`.
    ///
    /// The attempt stays counted even if this process is killed.
    pub fn claim(&self, into: &mut Vec<u8>, deadline: Deadline) -> Result<Outcome<Claim>, Error> {
        let before = into.len();
        let file = object::reopen(self.memory.file())?;
        let claimed = self.claim_or_wait(&file, into, deadline);
        if !matches!(claimed, Ok(Outcome::Done(_))) {
            into.truncate(before);
        }
        Ok(claimed?.map(|(position, attempts)| Claim { file, position, attempts }))
    }

    fn claim_or_wait(
        &self,
        file: &OwnedFd,
        into: &mut Vec<u8>,
        deadline: Deadline,
    ) -> Result<Outcome<(u64, u32)>, Error> {
        let mut backoff = Backoff::Spin;
        loop {
            let Some(held) = self.lock(self.pop_side(), deadline)? else {
                return Ok(Outcome::TimedOut);
            };
            let (head, _) = self.pop_side().own();
            let (tail, pushes) = self.tail(head)?;
            let take = |position| {
                let lock = Lock::of_byte(claim_byte(position)?);
                Ok(lock.wait(file, Deadline::PASSED)? == Waited::Done(()))
            };
            if let Some(found) = self.find(head.position, tail, take)? {
                let attempts = self.mark_claimed(found, into)?;
                drop(held);
                self.memory.verify()?;
                return Ok(Outcome::Done((found.position, attempts)));
            }
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

    fn mark_claimed(
        &self,
        Found { position, record }: Found,
        into: &mut Vec<u8>,
    ) -> Result<u32, Error> {
        self.memory.append(bytes_at(position), record.length as usize, into)?;
        self.count_redelivery(record);
        let claimed = record.claimed();
        store_time(&self.memory, position, now())?;
        claimed.store(&self.memory, position)?;
        self.move_cursor(position.wrapping_add(record.size()));
        Ok(claimed.attempts)
    }

    /// Counts one more attempt for a claimed message, as a new claim would.
    ///
    /// # Errors
    /// [`Error::NotClaimed`] if the lock was released and another participant claimed the message.
    pub fn claim_again(&self, claim: &mut Claim, deadline: Deadline) -> Result<Outcome, Error> {
        self.recount(claim, deadline, Record::claimed)
    }

    /// Takes back the last attempt for a claimed message, which was none. The claim continues.
    ///
    /// # Errors
    /// [`Error::NotClaimed`] if the lock was released and another participant claimed the message.
    pub fn uncount(&self, claim: &mut Claim, deadline: Deadline) -> Result<Outcome, Error> {
        self.recount(claim, deadline, Record::uncounted)
    }

    /// Changes the number of attempts for a claimed message.
    fn recount(
        &self,
        claim: &mut Claim,
        deadline: Deadline,
        change: fn(Record) -> Record,
    ) -> Result<Outcome, Error> {
        let Some(_held) = self.lock(self.pop_side(), deadline)? else {
            return Ok(Outcome::TimedOut);
        };
        let (head, _) = self.pop_side().own();
        let (tail, _) = self.tail(head)?;
        let record = change(self.claimed_record(claim, head.position, tail)?);
        store_time(&self.memory, claim.position, now())?;
        record.store(&self.memory, claim.position)?;
        self.memory.verify()?;
        claim.attempts = record.attempts;
        Ok(Outcome::Done(()))
    }

    /// The record of a claimed message.
    fn claimed_record(&self, claim: &Claim, head: u64, tail: u64) -> Result<Record, Error> {
        let ahead = claim.position.wrapping_sub(head);
        if ahead >= tail.wrapping_sub(head) {
            return Err(Error::NotClaimed);
        }
        let most = tail.wrapping_sub(claim.position);
        let record = Record::load(&self.memory, claim.position, most)?;
        match (record.stage, record.attempts) == (Stage::Taken, claim.attempts) {
            true => Ok(record),
            false => Err(Error::NotClaimed),
        }
    }

    /// Acknowledges a claimed message. The caller can then drop the claim. If the acknowledgement
    /// times out, the claim continues.
    ///
    /// # Errors
    /// [`Error::NotClaimed`] if the lock was released and another participant claimed the message.
    pub fn acknowledge(&self, claim: &Claim, deadline: Deadline) -> Result<Outcome, Error> {
        let Some(held) = self.lock(self.pop_side(), deadline)? else {
            return Ok(Outcome::TimedOut);
        };
        let (head, seq) = self.pop_side().own();
        let (tail, _) = self.tail(head)?;
        let record = self.claimed_record(claim, head.position, tail)?;
        self.finish((head, seq), (claim.position, record), tail, held)?;
        self.memory.verify()?;
        Ok(Outcome::Done(()))
    }

    /// Removes a message and unlocks: moves the head past a message at the head, and marks any
    /// other.
    ///
    /// A message at the head gets no mark: after SIGKILL between the mark and the move, no process
    /// would ever move the head.
    pub(super) fn finish(
        &self,
        (head, seq): (State, u32),
        (position, record): (u64, Record),
        tail: u64,
        held: Held<'_>,
    ) -> Result<(), Error> {
        let is_head = position == head.position;
        if !is_head || mutant::is(Mutant::MarkThenMove) {
            record.done().store(&self.memory, position)?;
        }
        if !is_head {
            drop(held);
            return Ok(());
        }
        let state = self.skip_done(head.after(record.size(), record.length.into()), tail)?;
        let cursor = self.memory.long(CURSOR).load(Ordering::Relaxed);
        if tail.wrapping_sub(cursor) > tail.wrapping_sub(state.position) {
            self.memory.long(CURSOR).store(state.position, Ordering::Relaxed);
        }
        self.pop_side().commit(seq, state, held);
        // The consumers of a closed queue wait for the last acknowledgement.
        if state.position == tail && self.is_closed() {
            futex::wake(self.push_side().seq(), i32::MAX);
        }
        Ok(())
    }

    /// The state after the acknowledged messages that directly follow `state`.
    pub(super) fn skip_done(&self, mut state: State, tail: u64) -> Result<State, Error> {
        while state.position != tail {
            let most = tail.wrapping_sub(state.position);
            let record = Record::load(&self.memory, state.position, most)?;
            if record.stage != Stage::Done {
                break;
            }
            state = state.after(record.size(), record.length.into());
        }
        Ok(state)
    }

    /// Finds the first message that the queue can deliver: a ready one, or one whose claim has
    /// ended. `take` returns whether the byte of the claim is unlocked, and may lock it.
    pub(super) fn find(
        &self,
        head: u64,
        tail: u64,
        mut take: impl FnMut(u64) -> Result<bool, Error>,
    ) -> Result<Option<Found>, Error> {
        let cursor = self.cursor(head, tail);
        if cursor != head && self.is_time_to_search() {
            return self.search(head, tail, &mut take);
        }
        match self.search(cursor, tail, &mut take)? {
            None if cursor != head => {
                self.note_search();
                let found = self.search(head, cursor, &mut take)?;
                self.move_cursor(tail);
                Ok(found)
            }
            found => Ok(found),
        }
    }

    fn search(
        &self,
        mut position: u64,
        end: u64,
        take: &mut impl FnMut(u64) -> Result<bool, Error>,
    ) -> Result<Option<Found>, Error> {
        while position != end {
            let record = Record::load(&self.memory, position, end.wrapping_sub(position))?;
            if record.stage != Stage::Done && take(position)? {
                return Ok(Some(Found { position, record }));
            }
            position = position.wrapping_add(record.size());
        }
        Ok(None)
    }

    /// The position at which to start a search: no message before it is ready, unless the hint is
    /// wrong.
    fn cursor(&self, head: u64, tail: u64) -> u64 {
        let cursor = self.memory.long(CURSOR).load(Ordering::Relaxed);
        let is_within = cursor.wrapping_sub(head) <= tail.wrapping_sub(head);
        if is_within && self.memory.reach() == Reach::Mapping { cursor } else { head }
    }

    /// Moves the cursor forward. The caller holds the lock.
    pub(super) fn move_cursor(&self, to: u64) {
        let cursor = self.memory.long(CURSOR);
        if to.wrapping_sub(cursor.load(Ordering::Relaxed)) as i64 > 0 {
            cursor.store(to, Ordering::Relaxed);
        }
    }

    fn is_time_to_search(&self) -> bool {
        let (now, last) = (now(), self.memory.long(SEARCHED).load(Ordering::Relaxed));
        let is_due = now.wrapping_sub(last) >= SEARCH.as_nanos() as u64;
        if is_due {
            self.note_search();
        }
        is_due
    }

    fn note_search(&self) {
        self.memory.long(SEARCHED).store(now(), Ordering::Relaxed);
    }

    /// Counts a redelivery if the message was claimed before.
    pub(super) fn count_redelivery(&self, record: Record) {
        if record.stage == Stage::Taken {
            // The caller holds the lock, so no increment is lost between the load and the store.
            let count = self.memory.long(REDELIVERED);
            count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        }
    }

    /// The deadline, or the time of the next search: the end of a claim wakes no process.
    pub(super) fn deadline_beside_claims(
        &self,
        head: State,
        tail: u64,
        deadline: Deadline,
    ) -> Deadline {
        if head.position == tail { deadline } else { deadline.min(Deadline::after(SEARCH)) }
    }
}

fn now() -> u64 {
    time::since_boot().as_nanos() as u64
}
