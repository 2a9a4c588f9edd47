//! Reads messages without removing them.
//!
//! The reader holds no lock while it copies a message. If a push reuses the space meanwhile, the
//! head has passed the message, and the reader discards the copy.

use std::sync::atomic::{Ordering, fence};

use crate::base::deadline::Deadline;

use super::record::{Record, Stage, bytes_at};
use super::{Backoff, Error, Outcome, Ring};

/// The position of a reader. A new one starts at the head.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tap {
    position: Option<u64>,
    missed: bool,
}

impl Tap {
    /// Whether messages were popped before this reader could read them.
    pub fn has_missed(&self) -> bool {
        self.missed
    }
}

/// The result of reading at a position.
enum Seen {
    /// The message is copied.
    Message,
    /// The message is already acknowledged.
    Nothing,
    /// The head has passed the position.
    Overtaken,
}

/// The maximum number of steps of one call, in case that the head keeps overtaking the reader.
const TRIES: u32 = 1_000_000;

impl Ring {
    /// Appends the next message that this reader has not read, waiting for one until `deadline`.
    pub fn tap(
        &self,
        tap: &mut Tap,
        into: &mut Vec<u8>,
        deadline: Deadline,
    ) -> Result<Outcome, Error> {
        let before = into.len();
        let mut backoff = Backoff::Spin;
        for _ in 0..TRIES {
            let is_closed = self.is_closed();
            let ((head, _), (tail, pushes)) = self.peek()?;
            let position = tap.advance(head.position);
            if position == tail.position {
                if is_closed {
                    return Ok(Outcome::Closed);
                }
                if deadline.has_passed() {
                    return Ok(Outcome::TimedOut);
                }
                let Some(held) = self.lock(self.pop_side(), deadline)? else {
                    return Ok(Outcome::TimedOut);
                };
                let waiting = (&mut backoff, &self.messages);
                self.wait((self.push_side(), pushes), held, waiting, deadline)?;
                continue;
            }
            match self.see(tap, tail.position, into)? {
                Seen::Message => return Ok(Outcome::Done(())),
                Seen::Nothing | Seen::Overtaken => into.truncate(before),
            }
        }
        Err(Error::Corrupt("the head never stays where it is"))
    }

    fn see(&self, tap: &mut Tap, tail: u64, into: &mut Vec<u8>) -> Result<Seen, Error> {
        let position = tap.position.unwrap_or(tail);
        let most = tail.wrapping_sub(position);
        let copied = self.copy_record(position, most, into);
        fence(Ordering::Acquire);
        let (head, _) = self.pop_side().peek()?;
        if (head.position.wrapping_sub(position) as i64) > 0 {
            return Ok(Seen::Overtaken);
        }
        let record = copied?;
        self.memory.verify()?;
        tap.position = Some(position.wrapping_add(record.size()));
        Ok(if record.stage == Stage::Done { Seen::Nothing } else { Seen::Message })
    }

    fn copy_record(&self, position: u64, most: u64, into: &mut Vec<u8>) -> Result<Record, Error> {
        let record = Record::load(&self.memory, position, most)?;
        self.memory.append(bytes_at(position), record.length as usize, into)?;
        Ok(record)
    }
}

impl Tap {
    /// Moves the reader to the head if the head has passed it, and returns the position.
    fn advance(&mut self, head: u64) -> u64 {
        let position = match self.position {
            Some(position) if (head.wrapping_sub(position) as i64) <= 0 => position,
            Some(_) => {
                self.missed = true;
                head
            }
            None => head,
        };
        self.position = Some(position);
        position
    }
}
