//! Times as system calls take them: timespec(3), clock_gettime(2), clock_nanosleep(2).

use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep};

/// A pointer to a time, or a null pointer for `None`. It is valid as long as the time.
pub fn pointer(time: Option<&TimeSpec>) -> *const libc::timespec {
    time.map_or(std::ptr::null(), |time| std::ptr::from_ref(time.as_ref()))
}

/// The time since the machine started, its sleep included: CLOCK_BOOTTIME of clock_gettime(2).
pub fn since_boot() -> Duration {
    // Linux always has this clock, and the call takes no other argument.
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from)
}

/// The monotonic clock in nanoseconds, which all processes share: CLOCK_MONOTONIC of
/// clock_gettime(2).
#[inline]
pub fn monotonic() -> u64 {
    // Linux always has this clock, and the call takes no other argument.
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |time| time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64)
}

/// The time that the CPUs have spent on this process: CLOCK_PROCESS_CPUTIME_ID of clock_gettime(2).
pub fn of_cpu() -> Duration {
    // Linux always has this clock, and the call takes no other argument.
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// Sleeps until the monotonic clock has reached a time in nanoseconds. A signal may end the sleep
/// earlier.
pub fn sleep_until(time: u64) {
    let time = TimeSpec::from_duration(Duration::from_nanos(time));
    let flags = ClockNanosleepFlags::TIMER_ABSTIME;
    // The only errors are signals.
    let _ = clock_nanosleep(ClockId::CLOCK_MONOTONIC, flags, &time);
}

/// The time of day in seconds since 1970, as the times of files.
pub fn seconds() -> i64 {
    const NANOSECONDS: u64 = 1_000_000_000;
    (now() / NANOSECONDS) as i64
}

/// The time of day in nanoseconds since 1970, for what outlives the process and a reboot:
/// CLOCK_REALTIME of clock_gettime(2).
pub fn now() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_REALTIME).map_or(Duration::ZERO, Duration::from);
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}
