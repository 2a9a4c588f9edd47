//! The permissions that new objects of this process do not get: umask(2).

use nix::sys::stat::{Mode, umask};

/// Creates an object with exactly the permissions that `make` passes to the kernel. A change afterwards
/// would leave a moment with other permissions.
pub fn without<T>(make: impl FnOnce() -> T) -> T {
    // All threads of a process share the mask; no other thread creates anything meanwhile.
    let before = umask(Mode::empty());
    let made = make();
    umask(before);
    made
}

/// The mask.
pub fn current() -> u32 {
    // The only way to read it is to change it.
    let mask = umask(Mode::empty());
    umask(mask);
    mask.bits() as u32
}
