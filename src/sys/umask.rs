//! The permissions that new objects of this process shall not have: umask(2).

use nix::sys::stat::{Mode, umask};

/// Makes an object whose permissions are exactly those that `make` asks the kernel for. Changing them
/// afterwards would leave a moment with others.
pub fn without<T>(make: impl FnOnce() -> T) -> T {
    // A process has one mask for all of its threads; no other thread makes anything meanwhile.
    let before = umask(Mode::empty());
    let made = make();
    umask(before);
    made
}

/// The mask.
pub fn current() -> u32 {
    // It can only be looked at by changing it.
    let mask = umask(Mode::empty());
    umask(mask);
    mask.bits() as u32
}
