//! Times as system calls take them: timespec(3).

use nix::sys::time::TimeSpec;

/// A pointer to a time, or a null pointer for `None`. It is valid as long as the time.
pub fn pointer(time: Option<&TimeSpec>) -> *const libc::timespec {
    time.map_or(std::ptr::null(), |time| std::ptr::from_ref(time.as_ref()))
}
