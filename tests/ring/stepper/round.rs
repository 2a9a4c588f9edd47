//! One round: a victim that is killed at a point, and its peers.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use ipc_suite::bench::ring::{Claim, Lines, Outcome, Ring};
use ipc_suite::bench::{Deadline, mutant};

use super::scenario::{Act, Arrival, Peer, Scenario, Start};
use super::step::{Step, Traced, stop_for_tracer};
use crate::Form;
use crate::process::Child;
use crate::shared::{Atomics, QueuePath, Shared};

pub(super) const CAPACITY: u64 = 4096;

/// After how many seconds a sleeper that was not woken looks by itself.
pub const LOOK: u64 = 6;

/// A peer that was woken is there before this, also where others use the CPU.
pub(super) const LATE: Duration = if mutant::is_possible() {
    Duration::from_secs(2)
} else {
    // There a sleeper looks by itself after a second.
    Duration::from_millis(700)
};

/// Nothing may take longer.
pub(super) const STUCK: Duration = Duration::from_secs(LOOK + 2);

#[repr(C)]
pub(super) struct World {
    /// 1 when the victim begins, 2 when it has ended.
    phase: AtomicU32,
    pub(super) peers: [PeerState; 2],
}

#[repr(C)]
pub(super) struct PeerState {
    /// 1 for a message, 2 for a closed queue.
    pub(super) done: AtomicU32,
    /// Nanoseconds of the monotonic clock.
    pub(super) when: AtomicU64,
    pub(super) length: AtomicU32,
    pub(super) bytes: [AtomicU8; 1024],
}

// SAFETY: both consist of atomics.
unsafe impl Atomics for World {}

/// One kill, and what is wrong after it.
pub struct Round {
    pub faults: Vec<String>,
    /// Whether the victim had done everything before the point.
    pub has_ended: bool,
    pub(super) waits: Vec<Duration>,
    pub(super) only_late: bool,
    pub(super) scenario: &'static Scenario,
    /// Of each message. Copying a short one is soon done, and is the same.
    pub(super) length: usize,
    path: QueuePath,
    pub(super) world: Shared<World>,
    /// What was popped, in this order, with its attempts.
    pub(super) got: Vec<(u8, u32)>,
    /// The other messages that were pushed, by the test.
    pub(super) pushed: Vec<u8>,
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

    pub(super) fn fault(&mut self, fault: String) {
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

    pub(super) fn message(&self, tag: u8) -> Vec<u8> {
        let byte = |i: usize| tag ^ ((i * 7) as u8);
        (0..self.length).map(byte).collect()
    }

    /// The tag of a message, or `?` for one that is damaged.
    pub(super) fn tag(&self, message: &[u8]) -> u8 {
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

    pub(super) fn start_peers(&self) -> Vec<Child> {
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
        // The processor zeroes memory by one instruction, which would be thousands of points.
        ring.prepare_batches().expect("there is memory");
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
}

fn claim(ring: &Ring) -> Claim {
    match ring.claim(&mut Vec::new(), Deadline::PASSED) {
        Ok(Outcome::Done(claim)) => claim,
        other => panic!("{other:?}"),
    }
}

pub(super) fn now() -> Duration {
    let clock = nix::time::ClockId::CLOCK_MONOTONIC;
    nix::time::clock_gettime(clock).expect("there is one").into()
}
