//! What no mechanism can be faster than: a copy of the bytes, and a system call that does nothing.

use std::hint::black_box;
use std::time::Duration;

use nix::unistd::getppid;

use crate::sys::{memory, time};

/// The nanoseconds of a copy of so many bytes, which stay in the caches of one CPU if these hold
/// them twice: a mechanism between two processes copies each byte at least once.
pub fn copy(size: usize, duration: Duration) -> f64 {
    const BATCH: u64 = 64;
    let from = vec![1_u8; size];
    // The first copy writes to the pages for the first time, and is not timed.
    let mut to = from.clone();
    let (begin, end) = times(duration);
    let mut count = 0;
    loop {
        for _ in 0..BATCH {
            memory::copy_to(black_box(&mut to), black_box(&from));
        }
        count += BATCH;
        let now = time::monotonic();
        if now >= end {
            return (now - begin) as f64 / count as f64;
        }
    }
}

/// The nanoseconds of getppid(2).
pub fn system_call(duration: Duration) -> f64 {
    let (begin, end) = times(duration);
    let mut count = 0_u64;
    while time::monotonic() < end {
        for _ in 0..1000 {
            black_box(getppid());
        }
        count += 1000;
    }
    (time::monotonic() - begin) as f64 / count as f64
}

fn times(duration: Duration) -> (u64, u64) {
    let begin = time::monotonic();
    (begin, begin + u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 2))
}
