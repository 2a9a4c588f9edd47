//! The steps, and what each does to the shared state.

/// A participant has a place here.
const MOST: usize = 4;

/// What is built into the algorithm in order to be found.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Fault {
    Nothing,
    WakeAfterCommit,
    MarkRemovedFirst,
    PendingLate,
    PendingClearedEarly,
    InPlace,
}

/// A word with an owner: 0, or the number of a participant from 1 on.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
struct Lock {
    owner: u8,
    died: bool,
    waiters: bool,
}

#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
struct Side {
    lock: Lock,
    seq: u8,
    /// The number that a participant sleeps on.
    wait: Option<u8>,
    positions: [u8; 2],
    /// What the position has to be.
    commits: u8,
}

/// Where a participant is.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
enum At {
    #[default]
    SetPending,
    TryLock,
    MarkWaiters,
    /// Sleeps on the lock if it still is so.
    WaitForLock(Lock),
    AsleepOnLock,
    SetPendingLate,
    ReadOwn,
    /// Consumers: with the number of commits of the other side.
    PeekSeq,
    PeekPosition(u8),
    PeekAgain(u8, u8),
    Register(u8),
    LookAgain(u8),
    WriteInPlace,
    Write,
    ReadWait,
    RemoveMark,
    AddAndWake,
    StoreSeq,
    ClearEarly,
    Unlock,
    ClearPending,
    ReadWaitAgain,
    Wake,
    /// Unlocks in order to sleep on this number.
    UnlockToSleep(u8),
    ClearToSleep(u8),
    Sleep(u8),
    AsleepOnSeq,
    Done,
    Dead,
}

#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
struct Participant {
    at: At,
    pending: bool,
    slept: bool,
    /// Its own side, as read under the lock.
    seq: u8,
    position: u8,
    /// Whether it commits with a store, after which it looks at the sleepers again.
    by_store: bool,
    /// What it popped.
    popped: Option<u8>,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct State {
    push: Side,
    pop: Side,
    participants: [Participant; MOST],
    producers: usize,
    count: usize,
    kills: u8,
    fault: Fault,
    /// A producer died between its commit and its second look, and a sleeper registered in between.
    excused: bool,
}

impl State {
    pub fn new(producers: usize, consumers: usize, kills: u8, fault: Fault) -> Self {
        Self {
            push: Side::default(),
            pop: Side::default(),
            participants: [Participant::default(); MOST],
            producers,
            count: producers + consumers,
            kills,
            fault,
            excused: false,
        }
    }

    /// What may never be, not even for a moment.
    pub fn is_wrong(&self) -> Option<&'static str> {
        for side in [&self.push, &self.pop] {
            if side.positions[usize::from(side.seq & 1)] != side.commits {
                return Some("the live state is not that of the last commit");
            }
        }
        let popped: Vec<u8> = self.participants.iter().filter_map(|p| p.popped).collect();
        let is_twice = |m: &u8| popped.iter().filter(|other| *other == m).count() > 1;
        if popped.iter().any(is_twice) {
            return Some("a message came twice");
        }
        (self.pop.commits > self.push.commits).then_some("more was popped than pushed")
    }

    /// What may not be when nothing happens any more.
    pub fn is_wrong_at_end(&self) -> Option<&'static str> {
        let sleeps = |at| self.participants[..self.count].iter().any(|p| p.at == at);
        if sleeps(At::AsleepOnLock) {
            return Some("somebody sleeps on a lock for ever");
        }
        let has_message = self.push.commits > self.pop.commits;
        if sleeps(At::AsleepOnSeq) && has_message && !self.excused {
            return Some("somebody sleeps beside a message");
        }
        let is_stuck = |p: &Participant| !matches!(p.at, At::Done | At::Dead | At::AsleepOnSeq);
        let any = self.participants[..self.count].iter().any(is_stuck);
        any.then_some("somebody can never go on")
    }

    pub fn successors(&self) -> Vec<Self> {
        let mut next = Vec::new();
        for who in 0..self.count {
            let at = self.participants[who].at;
            if matches!(at, At::Done | At::Dead) {
                continue;
            }
            if self.kills > 0 {
                next.push(self.kill(who));
            }
            if !matches!(at, At::AsleepOnLock | At::AsleepOnSeq) {
                let mut state = *self;
                state.step(who);
                // A spinning participant that changes nothing is no progress.
                if state != *self {
                    next.push(state);
                }
            }
        }
        next
    }

    fn is_producer(&self, who: usize) -> bool {
        who < self.producers
    }

    fn own(&mut self, who: usize) -> &mut Side {
        if self.is_producer(who) { &mut self.push } else { &mut self.pop }
    }

    /// Its death, and what the kernel does about its lock.
    fn kill(&self, who: usize) -> Self {
        let mut state = *self;
        let victim = self.participants[who];
        state.kills -= 1;
        state.participants[who] = Participant { at: At::Dead, ..victim };
        let in_window = matches!(victim.at, At::Unlock | At::ClearEarly | At::ClearPending)
            || matches!(victim.at, At::ReadWaitAgain | At::Wake);
        if self.is_producer(who) && in_window && victim.by_store {
            // A sleeper that was there at the commit is not excused.
            state.excused |= self.push.wait == Some(victim.seq);
        }
        if victim.pending {
            let lock = state.own(who).lock;
            if lock.owner == who as u8 + 1 {
                state.own(who).lock = Lock { owner: 0, died: true, ..lock };
                if lock.waiters {
                    state.wake_lock(who);
                }
            } else if lock == Lock::default() {
                state.wake_lock(who);
            }
        }
        state
    }

    /// Wakes one that sleeps on the lock that this participant uses.
    fn wake_lock(&mut self, who: usize) {
        let is_producer = self.is_producer(who);
        let is_waiting = |(other, p): &(usize, Participant)| {
            p.at == At::AsleepOnLock && self.is_producer(*other) == is_producer
        };
        let found = self.participants.iter().copied().enumerate().find(is_waiting);
        if let Some((other, _)) = found {
            self.participants[other].at = At::TryLock;
            self.participants[other].slept = true;
        }
    }

    /// Wakes all consumers that sleep on the number of commits.
    fn wake_consumers(&mut self) {
        for participant in &mut self.participants {
            if participant.at == At::AsleepOnSeq {
                *participant = Participant::default();
            }
        }
    }

    fn go(&mut self, who: usize, to: At) {
        self.participants[who].at = to;
    }

    fn step(&mut self, who: usize) {
        match self.participants[who].at {
            At::SetPending
            | At::TryLock
            | At::MarkWaiters
            | At::WaitForLock(_)
            | At::SetPendingLate => self.step_lock(who),
            At::ReadOwn
            | At::PeekSeq
            | At::PeekPosition(_)
            | At::PeekAgain(..)
            | At::Register(_)
            | At::LookAgain(_) => self.step_look(who),
            At::WriteInPlace
            | At::Write
            | At::ReadWait
            | At::RemoveMark
            | At::AddAndWake
            | At::StoreSeq => self.step_commit(who),
            _ => self.step_unlock(who),
        }
    }

    fn step_lock(&mut self, who: usize) {
        let (mine, slept) = (who as u8 + 1, self.participants[who].slept);
        let is_late = self.fault == Fault::PendingLate;
        let lock = self.own(who).lock;
        match self.participants[who].at {
            At::SetPending => {
                self.participants[who].pending = !is_late;
                self.go(who, At::TryLock);
            }
            At::TryLock if lock.owner == 0 => {
                let waiters = lock.waiters || slept;
                self.own(who).lock = Lock { owner: mine, died: false, waiters };
                self.go(who, if is_late { At::SetPendingLate } else { At::ReadOwn });
            }
            At::TryLock => self.go(who, At::MarkWaiters),
            At::SetPendingLate => {
                self.participants[who].pending = true;
                self.go(who, At::ReadOwn);
            }
            At::MarkWaiters if lock.owner == 0 => self.go(who, At::TryLock),
            At::MarkWaiters => {
                self.own(who).lock.waiters = true;
                self.go(who, At::WaitForLock(Lock { waiters: true, ..lock }));
            }
            At::WaitForLock(seen) if seen == lock => self.go(who, At::AsleepOnLock),
            _ => {
                self.participants[who].slept = true;
                self.go(who, At::TryLock);
            }
        }
    }

    fn step_look(&mut self, who: usize) {
        let is_in_place = self.fault == Fault::InPlace;
        let write = if is_in_place { At::WriteInPlace } else { At::Write };
        match self.participants[who].at {
            At::ReadOwn => {
                let side = *self.own(who);
                self.participants[who].seq = side.seq;
                self.participants[who].position = side.positions[usize::from(side.seq & 1)];
                self.go(who, if self.is_producer(who) { write } else { At::PeekSeq });
            }
            At::PeekSeq => self.go(who, At::PeekPosition(self.push.seq)),
            At::PeekPosition(seq) => {
                let position = self.push.positions[usize::from(seq & 1)];
                self.go(who, At::PeekAgain(seq, position));
            }
            At::PeekAgain(seq, _) if seq != self.push.seq => self.go(who, At::PeekSeq),
            At::PeekAgain(seq, tail) => {
                let is_empty = tail == self.participants[who].position;
                self.go(who, if is_empty { At::Register(seq) } else { write });
            }
            At::Register(seq) => {
                self.push.wait = Some(seq);
                self.go(who, At::LookAgain(seq));
            }
            At::LookAgain(seq) => self.go(who, At::UnlockToSleep(seq)),
            _ => unreachable!("it is no look"),
        }
    }

    fn step_commit(&mut self, who: usize) {
        let Participant { seq, position, .. } = self.participants[who];
        let fault = self.fault;
        match self.participants[who].at {
            At::WriteInPlace => {
                self.own(who).positions[usize::from(seq & 1)] = position + 1;
                self.go(who, At::Write);
            }
            At::Write => {
                self.own(who).positions[usize::from((seq + 1) & 1)] = position + 1;
                self.go(who, At::ReadWait);
            }
            At::ReadWait => {
                let has_sleeper = self.own(who).wait == Some(seq);
                let to = match (has_sleeper, fault) {
                    (true, Fault::WakeAfterCommit) | (false, _) => At::StoreSeq,
                    (true, Fault::MarkRemovedFirst) => At::RemoveMark,
                    (true, _) => At::AddAndWake,
                };
                // A sleeper that the producer has seen is not excused.
                self.participants[who].by_store = !has_sleeper;
                self.go(who, to);
            }
            At::RemoveMark => {
                self.own(who).wait = None;
                self.go(who, At::AddAndWake);
            }
            At::AddAndWake => {
                self.commit(who);
                self.wake_consumers();
            }
            _ => self.commit(who),
        }
    }

    fn commit(&mut self, who: usize) {
        let position = self.participants[who].position;
        let side = self.own(who);
        side.seq += 1;
        side.commits += 1;
        if !self.is_producer(who) {
            self.participants[who].popped = Some(position);
        }
        let is_early = self.fault == Fault::PendingClearedEarly;
        self.go(who, if is_early { At::ClearEarly } else { At::Unlock });
    }

    fn step_unlock(&mut self, who: usize) {
        let seq = self.participants[who].seq;
        match self.participants[who].at {
            At::ClearEarly => {
                self.participants[who].pending = false;
                self.go(who, At::Unlock);
            }
            At::Unlock => {
                self.unlock(who);
                self.go(who, At::ClearPending);
            }
            At::ClearPending => {
                self.participants[who].pending = false;
                self.go(who, if self.is_producer(who) { At::ReadWaitAgain } else { At::Done });
            }
            At::ReadWaitAgain => {
                let has_sleeper = self.push.wait == Some(seq);
                self.go(who, if has_sleeper { At::Wake } else { At::Done });
            }
            At::Wake => {
                self.wake_consumers();
                self.go(who, At::Done);
            }
            At::UnlockToSleep(on) => {
                self.unlock(who);
                self.go(who, At::ClearToSleep(on));
            }
            At::ClearToSleep(on) => {
                self.participants[who].pending = false;
                self.go(who, At::Sleep(on));
            }
            At::Sleep(on) if on == self.push.seq => self.go(who, At::AsleepOnSeq),
            At::Sleep(_) => self.participants[who] = Participant::default(),
            _ => unreachable!("it is no step"),
        }
    }

    fn unlock(&mut self, who: usize) {
        let had_waiters = self.own(who).lock.waiters;
        self.own(who).lock = Lock::default();
        if had_waiters {
            self.wake_lock(who);
        }
    }
}
