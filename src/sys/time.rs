//! Times as system calls take them: timespec(3).

use nix::sys::time::TimeSpec;

/// Where a time is, for a call that takes a null pointer as well, for none. It may be used for as
/// long as the time is there.
pub fn pointer(time: Option<&TimeSpec>) -> *const libc::timespec {
    time.map_or(std::ptr::null(), |time| std::ptr::from_ref(time.as_ref()))
}
