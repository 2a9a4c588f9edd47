//! The status of a queue, read without a lock.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::sys::time;

use super::layout::{CURSOR, REDELIVERED};
use super::record::{Record, Stage, load_time};
use super::{Error, Ring};

/// The status of a queue at one moment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Stat {
    /// The size of the ring in bytes.
    pub capacity: u64,
    /// The number of messages in the queue, claimed ones included.
    pub messages: u64,
    /// The total length of these messages in bytes.
    pub bytes: u64,
    /// The bytes of the ring in use.
    pub used: u64,
    /// The total number of messages pushed.
    pub pushed: u64,
    /// The total number of messages popped or acknowledged that the head has passed.
    pub popped: u64,
    /// The total length of the messages pushed.
    pub pushed_bytes: u64,
    /// The total length of the messages popped.
    pub popped_bytes: u64,
    /// The number of redeliveries.
    pub redelivered: u64,
    /// The number of messages whose record is marked as claimed; the claim may have ended.
    pub claimed: u64,
    /// The number of acknowledged messages behind one that is not acknowledged.
    pub pinned: u64,
    /// The age of the oldest claim.
    pub oldest_claim: Option<Duration>,
    /// Whether a consumer sleeps, or has slept since the last commit of a push.
    pub consumer_sleeps: bool,
    /// Whether a producer sleeps, or has slept since the last commit of a pop.
    pub producer_sleeps: bool,
    /// Whether the queue is closed.
    pub closed: bool,
}

/// The maximum number of attempts to read the claims of one moment.
const TRIES: u32 = 100;

impl Ring {
    /// Reads the status of the queue.
    pub fn stat(&self) -> Result<Stat, Error> {
        for _ in 0..TRIES {
            let ((head, pops), (tail, pushes)) = self.peek()?;
            let claims = self.claims(head.position, tail.position);
            // The records belong to the same moment as the states only if the pop side has not
            // committed.
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
                pushed_bytes: tail.bytes,
                popped_bytes: head.bytes,
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

    /// Counts the claims. In a trusted queue they all stand between the head and the cursor.
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

/// The age of a time on the boot clock; 0 for a time in the future, which another boot may leave.
fn age(time: u64) -> Duration {
    time::since_boot().saturating_sub(Duration::from_nanos(time))
}
