//! The mask of this thread, and the signals that it blocks: rt_sigprocmask(2), rt_sigpending(2),
//! rt_sigtimedwait(2), signalfd(2).

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use nix::sys::time::TimeSpec;

use super::{SignalSet, is_ignored};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::sys::{descriptor, time};

/// Blocks signals of this thread until it is dropped; then the mask is the one from before.
#[derive(Debug)]
pub struct Blocked {
    set: SignalSet,
    before: SignalSet,
}

impl Blocked {
    /// Blocks these signals besides those that are blocked already.
    pub fn new(set: SignalSet) -> Self {
        let before = change_mask(libc::SIG_BLOCK, set);
        Self { set, before }
    }

    /// Unblocks them while `work` runs. Pending ones take effect first.
    pub fn lifted<T>(&self, work: impl FnOnce() -> T) -> T {
        change_mask(libc::SIG_SETMASK, self.before);
        let result = work();
        change_mask(libc::SIG_BLOCK, self.set);
        result
    }

    /// Dequeues the next of the blocked signals.
    pub fn take(&self, deadline: Deadline) -> Result<Waited<Received>, Errno> {
        loop {
            let left = deadline.remaining().map(TimeSpec::from_duration);
            let mut info = MaybeUninit::<libc::siginfo_t>::uninit();
            // SAFETY: the set, the information and the time live through the call.
            let result = unsafe {
                libc::syscall(
                    libc::SYS_rt_sigtimedwait,
                    &raw const self.set,
                    info.as_mut_ptr(),
                    time::pointer(left.as_ref()),
                    size_of::<SignalSet>(),
                )
            };
            if let Some(signal) = i32::try_from(result).ok().and_then(Signal::new) {
                // SAFETY: the call succeeded, so the kernel wrote it.
                return Ok(Waited::Done(Received::new(signal, &unsafe { info.assume_init() })));
            }
            match Errno::last() {
                Errno(libc::EAGAIN) if deadline.has_passed() => return Ok(Waited::TimedOut),
                Errno(libc::EAGAIN | libc::EINTR) => {}
                errno => return Err(errno),
            }
        }
    }

    /// A descriptor that is readable while one of them is pending.
    pub fn descriptor(&self) -> Result<OwnedFd, Errno> {
        descriptor_of(self.set)
    }

    /// The same for those that will have an effect when they are unblocked.
    pub fn descriptor_of_effective(&self) -> Result<OwnedFd, Errno> {
        let set = Signal::all()
            .filter(|&signal| self.set.contains(signal))
            .filter(|&signal| !self.before.contains(signal) && !is_ignored(signal));
        descriptor_of(set.collect())
    }
}

fn descriptor_of(set: SignalSet) -> Result<OwnedFd, Errno> {
    // SAFETY: the set lives through the call, and its size is passed.
    let result = unsafe {
        libc::syscall(
            libc::SYS_signalfd4,
            -1,
            &raw const set,
            size_of::<SignalSet>(),
            libc::SFD_CLOEXEC | libc::SFD_NONBLOCK,
        )
    };
    // SAFETY: it is the result of the call above, and nothing else owns the descriptor.
    unsafe { descriptor::made(result) }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        change_mask(libc::SIG_SETMASK, self.before);
    }
}

/// Unblocks signals of this thread until it is dropped; then the mask is the one from before.
#[derive(Debug)]
pub struct Unblocked {
    before: SignalSet,
}

impl Unblocked {
    /// Unblocks these signals.
    pub fn new(set: SignalSet) -> Self {
        Self { before: change_mask(libc::SIG_UNBLOCK, set) }
    }
}

impl Drop for Unblocked {
    fn drop(&mut self) {
        change_mask(libc::SIG_SETMASK, self.before);
    }
}

/// A signal that was dequeued, and its sender and value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Received {
    /// The signal.
    pub signal: Signal,
    /// The process and the user that sent it; `None` for the kernel.
    pub sender: Option<(i32, u32)>,
    /// The value, if it was sent by sigqueue(3).
    pub value: Option<i32>,
}

impl Received {
    fn new(signal: Signal, info: &libc::siginfo_t) -> Self {
        let queued = info.si_code == libc::SI_QUEUE;
        let from_process = queued || matches!(info.si_code, libc::SI_USER | libc::SI_TKILL);
        Self {
            signal,
            sender: from_process.then(|| sender(info)),
            // SAFETY: with this code it has a value, and the low half of that is the integer.
            value: queued.then(|| unsafe { info.si_value() }.sival_ptr.addr() as i32),
        }
    }
}

/// The signals that are blocked in this thread.
pub fn mask() -> SignalSet {
    change_mask(libc::SIG_BLOCK, SignalSet::default())
}

/// The blocked signals that are pending for this thread or for the process.
pub fn pending() -> SignalSet {
    let mut pending = SignalSet::default();
    // It fails only for a size that the kernel does not know.
    // SAFETY: the set lives through the call, and its size is passed.
    unsafe { libc::syscall(libc::SYS_rt_sigpending, &raw mut pending, size_of::<SignalSet>()) };
    pending
}

/// Unblocks every signal, as a COMMAND expects it.
pub fn unblock_all() {
    change_mask(libc::SIG_SETMASK, SignalSet::default());
}

/// The process and the user of a signal that a process sent.
fn sender(info: &libc::siginfo_t) -> (i32, u32) {
    // SAFETY: the field has a number for every kind of signal.
    let pid = unsafe { info.si_pid() };
    // SAFETY: as above.
    let uid = unsafe { info.si_uid() };
    (pid, uid)
}

/// Changes the mask of this thread; returns the one before.
pub(super) fn change_mask(how: i32, set: SignalSet) -> SignalSet {
    let mut before = SignalSet::default();
    // It fails only for an unknown `how`.
    // SAFETY: both sets live through the call, and their size is passed.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            how,
            &raw const set,
            &raw mut before,
            size_of::<SignalSet>(),
        )
    };
    before
}
