//! What signals do to this process, and to the COMMAND that it becomes: signal(2), sigaction(2).

use std::sync::atomic::{AtomicU64, Ordering};

use super::SignalSet;
use super::mask::change_mask;
use crate::base::signal::{Action, Signal};

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

/// The signals that have their defaults for our caller, although we ignore them, or the C library
/// would have a COMMAND ignore them.
pub fn defaults_of_our_caller() -> SignalSet {
    let kept = kept_by_c_libraries().filter(|&signal| !is_ignored(signal));
    SignalSet(CHANGED.load(Ordering::Relaxed) | kept.collect::<SignalSet>().0)
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
    let ignored = Signal::all().chain(kept_by_c_libraries()).filter(|&signal| is_ignored(signal));
    ignored.filter(|&signal| signal != Signal::HUP).for_each(restore);
}

/// The signals that C libraries keep for themselves, and that have no name. posix_spawn(3) of glibc
/// ignores them in what it starts, unless it is asked for their defaults.
pub fn kept_by_c_libraries() -> impl Iterator<Item = Signal> {
    [32, 33].into_iter().filter_map(Signal::new)
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

/// Lets the signal have its default effect from now on.
pub fn restore(signal: Signal) {
    set_disposition(signal, libc::SIG_DFL);
}

/// Whether our caller had us ignore the signal, as nohup(1) does with HUP and a shell with INT for
/// what it runs in the background.
pub fn is_ignored(signal: Signal) -> bool {
    change_disposition(signal, None) == Some(libc::SIG_IGN)
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
    change_disposition(signal, Some(disposition)).unwrap_or(libc::SIG_DFL)
}

/// What the kernel does with a signal, for the two dispositions of its own: first the handler; flags,
/// restorer and mask behind it are zeros. There is room for them on every architecture.
type KernelAction = [libc::sighandler_t; 8];

/// Asks for the disposition of a signal, and changes it; `None` if the kernel refuses. It is asked
/// itself, as C libraries refuse the signals that they keep for themselves, which a caller may have
/// set to be ignored all the same.
fn change_disposition(
    signal: Signal,
    disposition: Option<libc::sighandler_t>,
) -> Option<libc::sighandler_t> {
    let new = disposition.map(|handler| [handler, 0, 0, 0, 0, 0, 0, 0]);
    let mut before: KernelAction = [libc::SIG_DFL; 8];
    // SAFETY: both actions live through the call and are no smaller than the kernel's, and no
    // handler of ours is involved.
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
