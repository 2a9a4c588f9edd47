//! Ends a blocking system call at a deadline, for calls that take no timeout, such as flock(2),
//! fcntl(2) and msgrcv(2): the signal of a timer interrupts the thread that waits.

use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::signal::Signal;

use super::signal::{Handler, Unblocked};

/// The two ways to make a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Attempt {
    /// Without waiting: where it would wait, it fails with EAGAIN.
    Nonblocking,
    /// It waits; a signal ends it with EINTR.
    Blocking,
}

/// Makes a call until it succeeds or fails, or `deadline` has passed.
///
/// The first attempt does not wait. It needs no timer, and it is the only attempt if the deadline
/// has passed already. With [`Deadline::NEVER`] there is no such attempt. A call that a signal
/// interrupts before the deadline is made again. A call that is interrupted at the deadline is made
/// once more without waiting: the process may have been stopped meanwhile, while the call became
/// possible.
///
/// # Errors
/// Those of the call, but for EINTR, and for EAGAIN of a non-blocking attempt; those of
/// timer_create(2).
pub fn until<T>(
    deadline: Deadline,
    mut call: impl FnMut(Attempt) -> Result<T, Errno>,
) -> Result<Waited<T>, Errno> {
    if deadline != Deadline::NEVER {
        match call(Attempt::Nonblocking) {
            Err(Errno(libc::EAGAIN | libc::EINTR)) if deadline.has_passed() => {
                return Ok(Waited::TimedOut);
            }
            Err(Errno(libc::EAGAIN | libc::EINTR)) => {}
            result => return result.map(Waited::Done),
        }
    }
    let _timer = Interruption::at(deadline)?;
    loop {
        match call(Attempt::Blocking) {
            Err(Errno(libc::EINTR)) if deadline.has_passed() => break,
            Err(Errno(libc::EINTR)) => {}
            result => return result.map(Waited::Done),
        }
    }
    match call(Attempt::Nonblocking) {
        Err(Errno(libc::EAGAIN | libc::EINTR)) => Ok(Waited::TimedOut),
        result => result.map(Waited::Done),
    }
}

/// Interrupts the system calls of this thread from a deadline on, until it is dropped.
///
/// The kernel's timer sends its signal again every few milliseconds: a single signal that arrived
/// just before the call began would be lost, and the call would not end. The signal is URG, which
/// has no effect by default, so that its handler hides nothing. The handler is installed with the
/// first interruption of the process and removed with the last one.
#[derive(Debug)]
pub struct Interruption {
    /// Dropped first, so that no signal of it arrives later.
    timer: Timer,
    _unblocked: Unblocked,
    _handler: SharedHandler,
}

/// The kernel's number of a timer. C libraries use a pointer type instead.
type TimerId = i32;

/// The time between two signals of a timer.
const INTERVAL: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 5_000_000 };

impl Interruption {
    /// Starts at this moment; `None` for a deadline that never comes.
    ///
    /// # Errors
    /// EAGAIN if the kernel has no room for another timer.
    pub fn at(deadline: Deadline) -> Result<Option<Self>, Errno> {
        let Some(at) = deadline.on_clock() else { return Ok(None) };
        let handler = SharedHandler::acquire();
        let unblocked = Unblocked::new([Signal::URG].into_iter().collect());
        let interruption = Self { timer: Timer::new()?, _unblocked: unblocked, _handler: handler };
        interruption.timer.arm(*at.as_ref())?;
        Ok(Some(interruption))
    }
}

/// A timer of the kernel that sends URG to the thread that made it. Dropping it deletes it.
#[derive(Debug)]
struct Timer(TimerId);

impl Timer {
    fn new() -> Result<Self, Errno> {
        // SAFETY: all zeros is a valid event.
        let mut event: libc::sigevent = unsafe { MaybeUninit::zeroed().assume_init() };
        event.sigev_signo = Signal::URG.number();
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_notify_thread_id = nix::unistd::gettid().as_raw();
        let mut id: TimerId = 0;
        // SAFETY: the event and the number live through the call.
        let result = unsafe {
            libc::syscall(
                libc::SYS_timer_create,
                libc::CLOCK_MONOTONIC,
                &raw const event,
                &raw mut id,
            )
        };
        Errno::check(result).map(|()| Self(id))
    }

    fn arm(&self, at: libc::timespec) -> Result<(), Errno> {
        // A moment of zero would disarm it.
        let at = if (at.tv_sec, at.tv_nsec) == (0, 0) { INTERVAL } else { at };
        let times = libc::itimerspec { it_interval: INTERVAL, it_value: at };
        // SAFETY: the timer exists, and the times live through the call.
        let result = unsafe {
            libc::syscall(
                libc::SYS_timer_settime,
                self.0,
                libc::TIMER_ABSTIME,
                &raw const times,
                std::ptr::null::<libc::itimerspec>(),
            )
        };
        Errno::check(result)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: the timer exists, and nothing uses it after this.
        unsafe { libc::syscall(libc::SYS_timer_delete, self.0) };
    }
}

/// A handler of URG that does nothing, so that the signal interrupts calls. All interruptions of the
/// process share it.
#[derive(Debug)]
struct SharedHandler(());

/// How many interruptions there are, and the handler if there are any.
static SHARED: Mutex<(usize, Option<Handler>)> = Mutex::new((0, None));

impl SharedHandler {
    fn acquire() -> Self {
        extern "C" fn nothing(_: i32) {}

        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, handler) = &mut *shared;
        *count += 1;
        handler.get_or_insert_with(|| Handler::install(Signal::URG, nothing));
        Self(())
    }
}

impl Drop for SharedHandler {
    fn drop(&mut self) {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.0 -= 1;
        if shared.0 == 0 {
            shared.1 = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsRawFd;
    use std::time::{Duration, Instant};

    use super::*;

    fn lock(file: &File, attempt: Attempt) -> Result<(), Errno> {
        let flag = if attempt == Attempt::Nonblocking { libc::LOCK_NB } else { 0 };
        // SAFETY: the call takes numbers only.
        Errno::check(unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | flag) })
    }

    /// A file with two open file descriptions.
    fn twice() -> (File, File) {
        let file = tempfile::NamedTempFile::new().unwrap();
        (file.reopen().unwrap(), file.reopen().unwrap())
    }

    #[test]
    fn a_blocking_call_ends_at_the_deadline_and_not_before() {
        let (holder, waiter) = twice();
        lock(&holder, Attempt::Nonblocking).unwrap();
        let start = Instant::now();
        let deadline = Deadline::after(Duration::from_millis(60));
        let waited = until(deadline, |attempt| lock(&waiter, attempt));
        assert_eq!(waited, Ok(Waited::TimedOut));
        assert!(start.elapsed() >= Duration::from_millis(60));
    }

    #[test]
    fn with_a_deadline_that_has_passed_it_tries_once() {
        let (holder, waiter) = twice();
        let acquire = |file: &File| until(Deadline::PASSED, |attempt| lock(file, attempt));
        assert_eq!(acquire(&holder), Ok(Waited::Done(())));
        assert_eq!(acquire(&waiter), Ok(Waited::TimedOut));
    }

    #[test]
    fn a_signal_before_the_deadline_does_not_end_the_call() {
        let (holder, waiter) = twice();
        lock(&holder, Attempt::Nonblocking).unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            sender.send(nix::unistd::gettid().as_raw()).unwrap();
            until(Deadline::after(Duration::from_secs(60)), |attempt| lock(&waiter, attempt))
        });
        let tid = receiver.recv().unwrap();
        for _ in 0..20 {
            let a_moment = Deadline::after(Duration::from_millis(1));
            assert_eq!(super::super::poll::any(&mut [], a_moment), Ok(Waited::TimedOut));
            // SAFETY: the call takes numbers only.
            unsafe { libc::syscall(libc::SYS_tgkill, std::process::id(), tid, libc::SIGURG) };
        }
        drop(holder);
        assert_eq!(thread.join().unwrap(), Ok(Waited::Done(())));
    }

    #[test]
    fn it_interrupts_also_if_the_signal_was_blocked() {
        let _blocked = super::super::signal::Blocked::new([Signal::URG].into_iter().collect());
        let (holder, waiter) = twice();
        lock(&holder, Attempt::Nonblocking).unwrap();
        let deadline = Deadline::after(Duration::from_millis(20));
        let waited = until(deadline, |attempt| lock(&waiter, attempt));
        assert_eq!(waited, Ok(Waited::TimedOut));
    }

    #[test]
    fn a_deadline_that_never_comes_has_no_timer() {
        assert!(Interruption::at(Deadline::NEVER).unwrap().is_none());
        assert!(Interruption::at(Deadline::PASSED).unwrap().is_some());
    }

    /// Only one test of this process looks at the disposition, but others may interrupt meanwhile.
    #[test]
    fn the_handler_is_shared_and_goes_with_the_last_interruption() {
        let interruption = || Interruption::at(Deadline::after(Duration::from_secs(60))).unwrap();
        let (one, other) = (interruption(), interruption());
        let handlers = || SHARED.lock().unwrap().0;
        assert!(handlers() >= 2);
        drop(one);
        assert!(SHARED.lock().unwrap().1.is_some());
        drop(other);
        let shared = SHARED.lock().unwrap();
        assert_eq!(shared.0 == 0, shared.1.is_none());
    }
}
