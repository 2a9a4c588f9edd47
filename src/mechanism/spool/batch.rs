//! The messages that a worker takes next, in their order: one sorted scan gives many of them.

use std::collections::BTreeSet;
use std::time::Duration;

use super::entry::Entry;
use crate::base::deadline::Deadline;

/// The next messages, of a number that does not depend on the size of the spool.
#[derive(Debug)]
pub struct Batch {
    limit: usize,
    ready: BTreeSet<Entry>,
    /// Those that are not due, by the time at which they are.
    delayed: BTreeSet<(u64, Entry)>,
    /// Those that another worker has claimed, each with the time of the next look.
    busy: Vec<(Deadline, Entry)>,
    /// Whether ready ones were left out, so that another scan is needed when they are used up.
    lacks_ready: bool,
    /// The same of delayed ones.
    lacks_delayed: bool,
}

/// The number of messages of the first batch: few need less memory and time, so that the first answer
/// comes soon. As lines they are more than a pipe holds, so that a listing notices before its next scan that
/// its reader has seen enough.
pub const FIRST: usize = 1536;

/// The number of messages of a later batch: the scans of a spool of 100,000 messages take a hundredth of the
/// time of their COMMANDs.
pub const LIMIT: usize = 16 << 10;

/// The interval between two looks at a claimed message. The kernel does not report the end of a
/// lock.
pub const LOOK: Duration = Duration::from_secs(1);

impl Default for Batch {
    fn default() -> Self {
        Self::of(LIMIT)
    }
}

impl Batch {
    /// An empty batch of at most so many messages, which needs a scan.
    pub fn of(limit: usize) -> Self {
        let (ready, delayed) = (BTreeSet::new(), BTreeSet::new());
        let busy = Vec::new();
        Self { limit, ready, delayed, busy, lacks_ready: true, lacks_delayed: false }
    }

    /// Adds a message, unless there are as many before it as a batch may have.
    pub fn offer(&mut self, entry: Entry, now: u64) {
        match entry.is_due(now) {
            true => insert(&mut self.ready, &mut self.lacks_ready, self.limit, entry),
            false => {
                let delayed = (entry.due, entry);
                insert(&mut self.delayed, &mut self.lacks_delayed, self.limit, delayed);
            }
        }
    }

    /// Another worker has claimed this message.
    pub fn put_aside(&mut self, entry: Entry) {
        // Beyond that, the next scan finds it.
        if self.busy.len() < self.limit {
            self.busy.push((Deadline::after(LOOK), entry));
        }
    }

    /// Adds the delayed messages that are due at this time, and the claimed ones that are to be
    /// looked at again.
    pub fn advance(&mut self, now: u64) {
        while self.delayed.first().is_some_and(|(due, _)| *due <= now) {
            if let Some((_, entry)) = self.delayed.pop_first() {
                self.offer(entry, now);
            }
        }
        while let Some(index) = self.busy.iter().position(|(look, _)| look.has_passed()) {
            let (_, entry) = self.busy.swap_remove(index);
            self.offer(entry, now);
        }
    }

    /// Removes the next message of those that are due. A partial batch may have left out one that is
    /// before it.
    pub fn next(&mut self) -> Option<Entry> {
        self.ready.pop_first()
    }

    /// Whether a message can be taken now.
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Whether it needs another scan, as it has left messages out.
    pub fn is_partial(&self) -> bool {
        self.lacks_ready && self.ready.is_empty() || self.lacks_delayed && self.delayed.is_empty()
    }

    /// The time at which the next delayed message is due.
    pub fn first_due(&self) -> Option<u64> {
        self.delayed.first().map(|(due, _)| *due)
    }

    /// The time of the next look at a claimed message.
    pub fn next_look(&self) -> Deadline {
        self.busy.iter().fold(Deadline::NEVER, |first, (look, _)| first.min(*look))
    }
}

/// Adds an item to the first ones of many, unless those that were left out are before it: the next
/// scan, when these are used up, finds it then.
fn insert<T: Ord>(first: &mut BTreeSet<T>, lacks: &mut bool, limit: usize, item: T) {
    if *lacks && first.last().is_none_or(|last| *last < item) {
        return;
    }
    first.insert(item);
    if first.len() > limit {
        first.pop_last();
        *lacks = true;
    }
}

/// A scan of a spool, of which a batch results.
#[derive(Debug)]
pub struct Scan {
    limit: usize,
    now: u64,
    ready: First<Entry>,
    delayed: First<(u64, Entry)>,
}

impl Scan {
    /// The beginning of a scan at this time, for at most so many messages of each kind.
    pub fn of(limit: usize, now: u64) -> Self {
        Self { limit, now, ready: First::of(limit), delayed: First::of(limit) }
    }

    /// Adds a message.
    pub fn offer(&mut self, entry: Entry) {
        match entry.is_due(self.now) {
            true => self.ready.offer(entry),
            false => self.delayed.offer((entry.due, entry)),
        }
    }

    /// The first of the messages.
    pub fn finish(self) -> Batch {
        let (ready, lacks_ready) = self.ready.finish();
        let (delayed, lacks_delayed) = self.delayed.finish();
        Batch { ready, delayed, lacks_ready, lacks_delayed, ..Batch::of(self.limit) }
    }
}

/// The first items of many, in a time that is linear and in memory that is limited.
#[derive(Debug)]
struct First<T> {
    limit: usize,
    /// At most twice as many as the limit. Once there were more, the last of the first ones is at
    /// the limit.
    kept: Vec<T>,
    were_more: bool,
}

impl<T: Ord> First<T> {
    fn of(limit: usize) -> Self {
        Self { limit, kept: Vec::new(), were_more: false }
    }

    fn offer(&mut self, item: T) {
        if self.were_more && item > self.kept[self.limit - 1] {
            return;
        }
        self.kept.push(item);
        if self.kept.len() == 2 * self.limit {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.kept.select_nth_unstable(self.limit - 1);
        self.kept.truncate(self.limit);
        self.were_more = true;
    }

    /// The items, and whether there were more.
    fn finish(mut self) -> (BTreeSet<T>, bool) {
        if self.kept.len() > self.limit {
            self.cut();
        }
        (self.kept.into_iter().collect(), self.were_more)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::entry::Origin;
    use super::*;

    fn entry(put: u64, due: u64) -> Entry {
        let name = format!("{put}").as_str().into();
        Entry { priority: 0, put, due, attempts: 0, origin: Origin::Made, name }
    }

    #[test]
    fn a_batch_has_the_first_messages_and_knows_that_there_are_more() {
        let mut scan = Scan::of(3, 0);
        for put in [5, 2, 9, 1, 7, 8, 6, 3, 4] {
            scan.offer(entry(put, 0));
        }
        let mut batch = scan.finish();
        assert_eq!(batch.next().map(|entry| entry.put), Some(1));
        // It is put later, and those that were left out are before it.
        batch.offer(entry(10, 0), 0);
        let taken: Vec<u64> = std::iter::from_fn(|| batch.next()).map(|entry| entry.put).collect();
        assert_eq!(taken, [2, 3]);
        assert!(batch.is_partial());
        let mut scan = Scan::of(3, 0);
        (1..=3).for_each(|put| scan.offer(entry(put, 0)));
        let mut batch = scan.finish();
        let taken = std::iter::from_fn(|| batch.next()).count();
        assert_eq!((taken, batch.is_partial()), (3, false));
    }

    #[test]
    fn a_delayed_message_comes_when_it_is_due() {
        let mut scan = Scan::of(2, 5);
        [30, 10, 20].into_iter().for_each(|due| scan.offer(entry(due, due)));
        let mut batch = scan.finish();
        batch.advance(5);
        assert_eq!((batch.next(), batch.first_due()), (None, Some(10)));
        batch.advance(10);
        assert_eq!(batch.next().map(|entry| entry.due), Some(10));
        batch.advance(30);
        assert!(batch.is_partial(), "another one may be due, and before this one");
        assert_eq!(batch.next().map(|entry| entry.due), Some(20));
    }

    /// An event of a spool.
    #[derive(Clone, Debug)]
    enum Step {
        /// A put with this priority and delay.
        Put(u32, u64),
        /// The time passes.
        Pass(u64),
        /// This worker takes the next message.
        Take,
        /// Another worker takes the last message.
        Lose,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..3_u32, prop_oneof![Just(0), 1..20_u64]).prop_map(|(p, d)| Step::Put(p, d)),
            1 => (1..10_u64).prop_map(Step::Pass),
            3 => Just(Step::Take),
            1 => Just(Step::Lose),
        ]
    }

    /// The next message of a spool, as a worker finds it. Each scan has room for more than the one before.
    fn take(
        batch: &mut Batch,
        spool: &mut BTreeSet<Entry>,
        limit: &mut usize,
        now: u64,
    ) -> Option<Entry> {
        loop {
            batch.advance(now);
            if batch.is_partial() {
                *limit += 1;
                let mut scan = Scan::of(*limit, now);
                spool.iter().cloned().for_each(|entry| scan.offer(entry));
                *batch = scan.finish();
            }
            let entry = batch.next()?;
            if spool.remove(&entry) {
                return Some(entry);
            }
        }
    }

    proptest! {
        #[test]
        fn messages_come_in_their_order_however_many_wait(
            mut limit in 0..3_usize,
            steps in prop::collection::vec(step(), 0..80),
        ) {
            let (mut batch, mut spool) = (Batch::of(limit), BTreeSet::new());
            let (mut now, mut puts) = (1, 0);
            for step in steps {
                match step {
                    Step::Put(priority, delay) => {
                        puts += 1;
                        let due = if delay == 0 { 0 } else { now + delay };
                        let put = Entry { priority, ..entry(puts, due) };
                        spool.insert(put.clone());
                        batch.offer(put, now);
                    }
                    Step::Pass(time) => now += time,
                    Step::Take => {
                        let first = spool.iter().find(|entry| entry.is_due(now)).cloned();
                        prop_assert_eq!(take(&mut batch, &mut spool, &mut limit, now), first);
                    }
                    Step::Lose => drop(spool.pop_last()),
                }
            }
        }
    }
}
