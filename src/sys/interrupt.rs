//! Ending a blocking system call at a deadline, for those that take none, such as flock(2),
//! fcntl(2) and msgrcv(2): a timer whose signal interrupts the thread that waits.

use std::mem::MaybeUninit;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::signal::Signal;

use super::signal::Unblocked;

/// How a call is to be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Attempt {
    /// At once or not at all; that it would have to wait is EAGAIN.
    Nonblocking,
    /// Waiting; a signal ends it with EINTR.
    Blocking,
}

/// Makes a call until it comes to something or `deadline` has passed.
///
/// It is made without waiting first, which costs no timer where there is nothing to wait for, and
/// is all that is done where the deadline has passed already. With [`Deadline::NEVER`] it is only
/// made waiting. A call that was interrupted before its time is made again; one that was interrupted
/// at the deadline is made once more without waiting, as we may have been stopped until long after
/// what it waits for was there.
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

/// Interrupts whatever this thread does from a deadline on, for as long as it lives.
///
/// It is a timer of the kernel. Its signal comes again every few milliseconds: one that arrived
/// just before the call began would otherwise leave it waiting for ever. It is URG, which does
/// nothing by default, so nobody misses what its handler keeps from us. The handler stays when the
/// guard goes, as another thread may need it; the mask becomes what it was.
#[derive(Debug)]
pub struct Interruption {
    id: TimerId,
    /// Restored after the timer is gone, when no signal of it can be on the way.
    _unblocked: Unblocked,
}

/// As the kernel numbers timers: C libraries have another type, a pointer, for it.
type TimerId = i32;

/// How often it fires once its time has come.
const INTERVAL: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 5_000_000 };

impl Interruption {
    /// From this moment on; nothing, for a deadline that never comes.
    ///
    /// # Errors
    /// EAGAIN if the kernel has no room for another timer.
    pub fn at(deadline: Deadline) -> Result<Option<Self>, Errno> {
        let Some(at) = deadline.on_clock() else { return Ok(None) };
        handle();
        let unblocked = Unblocked::new([Signal::URG].into_iter().collect());
        let timer = Self { id: create()?, _unblocked: unblocked };
        timer.arm(*at.as_ref())?;
        Ok(Some(timer))
    }

    fn arm(&self, at: libc::timespec) -> Result<(), Errno> {
        // A moment of zero would disarm it.
        let at = if (at.tv_sec, at.tv_nsec) == (0, 0) { INTERVAL } else { at };
        let times = libc::itimerspec { it_interval: INTERVAL, it_value: at };
        // SAFETY: the timer is ours and the times live through the call.
        let result = unsafe {
            libc::syscall(
                libc::SYS_timer_settime,
                self.id,
                libc::TIMER_ABSTIME,
                &raw const times,
                std::ptr::null::<libc::itimerspec>(),
            )
        };
        Errno::check(result)
    }
}

impl Drop for Interruption {
    fn drop(&mut self) {
        // SAFETY: the timer is ours, and nothing uses it after this.
        unsafe { libc::syscall(libc::SYS_timer_delete, self.id) };
    }
}

/// Makes a timer that will send URG to this thread.
fn create() -> Result<TimerId, Errno> {
    // SAFETY: all zeros is a valid event.
    let mut event: libc::sigevent = unsafe { MaybeUninit::zeroed().assume_init() };
    event.sigev_signo = Signal::URG.number();
    event.sigev_notify = libc::SIGEV_THREAD_ID;
    event.sigev_notify_thread_id = nix::unistd::gettid().as_raw();
    let mut id: TimerId = 0;
    // SAFETY: the event and the number live through the call.
    let result = unsafe {
        libc::syscall(libc::SYS_timer_create, libc::CLOCK_MONOTONIC, &raw const event, &raw mut id)
    };
    Errno::check(result).map(|()| id)
}

/// Has URG interrupt calls, which needs a handler, one that does not restart them.
fn handle() {
    extern "C" fn nothing(_: i32) {}

    // SAFETY: all zeros is a valid action: no flags, so no SA_RESTART, and an empty mask.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = nothing as extern "C" fn(i32) as libc::sighandler_t;
    // It fails only for numbers that are no signals.
    // SAFETY: the handler does nothing, which is safe in every place.
    unsafe { libc::sigaction(Signal::URG.number(), &raw const action, std::ptr::null_mut()) };
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

    /// A file, opened twice.
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
    fn a_deadline_that_has_passed_is_a_try() {
        let (holder, waiter) = twice();
        let take = |file: &File| until(Deadline::PASSED, |attempt| lock(file, attempt));
        assert_eq!(take(&holder), Ok(Waited::Done(())));
        assert_eq!(take(&waiter), Ok(Waited::TimedOut));
    }

    #[test]
    fn a_signal_that_comes_early_does_not_end_the_call() {
        let (holder, waiter) = twice();
        lock(&holder, Attempt::Nonblocking).unwrap();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            tell.send(nix::unistd::gettid().as_raw()).unwrap();
            until(Deadline::after(Duration::from_secs(60)), |attempt| lock(&waiter, attempt))
        });
        let tid = told.recv().unwrap();
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
    fn it_interrupts_from_the_deadline_on_even_where_the_signal_was_blocked() {
        let _blocked = super::super::signal::Blocked::new([Signal::URG].into_iter().collect());
        let (holder, waiter) = twice();
        lock(&holder, Attempt::Nonblocking).unwrap();
        let deadline = Deadline::after(Duration::from_millis(20));
        let waited = until(deadline, |attempt| lock(&waiter, attempt));
        assert_eq!(waited, Ok(Waited::TimedOut));
    }

    #[test]
    fn never_arms_nothing() {
        assert!(Interruption::at(Deadline::NEVER).unwrap().is_none());
        assert!(Interruption::at(Deadline::PASSED).unwrap().is_some());
    }
}
