//! What signals do to this process, and to the COMMAND that it becomes: signal(2), sigaction(2).

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering};

use super::SignalSet;
use super::mask::change_mask;
use crate::signals::Signal;

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
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
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
    // SAFETY: the function is there for ever; that it does only what may be done there is asked of
    // the caller.
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
