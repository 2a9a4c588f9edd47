//! Waits until the queue can deliver a message, and leaves the message in the queue.

use crate::base::deadline::Deadline;
use crate::sys::lock::Lock;

use super::layout::claim_byte;
use super::record::{Record, Stage};
use super::{Backoff, Error, Outcome, Ring};

impl Ring {
    /// Waits until the queue can deliver a message. Another participant may remove the message
    /// before the call returns. If `is_stopped` returns true, the wait also times out; the call
    /// invokes it each time that the wait is interrupted and at least once a second.
    pub fn wait_for_message(
        &self,
        mut is_stopped: impl FnMut() -> bool,
        deadline: Deadline,
    ) -> Result<Outcome, Error> {
        let mut backoff = Backoff::Spin;
        loop {
            let Some(held) = self.lock(self.pop_side(), deadline)? else {
                return Ok(Outcome::TimedOut);
            };
            let (head, _) = self.pop_side().own();
            let (tail, pushes) = self.tail(head)?;
            if self.has_message(head.position, tail)? {
                return Ok(Outcome::Done(()));
            }
            if self.is_drained(head)? {
                return Ok(Outcome::Closed);
            }
            if deadline.has_passed() || backoff.is_sleep() && is_stopped() {
                return Ok(Outcome::TimedOut);
            }
            let until = self.deadline_beside_claims(head, tail, deadline);
            self.wait((self.push_side(), pushes), held, (&mut backoff, &self.messages), until)?;
        }
    }

    /// Whether the queue can deliver a message. The caller holds the lock.
    fn has_message(&self, head: u64, tail: u64) -> Result<bool, Error> {
        if head == tail {
            return Ok(false);
        }
        let first = Record::load(&self.memory, head, tail.wrapping_sub(head))?;
        let is_free = |position| {
            let lock = Lock::of_byte(claim_byte(position)?);
            Ok(!lock.is_excluded(self.memory.file())?)
        };
        Ok(first.stage == Stage::Ready || self.find(head, tail, is_free)?.is_some())
    }
}
