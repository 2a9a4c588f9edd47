//! The dispositions of signals in this process and in the COMMAND that it becomes: signal(2),
//! sigaction(2).

use std::sync::atomic::{AtomicU64, Ordering};

use super::SignalSet;
use super::mask::change_mask;
use crate::base::signal::{Action, Signal};

/// Ignores the signals of failed writes, which would end the process. A write to a pipe without a
/// reader fails with EPIPE, so that a verb can report a peer that has left; a write beyond
/// RLIMIT_FSIZE fails with EFBIG.
pub fn let_writes_fail() {
    let ignored = [Signal::PIPE, Signal::XFSZ].into_iter();
    let changed: SignalSet =
        ignored.filter(|&signal| set_disposition(signal, libc::SIG_IGN) == libc::SIG_DFL).collect();
    CHANGED.store(changed.0, Ordering::Relaxed);
}

/// The signals whose dispositions [`let_writes_fail`] has changed.
static CHANGED: AtomicU64 = AtomicU64::new(0);

/// The signals that have their default effect in the caller, although this process ignores them, or
/// the C library would ignore them in a COMMAND.
pub fn defaults_of_caller() -> SignalSet {
    let kept = kept_by_c_libraries().filter(|&signal| !is_ignored(signal));
    SignalSet(CHANGED.load(Ordering::Relaxed) | kept.collect::<SignalSet>().0)
}

/// Restores the dispositions that the process had at its start.
pub fn restore_dispositions_of_caller() {
    let changed = defaults_of_caller();
    for signal in Signal::all().filter(|&signal| changed.contains(signal)) {
        set_disposition(signal, libc::SIG_DFL);
    }
}

/// Makes ended children wait to be reaped, also if the caller ignores CHLD.
pub fn await_children() {
    set_disposition(Signal::CHLD, libc::SIG_DFL);
}

/// Gives every ignored signal its default disposition, as a COMMAND expects it, also if the caller
/// ignores it. HUP is the exception: a COMMAND under nohup(1) keeps ignoring it. Handlers stay until the
/// kernel removes them when the COMMAND is executed.
pub fn restore_dispositions() {
    let ignored = Signal::all().chain(kept_by_c_libraries()).filter(|&signal| is_ignored(signal));
    ignored.filter(|&signal| signal != Signal::HUP).for_each(restore);
}

/// The signals that C libraries reserve, and that have no name. posix_spawn(3) of glibc ignores them
/// in the new process, unless its attributes ask for the defaults.
pub fn kept_by_c_libraries() -> impl Iterator<Item = Signal> {
    [32, 33].into_iter().filter_map(Signal::new)
}

/// The signals of a COMMAND that differ from the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dispositions {
    /// Ignored.
    pub ignore: SignalSet,
    /// With their default effect, whatever their disposition is now.
    pub default: SignalSet,
    /// Blocked.
    pub block: SignalSet,
}

impl Dispositions {
    /// Changes them in this process, before it becomes the COMMAND.
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

/// Gives a signal its default effect from now on.
pub fn restore(signal: Signal) {
    set_disposition(signal, libc::SIG_DFL);
}

/// Whether the signal is ignored: nohup(1) ignores HUP, and a shell ignores INT for its background
/// commands.
pub fn is_ignored(signal: Signal) -> bool {
    change_disposition(signal, None) == Some(libc::SIG_IGN)
}

/// Changes a disposition to the default or to ignore; returns the one before.
fn set_disposition(signal: Signal, disposition: libc::sighandler_t) -> libc::sighandler_t {
    // The kernel refuses only KILL and STOP, which have the default.
    change_disposition(signal, Some(disposition)).unwrap_or(libc::SIG_DFL)
}

/// The action of a signal in the format of the kernel, for the default and for ignore: first the
/// handler; the flags, the restorer and the mask after it are zeros. It is large enough for every
/// architecture.
type KernelAction = [libc::sighandler_t; 8];

/// Returns the disposition of a signal, and changes it; `None` if the kernel refuses. It calls the
/// kernel directly, because C libraries refuse the signals that they reserve, which a caller may
/// ignore.
fn change_disposition(
    signal: Signal,
    disposition: Option<libc::sighandler_t>,
) -> Option<libc::sighandler_t> {
    let new = disposition.map(|handler| [handler, 0, 0, 0, 0, 0, 0, 0]);
    let mut before: KernelAction = [libc::SIG_DFL; 8];
    // SAFETY: both actions live through the call and are no smaller than those of the kernel, and the
    // call installs no handler.
    let result = unsafe {
        libc::syscall(
            libc::SYS_rt_sigaction,
            signal.number(),
            new.as_ref().map_or(std::ptr::null(), |new| new.as_ptr()),
            before.as_mut_ptr(),
            size_of::<SignalSet>(),
        )
    };
    (result == 0).then_some(before[0])
}

/// Sends a signal to this thread. One that stops the process stops it here, unless it is blocked.
pub fn raise(signal: Signal) {
    // SAFETY: the call takes a number.
    unsafe { libc::raise(signal.number()) };
}

/// Ends this process by the signal, as its default action would have. For a signal whose default
/// action ends no process it returns.
///
/// The kernel takes no default action for the first process of a PID namespace. That one exits with
/// the status by which a shell reports a death of this signal. A handler may call this function: it
/// makes no calls but those that signal-safety(7) allows.
pub fn die_of(signal: Signal) {
    if !matches!(signal.default_action(), Action::Terminate | Action::Core) {
        return;
    }
    restore(signal);
    change_mask(libc::SIG_UNBLOCK, [signal].into_iter().collect());
    // SAFETY: the call takes a number.
    unsafe { libc::raise(signal.number()) };
    // SAFETY: the call takes a number, and does not return.
    unsafe { libc::_exit(128 + signal.number()) }
}
