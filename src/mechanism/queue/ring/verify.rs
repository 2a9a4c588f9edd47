//! Checks a queue, and makes the repairs that provably lose nothing.

use std::sync::atomic::Ordering;

use crate::base::deadline::Deadline;
use crate::mechanism::robust_lock::free_if_dead;

use super::layout::{CURSOR, POP, PUSH};
use super::record::{Record, Stage};
use super::side::{Side, State};
use super::{Error, Memory, Outcome, Ring};

/// The repairs that a check may make.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Repair {
    /// Repair nothing.
    Never,
    /// Make the repairs that provably lose nothing.
    WhatIsSafe,
}

/// A fault in a queue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Finding {
    /// The thread that holds a lock does not exist. A waiter frees the lock after a second.
    DeadLock,
    /// The message at the head is acknowledged, so the queue never reuses its space. The repair
    /// moves the head.
    DoneAtHead,
    /// The cursor of claims is not at the start of a message. The repair moves it to the head.
    WrongCursor,
    /// The position that the push side remembers of the head is impossible. The repair stores the
    /// head.
    WrongHint,
    /// The messages are damaged. There is no repair: it is unknown which bytes are messages.
    Damaged(&'static str),
}

impl Finding {
    /// Whether a repair exists.
    pub fn is_repairable(self) -> bool {
        !matches!(self, Self::Damaged(_))
    }
}

impl Ring {
    /// Checks the queue while it is in use, and returns the faults. Pops wait meanwhile.
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
        // The hint may lag behind the head, because the head only moves forward.
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

/// The result of a walk along all messages.
struct Chain {
    /// Whether the cursor is at a message, at the tail, or not past the head.
    has_cursor: bool,
}

/// Walks along all messages, and checks that they end at the tail and match the counts of both
/// sides.
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
