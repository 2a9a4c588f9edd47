//! What the victim does, who waits for it, and what has to be true when it is dead.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ipc_suite::bench::ring::{Claim, Lines, Outcome, Repair, Ring, size_of_record};
use ipc_suite::bench::{Deadline, mutant};

use super::step::{Step, Traced, stop_for_tracer};
use crate::Form;
use crate::process::{Child, within};
use crate::shared::{Atomics, QueuePath, Shared};

pub struct Scenario {
    pub name: &'static str,
    act: Act,
    /// The length of each message.
    length: usize,
    /// The messages a, b, c ... that are there.
    fill: usize,
    peers: &'static [Peer],
    arrival: Arrival,
    start: Start,
}

impl Scenario {
    fn short_length(&self) -> usize {
        if self.length < 200 { 20 } else { self.length }
    }
}

/// What the victim does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Act {
    Push,
    PushBatch,
    Pop,
    PopBatch,
    Claim,
    /// It has made so many claims, acknowledged all of the later ones if so, and acknowledges this.
    Acknowledge {
        claims: usize,
        of: usize,
        others: bool,
    },
    Close,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Peer {
    Pushes,
    Pops,
}

/// When the peers come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Arrival {
    /// They sleep already.
    Before,
    /// When the victim is at the point.
    AtPoint,
    /// When the victim holds a lock; its points begin there.
    WhenHeld,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Start {
    Ordinary,
    /// The lock of the pushing side has these bits.
    Lock(u32),
    /// The positions are just before the end of the ring.
    NearEnd,
    /// The first message was claimed by another, which died.
    Returned,
    /// The victim does not trust the queue, the peers do.
    Distrusting,
}

const fn scenario(name: &'static str, act: Act, fill: usize, peers: &'static [Peer]) -> Scenario {
    let (arrival, start) = (Arrival::Before, Start::Ordinary);
    Scenario { name, act, length: 100, fill, peers, arrival, start }
}

const fn large(scenario: Scenario) -> Scenario {
    Scenario { length: 1000, ..scenario }
}

const fn arriving(arrival: Arrival, scenario: Scenario) -> Scenario {
    Scenario { arrival, ..scenario }
}

const fn starting(start: Start, scenario: Scenario) -> Scenario {
    Scenario { start, ..scenario }
}

const fn acknowledge(claims: usize, of: usize, others: bool) -> Act {
    Act::Acknowledge { claims, of, others }
}

use Arrival::{AtPoint, WhenHeld};
use Peer::{Pops, Pushes};

const DIED: u32 = libc::FUTEX_OWNER_DIED;
const DIED_WITH_WAITERS: u32 = libc::FUTEX_OWNER_DIED | libc::FUTEX_WAITERS;

pub const SCENARIOS: [Scenario; 26] = [
    scenario("push, a popper sleeps", Act::Push, 0, &[Pops]),
    scenario("push, nobody waits", Act::Push, 3, &[]),
    large(scenario("pop, a pusher sleeps", Act::Pop, 4, &[Pushes])),
    scenario("pop, nobody waits", Act::Pop, 3, &[]),
    starting(Start::Lock(DIED), scenario("push, the owner died", Act::Push, 2, &[])),
    starting(
        Start::Lock(DIED_WITH_WAITERS),
        scenario("push, the owner died and had waiters", Act::Push, 2, &[]),
    ),
    arriving(AtPoint, scenario("push, another pushes at the point", Act::Push, 3, &[Pushes])),
    arriving(AtPoint, scenario("push, a popper comes at the point", Act::Push, 0, &[Pops])),
    arriving(AtPoint, scenario("pop, another pops at the point", Act::Pop, 3, &[Pops])),
    arriving(AtPoint, large(scenario("pop, a pusher comes at the point", Act::Pop, 4, &[Pushes]))),
    arriving(WhenHeld, scenario("push, another waits for the lock", Act::Push, 3, &[Pushes])),
    arriving(
        WhenHeld,
        scenario("push, two others wait for the lock", Act::Push, 3, &[Pushes, Pushes]),
    ),
    arriving(WhenHeld, scenario("pop, two others wait for the lock", Act::Pop, 5, &[Pops, Pops])),
    scenario("push of a batch, a popper sleeps", Act::PushBatch, 0, &[Pops]),
    large(scenario("pop of a batch, a pusher sleeps", Act::PopBatch, 4, &[Pushes])),
    starting(Start::NearEnd, large(scenario("push across the end", Act::Push, 0, &[Pops]))),
    large(scenario("push sleeps in a full queue", Act::Push, 4, &[])),
    scenario("pop sleeps in an empty queue", Act::Pop, 0, &[]),
    scenario("claim", Act::Claim, 3, &[]),
    starting(Start::Returned, scenario("claim of one that was returned", Act::Claim, 3, &[])),
    scenario("acknowledge", acknowledge(1, 0, false), 3, &[]),
    large(scenario("acknowledge, a pusher sleeps", acknowledge(1, 0, false), 4, &[Pushes])),
    large(scenario(
        "acknowledge the head before others, a pusher sleeps",
        acknowledge(4, 0, true),
        4,
        &[Pushes],
    )),
    scenario("acknowledge behind an open claim", acknowledge(2, 1, false), 3, &[]),
    scenario("close, a popper sleeps", Act::Close, 0, &[Pops]),
    starting(
        Start::Distrusting,
        scenario("push of a stranger, a popper sleeps", Act::Push, 0, &[Pops]),
    ),
];

const CAPACITY: u64 = 4096;

/// After how many seconds a sleeper that was not woken looks by itself.
pub const LOOK: u64 = 6;

/// A peer that was woken is there before this, also where others use the CPU.
const LATE: Duration = if mutant::is_possible() {
    Duration::from_secs(2)
} else {
    // There a sleeper looks by itself after a second.
    Duration::from_millis(700)
};

/// Nothing may take longer.
const STUCK: Duration = Duration::from_secs(LOOK + 2);

#[repr(C)]
struct World {
    /// 1 when the victim begins, 2 when it has ended.
    phase: AtomicU32,
    peers: [PeerState; 2],
}

#[repr(C)]
struct PeerState {
    /// 1 for a message, 2 for a closed queue.
    done: AtomicU32,
    /// Nanoseconds of the monotonic clock.
    when: AtomicU64,
    length: AtomicU32,
    bytes: [AtomicU8; 1024],
}

// SAFETY: both consist of atomics.
unsafe impl Atomics for World {}

/// One kill, and what is wrong after it.
pub struct Round {
    pub faults: Vec<String>,
    /// Whether the victim had done everything before the point.
    pub has_ended: bool,
    waits: Vec<Duration>,
    only_late: bool,
    scenario: &'static Scenario,
    /// Of each message. Copying a short one is soon done, and is the same.
    length: usize,
    path: QueuePath,
    world: Shared<World>,
    /// What was popped, in this order, with its attempts.
    got: Vec<(u8, u32)>,
    /// What else was pushed, by us.
    pushed: Vec<u8>,
}

impl Round {
    /// Kills the victim at this point.
    pub fn run(scenario: &'static Scenario, form: Form, point: usize) -> Self {
        let mut round = Self {
            faults: Vec::new(),
            has_ended: false,
            waits: Vec::new(),
            only_late: true,
            scenario,
            length: if form == Form::Short { scenario.short_length() } else { scenario.length },
            path: QueuePath::new("step"),
            world: Shared::new(),
            got: Vec::new(),
            pushed: Vec::new(),
        };
        let ring = round.set_up();
        round.kill_at(&ring, form, point);
        round
    }

    pub fn is_only_late(&self) -> bool {
        !self.faults.is_empty() && self.only_late
    }

    pub fn longest(&self) -> Duration {
        self.waits.iter().copied().max().unwrap_or_default()
    }

    fn fault(&mut self, fault: String) {
        self.only_late = false;
        self.faults.push(fault);
    }

    fn set_up(&self) -> Ring {
        let ring = self.path.create(0o600, CAPACITY);
        if self.scenario.start == Start::NearEnd {
            let filler = vec![0; (CAPACITY - 504) as usize - 16];
            assert_eq!(ring.push(&filler, Deadline::PASSED), Ok(Outcome::Done(())));
            assert_eq!(ring.pop(&mut Vec::new(), Deadline::PASSED), Ok(Outcome::Done(())));
        }
        for tag in 0..self.scenario.fill {
            let message = self.message(b'a' + tag as u8);
            assert_eq!(ring.push(&message, Deadline::PASSED), Ok(Outcome::Done(())));
        }
        match self.scenario.start {
            Start::Lock(bits) => {
                use std::os::unix::fs::FileExt;
                let file = std::fs::File::options().write(true).open(&*self.path).expect("it is");
                file.write_all_at(&bits.to_ne_bytes(), 128).expect("it can be written");
            }
            Start::Returned => drop(claim(&ring)),
            _ => {}
        }
        ring
    }

    fn message(&self, tag: u8) -> Vec<u8> {
        let byte = |i: usize| tag ^ ((i * 7) as u8);
        (0..self.length).map(byte).collect()
    }

    /// The tag of a message, or `?` for one that is damaged.
    fn tag(&self, message: &[u8]) -> u8 {
        match message.first() {
            Some(&tag) if self.message(tag) == message => tag,
            _ => b'?',
        }
    }

    fn kill_at(&mut self, ring: &Ring, form: Form, point: usize) {
        let mut peers = Vec::new();
        if self.scenario.arrival == Arrival::Before {
            peers = self.start_peers();
        }
        if self.scenario.start == Start::Distrusting {
            let permissions = std::fs::Permissions::from_mode(0o666);
            std::fs::set_permissions(&*self.path, permissions).expect("it is ours");
        }
        let mut victim = Traced::new(Child::fork(|| self.victim()), &self.path);
        while self.world.phase.load(Ordering::SeqCst) != 1 {
            let _ = victim.step();
        }
        self.walk(ring, form, point, &mut victim, &mut peers);
        if self.scenario.arrival == Arrival::AtPoint && !self.has_ended {
            peers = self.start_peers();
        }
        victim.child.kill();
        self.check(ring, &peers);
    }

    /// Runs the victim to the point, or to its end.
    fn walk(
        &mut self,
        ring: &Ring,
        form: Form,
        point: usize,
        victim: &mut Traced,
        peers: &mut Vec<Child>,
    ) {
        let (mut at, mut helped) = (0, false);
        let is_held = self.scenario.arrival == Arrival::WhenHeld;
        loop {
            if self.world.phase.load(Ordering::SeqCst) == 2 {
                self.has_ended = true;
                return;
            }
            if is_held && peers.is_empty() && self.is_held_by(victim) {
                *peers = self.start_peers();
            }
            let counts = !is_held || !peers.is_empty();
            if counts && at == point {
                return;
            }
            let mut step = victim.step();
            if step == Step::Asleep {
                if at + 1 == point {
                    return;
                }
                if !std::mem::replace(&mut helped, true) {
                    self.help(ring);
                }
                step = victim.finish_sleep();
            }
            if counts && (step == Step::Effect || form == Form::Long) {
                at += 1;
            }
        }
    }

    /// Gives the victim what it sleeps for.
    fn help(&mut self, ring: &Ring) {
        match self.scenario.act {
            Act::Push => self.pop_one(ring),
            Act::Pop => self.push_one(ring, b'm'),
            _ => panic!("the victim sleeps"),
        }
    }

    fn is_held_by(&self, victim: &Traced) -> bool {
        use std::os::unix::fs::FileExt;
        let at = if self.scenario.act == Act::Pop { 256 } else { 128 };
        let (file, mut word) = (std::fs::File::open(&*self.path).expect("it is there"), [0; 4]);
        file.read_exact_at(&mut word, at).expect("it is there");
        u32::from_ne_bytes(word) & 0x3fff_ffff == victim.child.pid().as_raw() as u32
    }

    fn start_peers(&self) -> Vec<Child> {
        let peers: Vec<Child> = self
            .scenario
            .peers
            .iter()
            .enumerate()
            .map(|(place, peer)| Child::fork(|| self.peer(place, *peer)))
            .collect();
        for (peer, state) in peers.iter().zip(&self.world.peers) {
            peer.wait_until_asleep(|| state.done.load(Ordering::SeqCst) != 0);
        }
        peers
    }

    fn peer(&self, place: usize, peer: Peer) -> u8 {
        let (ring, state) = (self.path.open(), &self.world.peers[place]);
        let mut bytes = Vec::with_capacity(2000);
        let outcome = match peer {
            Peer::Pushes => ring.push(&self.message(b'x' + place as u8), Deadline::NEVER),
            Peer::Pops => ring.pop(&mut bytes, Deadline::NEVER),
        };
        for (to, from) in state.bytes.iter().zip(&bytes) {
            to.store(*from, Ordering::Relaxed);
        }
        state.length.store(bytes.len() as u32, Ordering::Relaxed);
        state.when.store(now().as_nanos() as u64, Ordering::Relaxed);
        let done = if outcome == Ok(Outcome::Closed) { 2 } else { 1 };
        state.done.store(done, Ordering::SeqCst);
        0
    }

    fn victim(&self) -> u8 {
        let ring = self.path.open();
        let (message, mut bytes) = (self.message(b'V'), Vec::with_capacity(8000));
        let batch: Vec<Vec<u8>> = (b'0'..b'3').map(|tag| self.message(tag)).collect();
        let claims = self.prepare_claims(&ring);
        stop_for_tracer();
        self.world.phase.store(1, Ordering::SeqCst);
        let is_done = match self.scenario.act {
            Act::Push => ring.push(&message, Deadline::NEVER).is_ok(),
            Act::PushBatch => {
                let messages = batch.iter().map(Vec::as_slice);
                ring.push_batch(messages, Deadline::NEVER) == Ok(Outcome::Done(3))
            }
            Act::Pop => ring.pop(&mut bytes, Deadline::NEVER).is_ok(),
            Act::PopBatch => {
                ring.pop_batch(2500, &mut Lines(0), &mut bytes, Deadline::NEVER).is_ok()
            }
            Act::Claim => {
                let claimed = ring.claim(&mut bytes, Deadline::NEVER);
                // It stays claimed until the process ends.
                claimed.map(std::mem::forget).is_ok()
            }
            Act::Acknowledge { of, .. } => {
                ring.acknowledge(&claims[of], Deadline::NEVER) == Ok(Outcome::Done(()))
            }
            Act::Close => ring.close(Deadline::NEVER).is_ok(),
        };
        self.world.phase.store(if is_done { 2 } else { 3 }, Ordering::SeqCst);
        loop {
            nix::unistd::pause();
        }
    }

    fn prepare_claims(&self, ring: &Ring) -> Vec<Claim> {
        let Act::Acknowledge { claims, of, others } = self.scenario.act else { return Vec::new() };
        let claimed: Vec<Claim> = (0..claims).map(|_| claim(ring)).collect();
        for (place, claim) in claimed.iter().enumerate().filter(|(place, _)| others && *place != of)
        {
            let done = ring.acknowledge(claim, Deadline::PASSED);
            assert_eq!(done, Ok(Outcome::Done(())), "claim {place}");
        }
        claimed
    }

    fn check(&mut self, ring: &Ring, peers: &[Child]) {
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

    fn push_one(&mut self, ring: &Ring, tag: u8) {
        let message = self.message(tag);
        let pushed = self.timed(|| ring.push(&message, Deadline::after(STUCK)));
        if pushed != Ok(Outcome::Done(())) {
            self.fault(format!("a push after it: {pushed:?}"));
        }
        self.pushed.push(tag);
    }

    fn pop_one(&mut self, ring: &Ring) {
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

fn claim(ring: &Ring) -> Claim {
    match ring.claim(&mut Vec::new(), Deadline::PASSED) {
        Ok(Outcome::Done(claim)) => claim,
        other => panic!("{other:?}"),
    }
}

fn now() -> Duration {
    let clock = nix::time::ClockId::CLOCK_MONOTONIC;
    nix::time::clock_gettime(clock).expect("there is one").into()
}
