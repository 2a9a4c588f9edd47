//! What no mechanism can be faster than: a copy of the bytes, and a system call that does nothing.

use std::hint::black_box;
use std::time::Duration;

use nix::unistd::getppid;

use crate::sys::time;

/// The memory that copies go through: more than the caches of a CPU hold.
const SPAN: usize = 64 << 20;

/// The nanoseconds of a copy of so many bytes from memory to memory, neither of which is in the
/// caches.
pub fn copy(size: usize, duration: Duration) -> f64 {
    let span = SPAN.max(size * 2);
    let from = vec![1_u8; span];
    let mut to = vec![0_u8; span];
    let places = span / size;
    let (begin, end) = times(duration);
    let mut count = 0_u64;
    loop {
        for place in 0..places {
            let bytes = place * size..(place + 1) * size;
            black_box(&mut to[bytes.clone()]).copy_from_slice(black_box(&from[bytes]));
            count += 1;
            if count.is_multiple_of(256) && time::monotonic() >= end {
                return (time::monotonic() - begin) as f64 / count as f64;
            }
        }
        if time::monotonic() >= end {
            return (time::monotonic() - begin) as f64 / count as f64;
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
