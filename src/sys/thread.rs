//! Threads beside the main one, which take no signal that is meant for the process:
//! pthread_create(3), pthread_sigmask(3).

use std::io;
use std::os::unix::thread::JoinHandleExt;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use super::poll;
use super::signal::{Blocked, Handler, SignalSet, Unblocked};
use crate::base::deadline::Deadline;
use crate::base::errno::Errno;
use crate::base::signal::Signal;

/// Starts a thread, which `launch` does with the builder that it is given. Every thread of the
/// program is started here: the new thread inherits the mask of this moment, in which all signals
/// are blocked.
///
/// A thread with open signals takes them away from a main thread that has blocked them to wait for
/// them. A CHLD that the kernel gave to a thread on its way out was discarded, and the main thread
/// waited for it without end.
///
/// pthread_create(3) of musl unblocks signal 34 (RTMIN) before its first thread, so that one stays
/// open in the threads of the static build.
///
/// # Errors
/// EAGAIN if there may be no more threads.
pub fn start<T>(launch: impl FnOnce(Builder) -> io::Result<T>) -> Result<T, Errno> {
    let _blocked = Blocked::new(kept_away());
    launch(Builder::new()).map_err(Errno::from)
}

/// Interrupts the system calls of a thread by URG until the thread has finished. The thread is about to
/// do so, and has a handler of URG and the signal unblocked while it makes a call that would wait.
pub fn interrupt_until_finished(thread: JoinHandle<()>) {
    const INTERVAL: Duration = Duration::from_micros(100);
    while !thread.is_finished() {
        // SAFETY: the thread has not been joined, so its identifier is valid.
        unsafe { libc::pthread_kill(thread.as_pthread_t() as _, Signal::URG.number()) };
        // A signal just before a call has no effect on it, so another one follows.
        let _ = poll::any(&mut [], Deadline::after(INTERVAL));
    }
    // It has nothing to report, also after a panic.
    let _ = thread.join();
}

/// All signals, but for three. BUS is how a thread learns that memory which it reads was lost; the
/// kernel gives it to that thread. TTIN and TTOU stop the whole process, whichever thread takes
/// them; where they are blocked, a read from the terminal in the background fails instead.
pub fn kept_away() -> SignalSet {
    let open = [Signal::BUS, Signal::TTIN, Signal::TTOU];
    Signal::all().filter(|signal| !open.contains(signal)).collect()
}

/// Keeps these signals away from this thread, which a library has started.
pub fn keep_signals_away() {
    std::mem::forget(Blocked::new(kept_away()));
}

/// A thread of this process, by the number that the kernel gave it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ThreadId(i32);

impl ThreadId {
    /// The thread that calls.
    pub fn current() -> Self {
        Self(nix::unistd::gettid().as_raw())
    }

    /// Sends URG to it, so that a system call in which it waits fails with EINTR if it has an
    /// [`Interruptible`]. A signal that arrives just before the call has no effect, so the caller
    /// sends another a moment later. The caller also makes sure that the thread has not ended.
    pub fn interrupt(self) {
        // SAFETY: the call takes numbers only.
        unsafe {
            libc::syscall(libc::SYS_tgkill, std::process::id(), self.0, Signal::URG.number())
        };
    }
}

/// Lets other threads interrupt this one for as long as it lives.
#[derive(Debug)]
pub struct Interruptible {
    _unblocked: Unblocked,
}

impl Interruptible {
    /// From now on, if the process has [`handle_interrupts`] in effect.
    pub fn new() -> Self {
        Self { _unblocked: Unblocked::new([Signal::URG].into_iter().collect()) }
    }
}

/// Gives URG a handler that does nothing, until it is dropped. The signal has no effect on a system
/// call otherwise.
pub fn handle_interrupts() -> Handler {
    extern "C" fn nothing(_: i32) {}
    Handler::install(Signal::URG, nothing)
}

#[cfg(test)]
mod tests {
    use super::super::signal::mask;
    use super::*;

    #[test]
    fn a_thread_has_every_signal_blocked_and_its_starter_the_mask_from_before() {
        let before = mask();
        let theirs = start(|thread| thread.spawn(mask)).unwrap().join().unwrap();
        for signal in [Signal::CHLD, Signal::TERM, Signal::URG, Signal::USR1, Signal::RTMIN] {
            assert!(theirs.contains(signal), "{signal}");
        }
        assert_eq!(mask(), before);
    }
}
