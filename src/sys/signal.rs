//! Signals of this process: dispositions, the mask, and taking what is blocked.
//!
//! Sets of signals are handed to the kernel as they are, since musl's functions leave out those
//! that it keeps for itself, which others may well send.

use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;
use crate::signals::Signal;

/// A set of signals, as the kernel has it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(transparent)]
pub struct SignalSet(u64);

impl SignalSet {
    /// The set that `/proc` shows in hexadecimal.
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The same for functions of the C library, which look at the bits alone.
    pub(super) fn for_c_library(self) -> nix::sys::signal::SigSet {
        let mut set = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: a set of the library begins with the kernel's, and is no smaller.
        unsafe { set.as_mut_ptr().cast::<u64>().write(self.0) };
        // SAFETY: every bit of it is written.
        let set = unsafe { set.assume_init() };
        // SAFETY: it is a set as sigemptyset(3) and sigaddset(3) would have made it.
        unsafe { nix::sys::signal::SigSet::from_sigset_t_unchecked(set) }
    }

    /// Whether it has the signal.
    pub fn contains(self, signal: Signal) -> bool {
        self.0 & bit(signal) != 0
    }
}

impl FromIterator<Signal> for SignalSet {
    fn from_iter<I: IntoIterator<Item = Signal>>(signals: I) -> Self {
        Self(signals.into_iter().fold(0, |set, signal| set | bit(signal)))
    }
}

fn bit(signal: Signal) -> u64 {
    1 << (signal.number() - 1)
}

/// Blocks signals of this thread for as long as it lives; then the mask is what it was.
#[derive(Debug)]
pub struct Blocked {
    set: SignalSet,
    before: SignalSet,
}

/// Lets signals of this thread through for as long as it lives; then the mask is what it was.
#[derive(Debug)]
pub struct Unblocked {
    before: SignalSet,
}

impl Unblocked {
    /// Lets these through.
    pub fn new(set: SignalSet) -> Self {
        Self { before: change_mask(libc::SIG_UNBLOCK, set) }
    }
}

impl Drop for Unblocked {
    fn drop(&mut self) {
        change_mask(libc::SIG_SETMASK, self.before);
    }
}

/// A signal that was taken from the queue, and what its sender told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Received {
    /// The signal.
    pub signal: Signal,
    /// Who sent it: process and user; the kernel itself has neither.
    pub sender: Option<(i32, u32)>,
    /// The value of sigqueue(3), where it was sent so.
    pub value: Option<i32>,
}

impl Blocked {
    /// Blocks these besides what is blocked already.
    pub fn new(set: SignalSet) -> Self {
        let before = change_mask(libc::SIG_BLOCK, set);
        Self { set, before }
    }

    /// Lets them through while `work` is done: those that came since have their effect first.
    pub fn lifted<T>(&self, work: impl FnOnce() -> T) -> T {
        change_mask(libc::SIG_SETMASK, self.before);
        let result = work();
        change_mask(libc::SIG_BLOCK, self.set);
        result
    }

    /// Takes the next of the blocked signals from the queue.
    pub fn take(&self, deadline: Deadline) -> Result<Waited<Received>, Errno> {
        loop {
            let left = deadline.remaining().map(nix::sys::time::TimeSpec::from_duration);
            let left = left.as_ref().map_or(std::ptr::null(), |left| left.as_ref());
            let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::uninit();
            // SAFETY: the set, the information and the time live through the call.
            let result = unsafe {
                libc::syscall(
                    libc::SYS_rt_sigtimedwait,
                    &raw const self.set,
                    info.as_mut_ptr(),
                    left,
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
}

impl Blocked {
    /// A descriptor that is readable for as long as one of them waits to be taken.
    pub fn descriptor(&self) -> Result<OwnedFd, Errno> {
        // SAFETY: the set lives through the call, and has the size that is told.
        let fd = unsafe {
            libc::syscall(
                libc::SYS_signalfd4,
                -1,
                &raw const self.set,
                size_of::<SignalSet>(),
                libc::SFD_CLOEXEC | libc::SFD_NONBLOCK,
            )
        };
        match i32::try_from(fd) {
            // SAFETY: the kernel has just made it, and nobody else knows the number.
            Ok(fd @ 0..) => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
            _ => Err(Errno::last()),
        }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        change_mask(libc::SIG_SETMASK, self.before);
    }
}

impl Received {
    fn new(signal: Signal, info: &libc::siginfo_t) -> Self {
        let queued = info.si_code == libc::SI_QUEUE;
        let from_process = queued || matches!(info.si_code, libc::SI_USER | libc::SI_TKILL);
        Self {
            signal,
            sender: from_process.then(|| sender(info)),
            // SAFETY: the code says that it carries a value, of which the low half is the integer.
            value: queued.then(|| unsafe { info.si_value() }.sival_ptr.addr() as i32),
        }
    }
}

/// The process and the user that a signal is from, if it is one that a process sent.
fn sender(info: &libc::siginfo_t) -> (i32, u32) {
    // SAFETY: all that the kernel puts here is numbers, whoever sent the signal.
    let pid = unsafe { info.si_pid() };
    // SAFETY: as above.
    let uid = unsafe { info.si_uid() };
    (pid, uid)
}

/// Changes the mask of this thread; returns the one before.
fn change_mask(how: i32, set: SignalSet) -> SignalSet {
    let mut before = SignalSet::default();
    // It fails only for an unknown `how`.
    // SAFETY: both sets live through the call, and have the size that is told.
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

/// Lets writes fail rather than end us: to a pipe without a reader with EPIPE, so that a peer who
/// left is an error and a reader of stdout who left is not; and beyond the limit for files, which
/// RLIMIT_FSIZE sets, with EFBIG.
pub fn let_writes_fail() {
    let ours = [Signal::PIPE, Signal::XFSZ].into_iter();
    let changed: SignalSet =
        ours.filter(|&signal| set_disposition(signal, libc::SIG_IGN) == libc::SIG_DFL).collect();
    CHANGED.store(changed.0, Ordering::Relaxed);
}

/// Those that [`let_writes_fail`] has changed.
static CHANGED: AtomicU64 = AtomicU64::new(0);

/// The signals that we ignore and our caller does not.
pub fn defaults_of_our_caller() -> SignalSet {
    SignalSet(CHANGED.load(Ordering::Relaxed))
}

/// Gives signals back the dispositions that they had when we began.
pub fn restore_dispositions_of_our_caller() {
    let changed = defaults_of_our_caller();
    for signal in Signal::all().filter(|&signal| changed.contains(signal)) {
        set_disposition(signal, libc::SIG_DFL);
    }
}

/// The signals that are blocked in this thread.
pub fn mask() -> SignalSet {
    change_mask(libc::SIG_BLOCK, SignalSet::default())
}

/// Has children wait to be reaped when they have ended, even where our caller ignores CHLD.
pub fn await_children() {
    set_disposition(Signal::CHLD, libc::SIG_DFL);
}

/// Gives every signal that is ignored its default disposition, as a COMMAND expects them, even where
/// our caller ignores it; but for HUP, as a command under nohup(1) shall go on. What we handle
/// becomes the default when the COMMAND is executed, and until then we need it.
pub fn restore_dispositions() {
    for signal in Signal::all().filter(|&signal| signal != Signal::HUP) {
        if is_ignored(signal) {
            set_disposition(signal, libc::SIG_DFL);
        }
    }
}

/// Lets every signal through, as a COMMAND expects it.
pub fn unblock_all() {
    change_mask(libc::SIG_SETMASK, SignalSet::default());
}

/// What signals do to a COMMAND, where it is not what they do by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dispositions {
    /// They do nothing.
    pub ignore: SignalSet,
    /// They have their default effect, whatever they have here.
    pub default: SignalSet,
    /// They wait.
    pub block: SignalSet,
}

impl Dispositions {
    /// Has them do this to us, before we become the COMMAND.
    pub fn apply(self) {
        for signal in Signal::all() {
            if self.ignore.contains(signal) {
                set_disposition(signal, libc::SIG_IGN);
            } else if self.default.contains(signal) {
                set_disposition(signal, libc::SIG_DFL);
            }
        }
        change_mask(libc::SIG_SETMASK, self.block);
    }
}

/// Lets the signal do nothing to this process from now on.
pub fn ignore(signal: Signal) {
    set_disposition(signal, libc::SIG_IGN);
}

/// Lets the signal have its default effect from now on.
pub fn restore(signal: Signal) {
    set_disposition(signal, libc::SIG_DFL);
}

/// Whether our caller had us ignore the signal, as nohup(1) does with HUP and a shell with INT for
/// what it runs in the background.
pub fn is_ignored(signal: Signal) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: nothing is changed, and there is room for what the kernel tells.
    let result = unsafe { libc::sigaction(signal.number(), std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: zeros are a value of it, which the kernel may have overwritten with another.
    let action = unsafe { action.assume_init() };
    result == 0 && action.sa_sigaction == libc::SIG_IGN
}

/// Has a function called when the signal comes. A signal that our caller ignores stays ignored. The
/// function makes no calls but those that signal-safety(7) allows.
pub fn handle(signal: Signal, handler: extern "C" fn(i32)) {
    if catch(signal, handler) == libc::SIG_IGN {
        set_disposition(signal, libc::SIG_IGN);
    }
}

/// The same for a signal whatever our caller did with it, which is told.
pub fn catch(signal: Signal, handler: extern "C" fn(i32)) -> libc::sighandler_t {
    // SAFETY: the function is there for ever, and does only what may be done there.
    unsafe { libc::signal(signal.number(), handler as libc::sighandler_t) }
}

/// Changes a disposition to one of the two of the kernel's; returns the one before.
fn set_disposition(signal: Signal, disposition: libc::sighandler_t) -> libc::sighandler_t {
    // KILL and STOP refuse, and have the default anyway.
    // SAFETY: no handler of ours is involved.
    unsafe { libc::signal(signal.number(), disposition) }
}

/// Ends this process by the signal, as it would have ended without us. For a signal that ends
/// nobody it returns.
pub fn die_of(signal: Signal) {
    change_mask(libc::SIG_UNBLOCK, [signal].into_iter().collect());
    // Refused only for signals that cannot be emulated, for which the caller has a status.
    let _ = signal_hook::low_level::emulate_default_handler(signal.number());
}
