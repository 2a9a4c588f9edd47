//! What there is to know about a queue, without a lock.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::sys::time;

use super::layout::{CURSOR, REDELIVERED};
use super::record::{Record, Stage, load_time};
use super::{Error, Ring};

/// What is known of a queue at a moment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Stat {
    /// The bytes of the ring.
    pub capacity: u64,
    /// The messages in it, those that are claimed included.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What they take of the ring.
    pub used: u64,
    /// How many messages were ever pushed.
    pub pushed: u64,
    /// How many were ever popped or acknowledged, as far as the head has passed them.
    pub popped: u64,
    /// How many were delivered again.
    pub redelivered: u64,
    /// How many are claimed, as far as is known.
    pub claimed: u64,
    /// How many are acknowledged, but lie behind one that is not.
    pub pinned: u64,
    /// For how long the oldest claim has been open.
    pub oldest_claim: Option<Duration>,
    /// Whether a consumer sleeps, or died asleep.
    pub consumer_sleeps: bool,
    /// Whether a producer sleeps, or died asleep.
    pub producer_sleeps: bool,
    /// Whether it is closed.
    pub closed: bool,
}

/// The most attempts to see the claims of one moment.
const TRIES: u32 = 100;

impl Ring {
    /// What is known of it now.
    pub fn stat(&self) -> Result<Stat, Error> {
        for _ in 0..TRIES {
            let ((head, pops), (tail, pushes)) = self.peek()?;
            let claims = self.claims(head.position, tail.position);
            // What was seen of the records is of this moment if the head is where it was.
            if self.pop_side().seq().load(Ordering::Acquire) != pops {
                continue;
            }
            let stat = Stat {
                capacity: self.capacity(),
                messages: tail.messages.wrapping_sub(head.messages),
                bytes: tail.bytes.wrapping_sub(head.bytes),
                used: tail.position.wrapping_sub(head.position),
                pushed: tail.messages,
                popped: head.messages,
                redelivered: self.memory.long(REDELIVERED).load(Ordering::Relaxed),
                consumer_sleeps: self.push_side().wait().load(Ordering::Relaxed) == pushes,
                producer_sleeps: self.pop_side().wait().load(Ordering::Relaxed) == pops,
                closed: self.is_closed(),
                ..claims?
            };
            self.memory.verify()?;
            return Ok(stat);
        }
        let (tail, _) = self.push_side().peek()?;
        let (capacity, pushed) = (self.capacity(), tail.messages);
        Ok(Stat { capacity, pushed, closed: self.is_closed(), ..Stat::default() })
    }

    /// The claims, which are between the head and the cursor.
    fn claims(&self, head: u64, tail: u64) -> Result<Stat, Error> {
        let cursor = self.memory.long(CURSOR).load(Ordering::Relaxed);
        let is_within = cursor.wrapping_sub(head) <= tail.wrapping_sub(head);
        let end = if is_within && self.is_trusted() { cursor } else { tail };
        let (mut stat, mut position) = (Stat::default(), head);
        while position != end {
            let record = Record::load(&self.memory, position, tail.wrapping_sub(position))?;
            match record.stage {
                Stage::Ready => {}
                Stage::Done => stat.pinned += 1,
                Stage::Taken => {
                    stat.claimed += 1;
                    let age = age(load_time(&self.memory, position)?);
                    stat.oldest_claim = stat.oldest_claim.max(Some(age));
                }
            }
            position = position.wrapping_add(record.size());
        }
        Ok(stat)
    }
}

/// How long ago a time of the boot clock was. One of another boot was just now.
fn age(time: u64) -> Duration {
    time::since_boot().saturating_sub(Duration::from_nanos(time))
}
