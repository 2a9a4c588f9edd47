//! PID namespaces, in which different threads have the same number.
//!
//! A process that holds a lock as number N, and one that waits for it as number N of another
//! namespace: when the kernel ends the second one, it must not free the lock of the first.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use ipc_suite::bench::Deadline;
use ipc_suite::bench::ring::{Outcome, Repair, Ring};
use nix::sched::{CloneFlags, unshare};

use crate::Form;
use crate::process::{Child, pause, within};
use crate::shared::{Atomics, QueuePath, Shared};

const MOST: usize = 1 << 25;

#[repr(C)]
struct History {
    next: AtomicU64,
    damage: AtomicU32,
    consumed: AtomicU64,
    pushed: [AtomicU32; MOST],
    popped: [AtomicU32; MOST],
}

// SAFETY: it consists of atomics.
unsafe impl Atomics for History {}

/// Runs a function as the first process of a new PID namespace; its killing takes that along.
fn in_new_namespace(run: impl FnOnce() -> u8) -> Child {
    Child::fork(|| {
        if unshare(CloneFlags::CLONE_NEWPID).is_err() {
            return 77;
        }
        // The death of its parent ends it, as that is asked for.
        let first = Child::fork(run);
        first.wait().map_or(1, |status| status as u8)
    })
}

pub fn prove(form: &Form) -> Vec<String> {
    if in_new_namespace(|| 0).wait() == Some(77) {
        println!("namespaces: only the superuser can make one");
        return Vec::new();
    }
    let mut faults = Vec::new();
    let path = QueuePath::new("namespaces");
    let ring = path.create(0o600, 8192);
    let writes_words = in_new_namespace(|| u8::from(path.open().locks_words())).wait();
    if !ring.locks_words() || writes_words != Some(0) {
        faults.push("a participant of another namespace writes its number".into());
    }
    faults.extend(storm(&path, &ring, *form));
    faults
}

/// Producers and consumers here and in namespaces of their own, where each has the same number.
fn storm(path: &QueuePath, ring: &Ring, form: Form) -> Vec<String> {
    let history: Shared<History> = Shared::new();
    let start = |place: usize| {
        let run = || {
            match place % 2 {
                0 => produce(&path.open(), &history),
                _ => consume(&path.open(), &history),
            }
            0
        };
        if place < 2 { Child::fork(run) } else { in_new_namespace(run) }
    };
    let mut children: Vec<Child> = (0..6).map(start).collect();
    let rounds = if form == Form::Short { 60 } else { 6000 };
    let mut consumer_kills = 0;
    for round in 0..rounds {
        pause(Duration::from_millis(5));
        let place = round % 6;
        consumer_kills += u32::from(place % 2 == 1);
        children[place] = start(place);
    }
    let is_used = within(Duration::from_secs(30), || history.consumed.load(SeqCst) > 100);
    consumer_kills += 3;
    children.clear();
    let mut faults = judge(ring, &history, consumer_kills);
    if !is_used {
        faults.push("nothing moves".into());
    }
    faults
}

/// Pushes numbers, as long as the history has room for them.
fn produce(ring: &Ring, history: &History) {
    loop {
        let number = history.next.fetch_add(1, SeqCst);
        let Some(message) = history.pushed.get(number as usize) else { return };
        match ring.push(&number.to_ne_bytes(), Deadline::NEVER) {
            Ok(Outcome::Done(())) => message.store(1, SeqCst),
            _ => drop(history.damage.fetch_add(1, SeqCst)),
        }
    }
}

fn consume(ring: &Ring, history: &History) {
    let mut bytes = Vec::with_capacity(64);
    loop {
        bytes.clear();
        let popped = ring.pop(&mut bytes, Deadline::NEVER);
        if popped != Ok(Outcome::Done(())) || !note(history, &bytes) {
            history.damage.fetch_add(1, SeqCst);
        }
    }
}

fn note(history: &History, bytes: &[u8]) -> bool {
    let Ok(number) = bytes.try_into() else { return false };
    history.consumed.fetch_add(1, SeqCst);
    let message = history.popped.get(u64::from_ne_bytes(number) as usize);
    message.map(|message| message.fetch_add(1, SeqCst)).is_some()
}

fn judge(ring: &Ring, history: &History, may_lose: u32) -> Vec<String> {
    let mut bytes = Vec::new();
    while ring.pop(&mut bytes, Deadline::PASSED) == Ok(Outcome::Done(())) {
        note(history, &bytes);
        bytes.clear();
    }
    let (mut lost, mut twice, mut pushed) = (0, 0, 0);
    let count = history.next.load(SeqCst) as usize;
    for (sent, got) in history.pushed.iter().zip(&history.popped).take(count) {
        let (sent, got) = (sent.load(SeqCst), got.load(SeqCst));
        pushed += sent;
        lost += u32::from(sent == 1 && got == 0);
        twice += u32::from(got > 1);
    }
    println!("namespaces: {pushed} pushes, {lost} lost with {may_lose} killed consumers");
    let damage = history.damage.load(SeqCst);
    let found = ring.verify(Repair::Never, Deadline::after(Duration::from_secs(10)));
    let is_wrong = [
        (lost > may_lose, format!("{lost} lost, of which {may_lose} may be")),
        (twice > 0, format!("{twice} came twice")),
        (damage > 0, format!("{damage} damaged")),
        (found != Ok(Outcome::Done(Vec::new())), format!("verify finds {found:?}")),
    ];
    is_wrong.into_iter().filter(|(is, _)| *is).map(|(_, fault)| fault).collect()
}
