//! Sleeping until a word of shared memory changes: futex(2).

use std::sync::atomic::AtomicU32;

use super::time;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;

/// Sleeps while the word has the value `expected`, until another thread or process wakes it.
///
/// It may also return without a reason, so that the caller checks the word again. The word may be in
/// memory that processes share.
pub fn wait(word: &AtomicU32, expected: u32, deadline: Deadline) -> Result<Waited, Errno> {
    let at = deadline.on_clock();
    // FUTEX_WAIT_BITSET takes an absolute time on the monotonic clock, which FUTEX_WAIT does not.
    // SAFETY: the word and the time live through the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT_BITSET,
            expected,
            time::pointer(at.as_ref()),
            std::ptr::null::<u32>(),
            libc::FUTEX_BITSET_MATCH_ANY,
        )
    };
    match (result, Errno::last()) {
        (0, _) | (_, Errno(libc::EAGAIN | libc::EINTR)) => Ok(Waited::Done(())),
        (_, Errno(libc::ETIMEDOUT)) => Ok(Waited::TimedOut),
        (_, errno) => Err(errno),
    }
}

/// Wakes up to `count` waiters of the word.
pub fn wake(word: &AtomicU32, count: i32) {
    // The call fails only for an invalid address.
    // SAFETY: the word is valid memory.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, count) };
}

/// Sleeps while both words have their expected values, until a waiter of one of them is woken.
///
/// It may return for no reason, as [`wait`] may. Kernels before 5.16 wait for the first word only.
pub fn wait_for_either(words: [(&AtomicU32, u32); 2], deadline: Deadline) -> Result<Waited, Errno> {
    let waiters = words.map(|(word, expected)| Waiter {
        expected: expected.into(),
        address: word.as_ptr().expose_provenance() as u64,
        flags: SIZE_32,
        reserved: 0,
    });
    let at = deadline.on_clock();
    // SAFETY: the words, the waiters and the time live through the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_futex_waitv,
            waiters.as_ptr(),
            waiters.len(),
            0,
            time::pointer(at.as_ref()),
            libc::CLOCK_MONOTONIC,
        )
    };
    match (result, Errno::last()) {
        (0.., _) | (_, Errno(libc::EAGAIN | libc::EINTR)) => Ok(Waited::Done(())),
        (_, Errno(libc::ETIMEDOUT)) => Ok(Waited::TimedOut),
        // A kernel before 5.16, and some sandboxes, do not have the call.
        (_, Errno(libc::ENOSYS | libc::EPERM)) => wait(words[0].0, words[0].1, deadline),
        (_, errno) => Err(errno),
    }
}

/// Adds 1 to the word and wakes all its waiters in one call, so that a process that is killed has
/// done both or nothing.
pub fn add_and_wake_all(word: &AtomicU32) {
    /// FUTEX_OP_ADD 1, and FUTEX_OP_CMP_EQ 0 for the second word, which is the same.
    const ADD_ONE: u32 = 1 << 28 | 1 << 12;
    change_and_wake(word, i32::MAX, ADD_ONE);
}

/// Sets the word to 0 and wakes one of those that sleep on it, in one call.
pub fn clear_and_wake_one(word: &AtomicU32) {
    /// FUTEX_OP_SET 0, and FUTEX_OP_CMP_EQ 0 for the second word, which is the same.
    const SET_ZERO: u32 = 0;
    change_and_wake(word, 1, SET_ZERO);
}

fn change_and_wake(word: &AtomicU32, count: i32, operation: u32) {
    // The call fails only for an invalid address.
    // SAFETY: the word is valid memory.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAKE_OP,
            count,
            0_usize,
            word.as_ptr(),
            operation,
        )
    };
}

/// `struct futex_waitv` of the kernel.
#[repr(C)]
struct Waiter {
    expected: u64,
    address: u64,
    flags: u32,
    reserved: u32,
}

/// The word has 32 bits; without FUTEX_PRIVATE_FLAG, processes share it.
const SIZE_32: u32 = 2;
