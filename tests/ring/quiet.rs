//! While no participant sleeps, pushing and popping make no system call; and creating a queue where
//! there is no room leaves nothing.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use ipc_suite::bench::Deadline;
use ipc_suite::bench::ring::{Lines, Outcome, Ring};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};

use crate::Form;
use crate::process::Child;
use crate::shared::{Atomics, QueuePath, Shared};

#[repr(C)]
struct Phase(AtomicU32);

// SAFETY: it consists of atomics.
unsafe impl Atomics for Phase {}

pub fn prove(_: &Form) -> Vec<String> {
    let mut faults = Vec::new();
    let calls = count_calls();
    println!("quiet: 10000 rounds make {calls} system calls");
    if calls > 0 {
        faults.push(format!("{calls} system calls"));
    }
    faults.extend(
        Child::fork(create_in_full)
            .wait()
            .filter(|status| *status != 0)
            .map(|status| format!("creation where there is no room: {status}")),
    );
    faults
}

/// Has a process push and pop, and counts its system calls.
fn count_calls() -> usize {
    let (path, phase) = (QueuePath::new("quiet"), Shared::<Phase>::new());
    drop(path.create(0o600, 1 << 16));
    let child = Child::fork(|| {
        let (ring, mut bytes) = (path.open(), Vec::with_capacity(1 << 16));
        let messages: Vec<Vec<u8>> = (0..20).map(|length| vec![1; length * 13]).collect();
        crate::stepper::stop_for_tracer();
        phase.0.store(1, SeqCst);
        let is_done = (0..10_000).all(|_| pass(&ring, &messages, &mut bytes));
        phase.0.store(if is_done { 2 } else { 3 }, SeqCst);
        0
    });
    let pid = child.pid();
    let mut calls = 0;
    while let Ok(WaitStatus::Stopped(..)) = waitpid(pid, None) {
        if phase.0.load(SeqCst) == 1 {
            calls += 1;
        }
        // SAFETY: the call takes numbers only.
        unsafe { libc::ptrace(libc::PTRACE_SYSCALL, pid.as_raw(), 0, 0) };
    }
    std::mem::forget(child);
    assert_eq!(phase.0.load(SeqCst), 2, "everything came");
    calls
}

fn pass(ring: &Ring, messages: &[Vec<u8>], bytes: &mut Vec<u8>) -> bool {
    bytes.clear();
    let pushed = ring.push_batch(messages.iter().map(Vec::as_slice), Deadline::NEVER);
    let single = ring.push(&messages[7], Deadline::NEVER);
    let popped = ring.pop(bytes, Deadline::NEVER);
    let others = ring.pop_batch(1 << 15, &mut Lines(b'\n'), bytes, Deadline::NEVER);
    (pushed, single, popped, others)
        == (
            Ok(Outcome::Done(20)),
            Ok(Outcome::Done(())),
            Ok(Outcome::Done(())),
            Ok(Outcome::Done(20)),
        )
}

/// Makes queues in a file system of 64 KiB: one that fits, and one that does not.
fn create_in_full() -> u8 {
    if unshare(CloneFlags::CLONE_NEWNS).is_err() {
        println!("quiet: only the superuser can mount a small file system");
        return 0;
    }
    let (none, at) = (None::<&str>, Path::new("/mnt"));
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(none, "/", none, private, none).expect("it is allowed");
    mount(Some("tmpfs"), at, Some("tmpfs"), MsFlags::empty(), Some("size=64k")).expect("it is");
    let refused = Ring::create(&at.join("large"), 0o600, 1 << 20).map(drop);
    let is_full = format!("{refused:?}").contains(&format!("Errno({})", libc::ENOSPC));
    let is_empty = std::fs::read_dir(at).expect("it is there").next().is_none();
    let small = Ring::create(&at.join("small"), 0o600, 1 << 14);
    let fits = small.is_ok_and(|ring| {
        let room = ring.push(&vec![1; (1 << 14) - 16], Deadline::PASSED);
        room == Ok(Outcome::Done(()))
    });
    println!("quiet: {refused:?} where there is no room");
    u8::from(!is_full) + 2 * u8::from(!is_empty) + 4 * u8::from(!fits)
}
