//! Lock words that the kernel marks when their holder ends: get_robust_list(2), set_robust_list(2).
//!
//! When a thread ends, in any way, the kernel checks one address: the pending operation. If the
//! word there holds the thread number, the kernel replaces it with FUTEX_OWNER_DIED and wakes a
//! waiter; if the word is 0, the kernel wakes a waiter. This module does not change the list
//! itself, which C libraries use for their mutexes.

use std::mem::offset_of;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering, compiler_fence};

use crate::base::errno::Errno;

/// `struct robust_list_head` of the kernel.
#[derive(Debug)]
#[repr(C)]
struct Head {
    /// The first entry of the list; the head itself if the list is empty.
    next: *const Head,
    /// The distance from an address in the list to its word.
    offset: libc::c_long,
    pending: *const u8,
}

/// The robust list of the thread that created this value. Another thread, or a child after fork(2),
/// cannot use it, so it is not `Send`.
#[derive(Debug)]
pub struct RobustList {
    /// The location of the address of the pending operation.
    pending: NonNull<*const u8>,
    offset: isize,
    thread: u32,
}

impl RobustList {
    /// Finds the list of this thread, and registers one if there is none.
    ///
    /// # Errors
    /// ENOSYS if the kernel does not support robust lists.
    pub fn of_this_thread() -> Result<Self, Errno> {
        let (mut head, mut length) = (ptr::null_mut::<Head>(), 0_usize);
        // SAFETY: both live through the call.
        let result =
            unsafe { libc::syscall(libc::SYS_get_robust_list, 0, &raw mut head, &raw mut length) };
        Errno::check(result)?;
        let head = match NonNull::new(head) {
            Some(head) => head,
            None => register()?,
        };
        // SAFETY: it is within the head, which stays until the thread ends.
        let offset = unsafe { head.byte_add(offset_of!(Head, offset)) }.cast::<libc::c_long>();
        // SAFETY: as above; only this thread changes it.
        let offset = unsafe { offset.read() };
        // SAFETY: it is within the head.
        let pending = unsafe { head.byte_add(offset_of!(Head, pending)) }.cast();
        let thread = nix::unistd::gettid().as_raw() as u32;
        Ok(Self { pending, offset: offset as isize, thread })
    }

    /// The number of the thread.
    #[inline]
    pub fn thread(&self) -> u32 {
        self.thread
    }

    /// Makes the kernel check this word when the thread ends. The word must stay mapped until
    /// [`RobustList::clear`].
    #[inline(always)]
    pub fn set(&self, word: &AtomicU32) {
        self.put(word.as_ptr().cast::<u8>().wrapping_offset(-self.offset));
    }

    /// Makes the kernel check no word.
    #[inline(always)]
    pub fn clear(&self) {
        self.put(ptr::null());
    }

    #[inline(always)]
    fn put(&self, pending: *const u8) {
        compiler_fence(Ordering::SeqCst);
        // SAFETY: the head belongs to this thread. Only the kernel reads it, when the thread ends.
        unsafe { self.pending.write_volatile(pending) };
        compiler_fence(Ordering::SeqCst);
    }
}

/// Registers a list for a thread whose C library has registered none.
///
/// It is not thread-local: the C library has room for 112 bytes of these at start-up, and maps memory
/// for more. Its 24 bytes are never freed, since the kernel reads them when the thread ends.
fn register() -> Result<NonNull<Head>, Errno> {
    let head = Box::leak(Box::new(Head { next: ptr::null(), offset: 0, pending: ptr::null() }));
    head.next = head;
    let head = ptr::from_mut(head);
    // SAFETY: the head stays until the thread ends.
    let result = unsafe { libc::syscall(libc::SYS_set_robust_list, head, size_of::<Head>()) };
    Errno::check(result)?;
    NonNull::new(head).ok_or(Errno(libc::EFAULT))
}

/// Whether a thread with this number exists, as far as this process can see.
pub fn has_thread(thread: u32) -> bool {
    let Ok(thread) = i32::try_from(thread) else { return true };
    // kill(2) takes a number of 0 or less as more than one process.
    if thread <= 0 {
        return true;
    }
    // SAFETY: the call takes numbers only, and 0 is no signal.
    let result = unsafe { libc::kill(thread, 0) };
    Errno::check(result) != Err(Errno(libc::ESRCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_ends_with_a_word_leaves_a_mark_in_it() {
        let word = AtomicU32::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let list = RobustList::of_this_thread().unwrap();
                list.set(&word);
                word.store(list.thread(), Ordering::SeqCst);
            });
        });
        // The scope ends a moment before the thread does.
        let end = crate::base::deadline::Deadline::after(std::time::Duration::from_secs(20));
        while word.load(Ordering::SeqCst) & libc::FUTEX_OWNER_DIED == 0 && !end.has_passed() {
            std::thread::yield_now();
        }
        assert_eq!(word.load(Ordering::SeqCst), libc::FUTEX_OWNER_DIED);
    }
}
