//! Producers and consumers that are killed at random moments, and a history that is checked.
//!
//! A consumer that is killed loses at most the message that it had popped. Apart from that every
//! message whose push returned is popped once, and the messages of a producer come in order. Claims
//! lose nothing, and no two living consumers have the same message.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use ipc_suite::bench::Deadline;
use ipc_suite::bench::ring::{Outcome, Repair, Ring};

use crate::Form;
use crate::process::{Child, pause};
use crate::shared::{Atomics, QueuePath, Shared};

const PRODUCERS: usize = 3;
const CONSUMERS: usize = 2;
const MOST: usize = 1 << 25;

/// With everything that runs beside it, the queue may stand still for so long, and no longer.
const STANDSTILL: Duration = Duration::from_secs(20);

#[repr(C)]
struct History {
    stop: AtomicU32,
    next: [AtomicU64; PRODUCERS],
    consumed: AtomicU64,
    disorder: AtomicU64,
    damage: AtomicU64,
    shared_claims: AtomicU64,
    /// Which run of a consumer lives; 0 for none.
    living: [AtomicU32; CONSUMERS],
    /// How often each message was popped, and [`PUSHED`] if its push returned.
    messages: [[AtomicU8; MOST]; PRODUCERS],
    /// Which run of a consumer has claimed it.
    claimed_by: [[AtomicU32; MOST]; PRODUCERS],
}

// SAFETY: it consists of atomics.
unsafe impl Atomics for History {}

const PUSHED: u8 = 0x80;

/// How consumers take messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Taking {
    Popping,
    Claiming,
}

pub fn prove(form: &Form) -> Vec<String> {
    storm(*form, Taking::Popping)
}

pub fn prove_claims(form: &Form) -> Vec<String> {
    storm(*form, Taking::Claiming)
}

struct Storm {
    history: Shared<History>,
    path: QueuePath,
    taking: Taking,
    kills: u64,
    consumer_kills: u64,
    runs: u32,
    random: Random,
    faults: Vec<String>,
}

fn storm(form: Form, taking: Taking) -> Vec<String> {
    let mut storm = Storm {
        history: Shared::new(),
        path: QueuePath::new("storm"),
        taking,
        kills: 0,
        consumer_kills: 0,
        runs: 0,
        random: Random::new(),
        faults: Vec::new(),
    };
    let ring = storm.path.create(0o600, 16384);
    let duration = match form {
        Form::Short => Duration::from_secs(3),
        Form::Long => Duration::from_secs(120),
    };
    storm.rage(duration);
    storm.calm(&ring);
    storm.judge();
    storm.faults
}

impl Storm {
    fn start(&mut self, place: usize) -> Child {
        self.runs += 1;
        let run = self.runs;
        if place >= PRODUCERS {
            self.history.living[place - PRODUCERS].store(run, SeqCst);
        }
        let (path, history) = (&self.path, &*self.history);
        Child::fork(|| {
            match (place.checked_sub(PRODUCERS), self.taking) {
                (None, _) => produce(&path.open(), history, place),
                (Some(_), Taking::Popping) => consume(&path.open(), history),
                (Some(_), Taking::Claiming) => work(&path.open(), history, run),
            }
            0
        })
    }

    fn kill(&mut self, place: usize, child: &mut Child) {
        if place >= PRODUCERS {
            self.history.living[place - PRODUCERS].store(0, SeqCst);
            self.consumer_kills += 1;
        }
        self.kills += 1;
        child.kill();
    }

    /// Kills one or two at a time, and starts others in their places.
    fn rage(&mut self, duration: Duration) {
        let count = PRODUCERS + CONSUMERS;
        let mut children: Vec<Child> = (0..count).map(|place| self.start(place)).collect();
        let start = Instant::now();
        let (mut last, mut moved) = (0, Instant::now());
        while start.elapsed() < duration {
            pause(Duration::from_micros(200 + self.random.below(2500)));
            let first = self.random.below(count as u64) as usize;
            let second = (first + 1 + self.random.below(count as u64 - 1) as usize) % count;
            let victims = if self.random.below(4) == 0 { vec![first, second] } else { vec![first] };
            victims.iter().for_each(|place| self.kill(*place, &mut children[*place]));
            victims.iter().for_each(|place| children[*place] = self.start(*place));
            let consumed = self.history.consumed.load(SeqCst);
            if consumed != last {
                (last, moved) = (consumed, Instant::now());
            } else if moved.elapsed() > STANDSTILL {
                self.faults.push(format!("nothing moves for {STANDSTILL:?}"));
                break;
            }
        }
        self.history.stop.store(1, SeqCst);
        for (place, child) in children.iter_mut().enumerate() {
            self.kill(place, child);
        }
    }

    /// Takes what is left.
    fn calm(&mut self, ring: &Ring) {
        let end = Instant::now();
        loop {
            let mut message = Vec::new();
            let limit = Deadline::after(Duration::from_secs(5));
            match self.taking {
                Taking::Popping => match ring.pop(&mut message, Deadline::PASSED) {
                    Ok(Outcome::Done(())) => {
                        let _ = count(&self.history, &message);
                    }
                    _ => break,
                },
                Taking::Claiming => match ring.claim(&mut message, Deadline::PASSED) {
                    Ok(Outcome::Done(claim)) => {
                        let _ = count(&self.history, &message);
                        assert_eq!(ring.acknowledge(&claim, limit), Ok(Outcome::Done(())));
                    }
                    _ => break,
                },
            }
        }
        let stat = ring.stat().expect("it is whole");
        if stat.used != 0 || end.elapsed() > STANDSTILL {
            self.faults.push(format!("it cannot be drained: {stat:?}"));
        }
        let found = ring.verify(Repair::Never, Deadline::after(STANDSTILL));
        if found != Ok(Outcome::Done(Vec::new())) {
            self.faults.push(format!("verify finds {found:?}"));
        }
    }

    fn judge(&mut self) {
        let (mut pushed, mut lost, mut twice) = (0_u64, 0_u64, 0_u64);
        for slot in 0..PRODUCERS {
            let count = self.history.next[slot].load(SeqCst).min(MOST as u64) as usize;
            for message in &self.history.messages[slot][..count] {
                let state = message.load(SeqCst);
                let popped = state & !PUSHED;
                pushed += u64::from(state & PUSHED != 0);
                lost += u64::from(state & PUSHED != 0 && popped == 0);
                twice += u64::from(popped > 1);
            }
        }
        let number = |counter: &AtomicU64| counter.load(SeqCst);
        let (disorder, damage) = (number(&self.history.disorder), number(&self.history.damage));
        let shared = number(&self.history.shared_claims);
        println!(
            "{:?}: {} kills, {pushed} pushes, {lost} lost with {} killed consumers, {twice} twice",
            self.taking, self.kills, self.consumer_kills
        );
        let may_lose = match self.taking {
            Taking::Popping => self.consumer_kills,
            Taking::Claiming => 0,
        };
        let is_wrong = [
            (lost > may_lose, format!("{lost} lost, of which {may_lose} may be")),
            (twice > 0 && self.taking == Taking::Popping, format!("{twice} came twice")),
            (disorder > 0, format!("{disorder} out of order")),
            (damage > 0, format!("{damage} damaged")),
            (shared > 0, format!("{shared} claimed by two living consumers")),
            (pushed < 1000, format!("only {pushed} were pushed")),
        ];
        self.faults.extend(is_wrong.into_iter().filter(|(is, _)| *is).map(|(_, fault)| fault));
    }
}

/// What a producer writes: its place, a number, and bytes that follow from them.
fn message(slot: usize, number: u64) -> impl Iterator<Item = u8> {
    let mixed = number.wrapping_mul(2_654_435_761).wrapping_add(slot as u64);
    let extra =
        if (mixed >> 7).is_multiple_of(8) { (mixed >> 3) % 1500 } else { (mixed >> 3) % 120 };
    let filler = (0..extra).map(move |i| (number.wrapping_mul(31) + i + slot as u64) as u8);
    (slot as u32).to_ne_bytes().into_iter().chain(number.to_ne_bytes()).chain(filler)
}

fn produce(ring: &Ring, history: &History, slot: usize) {
    let mut bytes = Vec::with_capacity(2000);
    while history.stop.load(SeqCst) == 0 {
        let number = history.next[slot].fetch_add(1, SeqCst);
        if number >= MOST as u64 {
            return;
        }
        bytes.clear();
        bytes.extend(message(slot, number));
        match ring.push(&bytes, Deadline::NEVER) {
            Ok(Outcome::Done(())) => {
                history.messages[slot][number as usize].fetch_or(PUSHED, SeqCst);
            }
            _ => drop(history.damage.fetch_add(1, SeqCst)),
        }
    }
}

/// Notes a message that was popped; its producer and number.
fn count(history: &History, bytes: &[u8]) -> Option<(usize, usize)> {
    let parsed = bytes.split_at_checked(4).and_then(|(slot, rest)| {
        let slot = u32::from_ne_bytes(slot.try_into().ok()?) as usize;
        let number = u64::from_ne_bytes(rest.get(..8)?.try_into().ok()?);
        let is_whole = slot < PRODUCERS
            && number < MOST as u64
            && message(slot, number).eq(bytes.iter().copied());
        is_whole.then_some((slot, number as usize))
    });
    match parsed {
        Some((slot, number)) => drop(history.messages[slot][number].fetch_add(1, SeqCst)),
        None => drop(history.damage.fetch_add(1, SeqCst)),
    }
    history.consumed.fetch_add(1, SeqCst);
    parsed
}

fn consume(ring: &Ring, history: &History) {
    let (mut bytes, mut last) = (Vec::with_capacity(2000), [0; PRODUCERS]);
    loop {
        bytes.clear();
        let Ok(Outcome::Done(())) = ring.pop(&mut bytes, Deadline::NEVER) else {
            history.damage.fetch_add(1, SeqCst);
            return;
        };
        if let Some((slot, number)) = count(history, &bytes) {
            if last[slot] > number {
                history.disorder.fetch_add(1, SeqCst);
            }
            last[slot] = number + 1;
        }
    }
}

fn work(ring: &Ring, history: &History, run: u32) {
    let mut bytes = Vec::with_capacity(2000);
    loop {
        bytes.clear();
        let Ok(Outcome::Done(claim)) = ring.claim(&mut bytes, Deadline::NEVER) else {
            history.damage.fetch_add(1, SeqCst);
            return;
        };
        if let Some((slot, number)) = count(history, &bytes) {
            let owner = history.claimed_by[slot][number].swap(run, SeqCst);
            if owner != 0 && history.living.iter().any(|living| living.load(SeqCst) == owner) {
                history.shared_claims.fetch_add(1, SeqCst);
            }
            history.claimed_by[slot][number].store(0, SeqCst);
        }
        if ring.acknowledge(&claim, Deadline::NEVER) != Ok(Outcome::Done(())) {
            history.damage.fetch_add(1, SeqCst);
        }
    }
}

/// xorshift64, seeded by the clock: a storm is another one each time.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC);
        Self(now.map_or(1, |now| now.tv_nsec() as u64 | 1))
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
