//! Times as system calls take them: timespec(3).

use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};

/// A pointer to a time, or a null pointer for `None`. It is valid as long as the time.
pub fn pointer(time: Option<&TimeSpec>) -> *const libc::timespec {
    time.map_or(std::ptr::null(), |time| std::ptr::from_ref(time.as_ref()))
}

/// The time since the machine started, its sleep included: CLOCK_BOOTTIME of clock_gettime(2).
pub fn since_boot() -> Duration {
    // Linux always has this clock, and the call takes no other argument.
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from)
}

/// The time of day in nanoseconds since 1970, for what outlives the process and a reboot:
/// CLOCK_REALTIME of clock_gettime(2).
pub fn now() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_REALTIME).map_or(Duration::ZERO, Duration::from);
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}
