//! The facts that must be true after the victim is killed.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ipc_suite::bench::Deadline;
use ipc_suite::bench::ring::{Outcome, Repair, Ring, size_of_record};

use super::round::{CAPACITY, LATE, Round, STUCK, now};
use super::scenario::{Act, Arrival, Peer, Start};
use crate::process::{Child, within};

impl Round {
    pub(super) fn check(&mut self, ring: &Ring, peers: &[Child]) {
        let since = now();
        let limit = if self.scenario.act == Act::Close { STUCK } else { LATE };
        for (place, peer) in self.scenario.peers.iter().enumerate().take(peers.len()) {
            self.feed(ring, *peer, place);
            let state = &self.world.peers[place];
            if !within(STUCK, || state.done.load(Ordering::SeqCst) != 0) {
                self.fault("a peer is stuck".into());
                return;
            }
            let when = Duration::from_nanos(state.when.load(Ordering::Relaxed));
            let waited = when.saturating_sub(since);
            self.waits.push(waited);
            if waited > limit {
                self.faults.push(format!("a peer waited for {waited:?}"));
            }
            self.note_popped(place, *peer);
        }
        self.drain(ring);
        self.check_history();
        self.check_use(ring);
    }

    /// Gives a peer what it waits for, if what the victim did is not it.
    fn feed(&mut self, ring: &Ring, peer: Peer, place: usize) {
        let state = &self.world.peers[place];
        if state.done.load(Ordering::SeqCst) != 0 || self.scenario.act == Act::Close {
            if self.scenario.act == Act::Close {
                let closed = ring.close(Deadline::after(STUCK));
                assert_eq!(closed, Ok(Outcome::Done(())));
            }
            return;
        }
        let stat = ring.stat().expect("it is whole");
        match peer {
            Peer::Pops if stat.messages == 0 => self.push_one(ring, b'm' + place as u8),
            Peer::Pushes if stat.used + size_of_record(self.length as u64) > CAPACITY => {
                self.pop_one(ring);
            }
            _ => {}
        }
    }

    fn note_popped(&mut self, place: usize, peer: Peer) {
        let state = &self.world.peers[place];
        if peer == Peer::Pops && state.done.load(Ordering::SeqCst) == 1 {
            let length = state.length.load(Ordering::Relaxed) as usize;
            let bytes = state.bytes[..length].iter().map(|byte| byte.load(Ordering::Relaxed));
            let tag = self.tag(&bytes.collect::<Vec<u8>>());
            self.got.push((tag, 0));
        }
    }

    pub(super) fn push_one(&mut self, ring: &Ring, tag: u8) {
        let message = self.message(tag);
        let pushed = self.timed(|| ring.push(&message, Deadline::after(STUCK)));
        if pushed != Ok(Outcome::Done(())) {
            self.fault(format!("a push after it: {pushed:?}"));
        }
        self.pushed.push(tag);
    }

    pub(super) fn pop_one(&mut self, ring: &Ring) {
        let mut bytes = Vec::new();
        let popped = self.timed(|| ring.pop(&mut bytes, Deadline::after(STUCK)));
        match popped {
            Ok(Outcome::Done(())) => self.got.push((self.tag(&bytes), 0)),
            other => self.fault(format!("a pop after it: {other:?}")),
        }
    }

    /// Does something that has to be done at once.
    fn timed<T>(&mut self, act: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let outcome = act();
        if start.elapsed() > LATE {
            self.faults.push(format!("a use of the queue took {:?}", start.elapsed()));
        }
        outcome
    }

    /// Takes all that is left, by claims where the victim made some.
    fn drain(&mut self, ring: &Ring) {
        let by_claims = matches!(self.scenario.act, Act::Claim | Act::Acknowledge { .. });
        loop {
            let mut bytes = Vec::new();
            if by_claims {
                let claimed = self.timed(|| ring.claim(&mut bytes, Deadline::PASSED));
                let Ok(Outcome::Done(claim)) = claimed else { break };
                self.got.push((self.tag(&bytes), claim.attempts()));
                let done = ring.acknowledge(&claim, Deadline::after(STUCK));
                if done != Ok(Outcome::Done(())) {
                    self.fault(format!("an acknowledgement after it: {done:?}"));
                }
            } else {
                match self.timed(|| ring.pop(&mut bytes, Deadline::PASSED)) {
                    Ok(Outcome::Done(())) => self.got.push((self.tag(&bytes), 0)),
                    Ok(_) => break,
                    Err(error) => return self.fault(format!("a pop after it: {error}")),
                }
            }
        }
        let used = ring.stat().map(|stat| stat.used);
        if used != Ok(0) {
            self.fault(format!("{used:?} bytes are never free again"));
        }
    }

    /// Nothing that was committed is lost, nothing comes twice, all in order.
    fn check_history(&mut self) {
        let got: Vec<u8> = self.got.iter().map(|(tag, _)| *tag).collect();
        let show = |tags: &[u8]| String::from_utf8_lossy(tags).into_owned();
        let is_there = |tag: u8| got.iter().filter(|other| **other == tag).count();
        let mut first = Vec::new();
        for tag in (0..self.scenario.fill).map(|i| b'a' + i as u8) {
            first.push(tag);
        }
        let xs = (0..self.scenario.peers.len()).filter(|place| {
            self.scenario.peers[*place] == Peer::Pushes
                && self.world.peers[*place].done.load(Ordering::SeqCst) == 1
        });
        let certain: Vec<u8> =
            self.pushed.iter().copied().chain(xs.map(|place| b'x' + place as u8)).collect();
        let missing: Vec<u8> =
            first.iter().chain(&certain).copied().filter(|tag| is_there(*tag) == 0).collect();
        let mut faults = Vec::new();
        if got.iter().any(|tag| is_there(*tag) > 1 || *tag == b'?') {
            faults.push(format!("twice, or damaged: {}", show(&got)));
        }
        let order: Vec<u8> = got.iter().copied().filter(|tag| first.contains(tag)).collect();
        let by_claims = matches!(self.scenario.act, Act::Claim | Act::Acknowledge { .. });
        let rivals = self.scenario.arrival == Arrival::WhenHeld && self.scenario.act == Act::Pop;
        if !by_claims && !rivals && !order.is_sorted() {
            faults.push(format!("out of order: {}", show(&got)));
        }
        if !self.may_be_missing(&missing) {
            faults.push(format!("lost: {} of {}", show(&missing), show(&got)));
        }
        let pushed = got.iter().filter(|tag| matches!(tag, b'V' | b'0'..b'3')).count();
        let full = match self.scenario.act {
            Act::Push => 1,
            Act::PushBatch => 3,
            _ => 0,
        };
        if pushed != full && (pushed != 0 || self.has_ended) {
            faults.push(format!("{pushed} of {full} were pushed: {}", show(&got)));
        }
        faults.into_iter().for_each(|fault| self.fault(fault));
        self.check_attempts();
    }

    /// Whether the victim may have taken these.
    fn may_be_missing(&self, missing: &[u8]) -> bool {
        let is_done = self.has_ended;
        match self.scenario.act {
            Act::Push | Act::PushBatch | Act::Claim | Act::Close => missing.is_empty(),
            Act::Pop => missing.len() == 1 || (missing.is_empty() && !is_done),
            Act::PopBatch => missing == b"ab" || (missing.is_empty() && !is_done),
            Act::Acknowledge { claims, of, others } => {
                let all = (0..claims).filter(|place| others && *place != of);
                let mut acknowledged: Vec<u8> = all.map(|place| b'a' + place as u8).collect();
                let without = missing == acknowledged;
                acknowledged.insert(if others { of } else { 0 }, b'a' + of as u8);
                missing == acknowledged || (without && !is_done)
            }
        }
    }

    /// A claim counts as an attempt, however it ends.
    fn check_attempts(&mut self) {
        let is_returned = self.scenario.start == Start::Returned;
        let before = u32::from(is_returned);
        let attempts = self.got.iter().find(|(tag, _)| *tag == b'a').map(|(_, count)| *count);
        let expected = before + 1 + u32::from(self.has_ended);
        let is_right = match self.scenario.act {
            Act::Claim if self.has_ended => attempts == Some(expected),
            Act::Claim => attempts == Some(before + 1) || attempts == Some(before + 2),
            _ => true,
        };
        if !is_right {
            self.fault(format!("{attempts:?} attempts instead of {expected}"));
        }
    }

    fn check_use(&mut self, ring: &Ring) {
        if self.scenario.act == Act::Close {
            return;
        }
        self.push_one(ring, b'z');
        self.pop_one(ring);
        if self.got.last().map(|(tag, _)| *tag) != Some(b'z') {
            self.fault("the queue cannot be used any more".into());
        }
        let found = ring.verify(Repair::Never, Deadline::after(STUCK));
        if found != Ok(Outcome::Done(Vec::new())) {
            self.fault(format!("verify finds {found:?}"));
        }
    }
}
