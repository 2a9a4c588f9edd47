//! The scenarios: the operation of the victim, its peers, and the state of the queue before.

pub struct Scenario {
    pub name: &'static str,
    pub act: Act,
    /// The length of each message.
    pub length: usize,
    /// The messages a, b, c ... that are there.
    pub fill: usize,
    pub peers: &'static [Peer],
    pub arrival: Arrival,
    pub start: Start,
}

impl Scenario {
    pub fn short_length(&self) -> usize {
        if self.length < 200 { 20 } else { self.length }
    }
}

/// What the victim does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Act {
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
pub enum Peer {
    Pushes,
    Pops,
}

/// When the peers come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Arrival {
    /// They sleep already.
    Before,
    /// When the victim is at the point.
    AtPoint,
    /// When the victim holds a lock; its points begin there.
    WhenHeld,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Start {
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
