//! Checking whether a queue is whole, and repairing what provably loses nothing.

use std::sync::atomic::Ordering;

use crate::base::deadline::Deadline;
use crate::mechanism::robust_lock::free_if_dead;

use super::layout::{CURSOR, POP, PUSH};
use super::record::{Record, Stage};
use super::side::{Side, State};
use super::{Error, Memory, Outcome, Ring};

/// What to do about what is found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Repair {
    /// Nothing.
    Never,
    /// Repair what provably loses nothing.
    WhatIsSafe,
}

/// Something that is not as it should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Finding {
    /// A lock is held by a thread that does not exist. Its next user repairs it after a second.
    DeadLock,
    /// A message at the head is acknowledged, and its space is never used again. Repaired by moving
    /// the head.
    DoneAtHead,
    /// The cursor of claims is between two messages. Repaired by a search from the head.
    WrongCursor,
    /// The position that a side remembers of the other one is impossible. Repaired by looking.
    WrongHint,
    /// The messages are damaged, which is not repaired: it is unknown which bytes are messages.
    Damaged(&'static str),
}

impl Finding {
    /// Whether it can be repaired.
    pub fn is_repairable(self) -> bool {
        !matches!(self, Self::Damaged(_))
    }
}

impl Ring {
    /// Checks the queue while it is in use, and gives what it found. Pops wait meanwhile.
    pub fn verify(
        &self,
        repair: Repair,
        deadline: Deadline,
    ) -> Result<Outcome<Vec<Finding>>, Error> {
        let mut found = Vec::new();
        self.check_locks(repair, &mut found);
        for check in [Self::check_push_side, Self::check_pop_side] {
            match check(self, repair, deadline, &mut found) {
                Ok(Outcome::Done(())) => {}
                Ok(_) => return Ok(Outcome::TimedOut),
                Err(Error::Corrupt(what)) => found.push(Finding::Damaged(what)),
                Err(error) => return Err(error),
            }
        }
        Ok(Outcome::Done(found))
    }

    fn check_locks(&self, repair: Repair, found: &mut Vec<Finding>) {
        for side in [self.push_side(), self.pop_side()] {
            let word = side.lock().word;
            let is_dead = match repair {
                Repair::WhatIsSafe if self.locks_words() => free_if_dead(word),
                _ => self.locks_words() && crate::mechanism::robust_lock::is_dead(word),
            };
            if is_dead {
                found.push(Finding::DeadLock);
            }
        }
    }

    fn check_push_side(
        &self,
        repair: Repair,
        deadline: Deadline,
        found: &mut Vec<Finding>,
    ) -> Result<Outcome, Error> {
        let side = self.push_side();
        let Some(_held) = self.lock(side, deadline)? else { return Ok(Outcome::TimedOut) };
        let (tail, _) = side.own();
        let (head, _) = self.pop_side().peek()?;
        let behind = tail.position.wrapping_sub(side.hint().load(Ordering::Relaxed));
        // The head may have moved since the side looked, but never back.
        if behind > self.capacity() || behind < self.span(head, tail)? {
            found.push(Finding::WrongHint);
            if repair == Repair::WhatIsSafe {
                side.hint().store(head.position, Ordering::Relaxed);
            }
        }
        Ok(Outcome::Done(()))
    }

    fn check_pop_side(
        &self,
        repair: Repair,
        deadline: Deadline,
        found: &mut Vec<Finding>,
    ) -> Result<Outcome, Error> {
        let side = self.pop_side();
        let Some(held) = self.lock(side, deadline)? else { return Ok(Outcome::TimedOut) };
        let (head, seq) = side.own();
        let (tail, _) = self.push_side().peek()?;
        self.span(head, tail)?;
        let cursor = self.memory.long(CURSOR).load(Ordering::Relaxed);
        let chain = check_chain(&self.memory, head, tail, cursor)?;
        if !chain.has_cursor {
            found.push(Finding::WrongCursor);
            if repair == Repair::WhatIsSafe {
                self.memory.long(CURSOR).store(head.position, Ordering::Relaxed);
            }
        }
        let first_open = self.skip_done(head, tail.position)?;
        if first_open != head {
            found.push(Finding::DoneAtHead);
            if repair == Repair::WhatIsSafe {
                side.commit(seq, first_open, held);
            }
        }
        self.memory.verify()?;
        Ok(Outcome::Done(()))
    }
}

/// Checks the messages of a queue that no process uses.
pub(super) fn check_messages(memory: &Memory) -> Result<(), Error> {
    let (head, _) = Side::new(memory, POP).own();
    let (tail, _) = Side::new(memory, PUSH).own();
    let used = tail.position.wrapping_sub(head.position);
    if used > memory.capacity() || !(head.position | tail.position).is_multiple_of(8) {
        return Err(Error::Corrupt("the positions of the two sides contradict each other"));
    }
    check_chain(memory, head, tail, head.position)?;
    Ok(memory.verify()?)
}

/// What a walk along all messages found.
struct Chain {
    /// Whether the cursor is at one of them, or at an end.
    has_cursor: bool,
}

/// Walks along all messages: they end where the tail is, and are as many as the sides say.
fn check_chain(memory: &Memory, head: State, tail: State, cursor: u64) -> Result<Chain, Error> {
    let behind = cursor.wrapping_sub(head.position) as i64;
    let mut has_cursor = behind <= 0 || cursor == tail.position;
    let mut state = head;
    while state.position != tail.position {
        let most = tail.position.wrapping_sub(state.position);
        let record = Record::load(memory, state.position, most)?;
        if record.stage == Stage::Ready && record.attempts != 0 {
            return Err(Error::Corrupt("a message was claimed and is not"));
        }
        has_cursor |= cursor == state.position;
        state = state.after(record.size(), record.length.into());
    }
    if state != tail {
        return Err(Error::Corrupt("the messages are not as many as were pushed"));
    }
    Ok(Chain { has_cursor })
}
