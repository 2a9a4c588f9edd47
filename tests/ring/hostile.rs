//! A peer that writes anything anywhere into a queue that others may write, and cuts it off, while it
//! is used: no signal, no hang, nothing but what the queue can hold.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use ipc_suite::bench::Deadline;
use ipc_suite::bench::ring::{Lines, Repair, Ring, Tap};

use crate::Form;
use crate::process::{Child, pause, within};
use crate::shared::QueuePath;

const CAPACITY: u64 = 8192;

pub fn prove(form: &Form) -> Vec<String> {
    let rounds = if *form == Form::Short { 20 } else { 1000 };
    (0..rounds).filter_map(round).collect()
}

/// A queue, and a process that uses it while another damages it.
fn round(number: u64) -> Option<String> {
    let path = QueuePath::new("hostile");
    let ring = path.create(0o666, CAPACITY);
    let user = Child::fork(|| {
        let end = Deadline::after(Duration::from_millis(100));
        while !end.has_passed() {
            use_it(&ring);
        }
        0
    });
    let file = File::options().write(true).open(&*path).expect("it is there");
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let pid = user.pid();
    let has_ended = within(Duration::from_secs(60), || {
        for _ in 0..20 {
            damage(&file, &mut state);
        }
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_none_or(|rest| rest.trim_start().starts_with('Z'))
    });
    if !has_ended {
        return Some(format!("round {number}: it hangs"));
    }
    let status = user.wait();
    (status != Some(0)).then(|| format!("round {number}: it ends with {status:?}"))
}

fn damage(file: &File, state: &mut u64) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    let random = *state;
    let size = 4096 + CAPACITY;
    // Refused is as good as done.
    let _ = match random % 64 {
        0 => file.set_len((random >> 8) % (2 * size)),
        1 => file.set_len(size),
        2..32 => file.write_all_at(&[(random >> 40) as u8], 128 + (random >> 8) % 340),
        32..40 => file.write_all_at(&[0; 4], if random & 256 == 0 { 128 } else { 256 }),
        _ => file.write_all_at(&random.to_ne_bytes(), (random >> 8) % size),
    };
    if random % 256 == 7 {
        pause(Duration::from_micros(50));
    }
}

/// Does everything once. What comes of it is the peer's doing.
fn use_it(ring: &Ring) {
    let soon = || Deadline::after(Duration::from_millis(2));
    let mut bytes = Vec::new();
    let _ = ring.push(&[1; 200], soon());
    let _ = ring.push_batch([[2; 30].as_slice(), &[3; 40]].into_iter(), soon());
    let _ = ring.tap(&mut Tap::default(), &mut bytes, soon());
    let _ = ring.stat();
    let _ = ring.pop(&mut bytes, soon());
    let _ = ring.pop_batch(500, &mut Lines(0), &mut bytes, soon());
    let _ = ring.claim(&mut bytes, soon());
    let _ = ring.verify(Repair::WhatIsSafe, soon());
    assert!(bytes.len() as u64 <= 5 * CAPACITY, "more than the queue can hold");
}
