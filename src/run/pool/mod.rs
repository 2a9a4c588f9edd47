//! Threads that each do one piece of work after the other and run a COMMAND for it, and the signals
//! that the process receives meanwhile.
//!
//! A thread that has a piece of work has to bring it to an end. So signals are blocked and taken by
//! the thread that supervises the others. While no thread has a piece of work, a fatal signal ends
//! the pool at once. Otherwise the signal is sent on to the COMMANDs, no more work is claimed, and the
//! pool ends when the last piece is done. A second fatal signal also ends the waits of threads whose
//! COMMANDs have ended.
//!
//! When [`Supervisor::attend`] returns, all threads have been joined, and the mask and the
//! dispositions are what they were.

mod command;

use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::run::job::{FORWARDED, keep_ended_children};
use crate::sys::eventfd::Bell;
use crate::sys::poll;
use crate::sys::signal::{Blocked, Handler, Received, SignalSet, is_ignored};
use crate::sys::spawn::{Child, has_orphans, reap_orphans};
use crate::sys::thread::{self, Interruptible, ThreadId};

pub use self::command::{End, Limits};

/// What the threads of a pool share.
#[derive(Debug)]
pub struct Pool {
    state: Mutex<State>,
    /// Readable once no more work is to be claimed.
    stopped: Bell,
    /// Readable once no thread is to wait for anything but a COMMAND.
    hurried: Bell,
    /// Readable while the supervisor has something to look at.
    reports: Bell,
}

#[derive(Debug, Default)]
struct State {
    /// How many pieces of work the threads have.
    busy: usize,
    /// The COMMANDs that run, or are not reaped, each with a number of its own.
    commands: Vec<(u64, Child)>,
    /// How many COMMANDs were started.
    started: u64,
    /// The threads that wait, and what ends their waits.
    waiting: Vec<(ThreadId, Until)>,
    /// How many threads have not ended.
    threads: usize,
    is_stopped: bool,
    is_hurried: bool,
    /// The signal that ends the pool.
    signal: Option<Signal>,
}

/// What ends a wait before its time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Until {
    /// No more work is to be claimed.
    Stopped,
    /// A second fatal signal arrived.
    Hurried,
}

impl State {
    fn has_come(&self, until: Until) -> bool {
        match until {
            Until::Stopped => self.is_stopped,
            Until::Hurried => self.is_hurried,
        }
    }
}

/// A piece of work of a thread, until it is dropped.
#[derive(Debug)]
pub struct Busy(Arc<Pool>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.state().busy -= 1;
    }
}

impl Pool {
    fn new() -> Result<Self, Errno> {
        Ok(Self {
            state: Mutex::default(),
            stopped: Bell::new()?,
            hurried: Bell::new()?,
            reports: Bell::new()?,
        })
    }

    /// Claims a piece of work with `claim`, which must not wait. `None` if there is none, or if no
    /// more is to be claimed.
    ///
    /// # Errors
    /// Those of `claim`.
    pub fn claim<T, E>(
        self: &Arc<Self>,
        claim: impl FnOnce() -> Result<Option<T>, E>,
    ) -> Result<Option<(T, Busy)>, E> {
        let mut state = self.state();
        if state.is_stopped {
            return Ok(None);
        }
        let Some(work) = claim()? else { return Ok(None) };
        state.busy += 1;
        Ok(Some((work, Busy(Arc::clone(self)))))
    }

    /// Waits with `wait`, which returns when the bell rings, and when a system call fails with EINTR
    /// after the bell has rung. The bell rings when `until` has come; then the wait has timed out.
    ///
    /// # Errors
    /// Those of `wait`.
    pub fn wait<E>(
        &self,
        until: Until,
        wait: impl FnOnce(&Bell) -> Result<Waited, E>,
    ) -> Result<Waited, E> {
        let thread = ThreadId::current();
        {
            let mut state = self.state();
            if state.has_come(until) {
                return Ok(Waited::TimedOut);
            }
            state.waiting.push((thread, until));
        }
        let waited = wait(self.bell(until));
        self.state().waiting.retain(|(waiting, _)| *waiting != thread);
        waited
    }

    /// The bell that rings when this has come.
    pub fn bell(&self, until: Until) -> &Bell {
        match until {
            Until::Stopped => &self.stopped,
            Until::Hurried => &self.hurried,
        }
    }

    /// Ends the pool: no thread claims more work.
    pub fn stop(&self) {
        self.state().is_stopped = true;
        self.stopped.ring();
        self.reports.ring();
    }

    /// Whether no more work is to be claimed.
    pub fn is_stopped(&self) -> bool {
        self.state().is_stopped
    }

    /// Whether a signal ends the pool.
    pub fn is_ended_by_signal(&self) -> bool {
        self.state().signal.is_some()
    }

    /// Has the supervisor look at what this thread reports.
    pub fn report(&self) {
        self.reports.ring();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread that starts the others, takes the signals, and waits for the end of all threads.
#[derive(Debug)]
pub struct Supervisor {
    pool: Arc<Pool>,
    threads: Vec<JoinHandle<()>>,
    /// What the caller of the process ignores, as nohup(1) has HUP ignored. Such a signal is for the
    /// COMMANDs alone.
    ignored: SignalSet,
    signals: Blocked,
    /// Readable while a signal waits to be taken.
    readable: OwnedFd,
    _interrupts: Handler,
    _children: Handler,
}

/// How long after an interrupt the next one is sent to a thread that still waits.
const INTERVAL: Duration = Duration::from_millis(5);

impl Supervisor {
    /// The supervisor of a pool without threads.
    ///
    /// # Errors
    /// EMFILE.
    pub fn new() -> Result<Self, Errno> {
        let pool = Arc::new(Pool::new()?);
        let children = keep_ended_children();
        let ignored = FORWARDED.into_iter().filter(|&signal| is_ignored(signal)).collect();
        let fatal = Signal::deadly().filter(|&signal| !is_ignored(signal));
        let orphans = Some(Signal::CHLD).filter(|_| has_orphans());
        let signals = Blocked::new(fatal.chain(FORWARDED).chain(orphans).collect());
        Ok(Self {
            pool,
            threads: Vec::new(),
            ignored,
            readable: signals.descriptor()?,
            signals,
            _interrupts: thread::handle_interrupts(),
            _children: children,
        })
    }

    /// The pool.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Starts a thread.
    ///
    /// # Errors
    /// EAGAIN if there may be no more threads.
    pub fn start(&mut self, work: impl FnOnce() + Send + 'static) -> Result<(), Errno> {
        let pool = Arc::clone(&self.pool);
        let body = move || {
            let _interruptible = Interruptible::new();
            work();
            pool.state().threads -= 1;
            pool.reports.ring();
        };
        self.pool.state().threads += 1;
        let started = thread::start(|thread| thread.spawn(body));
        if started.is_err() {
            self.pool.state().threads -= 1;
        }
        self.threads.push(started?);
        Ok(())
    }

    /// Waits until all threads have ended. Calls `look` whenever a thread may have reported
    /// something. Returns the fatal signal that ended the pool.
    ///
    /// # Errors
    /// Those of poll(2); the threads are then left to themselves.
    pub fn attend(self, mut look: impl FnMut()) -> Result<Option<Signal>, Errno> {
        loop {
            self.pool.reports.reset();
            let have_ended = self.pool.state().threads == 0;
            look();
            if have_ended {
                break;
            }
            let again = self.interrupt_waits();
            let _: Waited =
                poll::any_readable(&[self.readable.as_fd(), self.pool.reports.as_fd()], again)?;
            while let Waited::Done(received) = self.signals.take(Deadline::PASSED)? {
                self.answer(received);
            }
        }
        for thread in self.threads {
            // A panic is reported already.
            let _ = thread.join();
        }
        let signal = self.pool.state().signal;
        Ok(signal)
    }

    /// Interrupts the threads whose waits are to end, for system calls that cannot wait for a bell as
    /// well. Returns when to do that again: the signal may have arrived just before the call.
    fn interrupt_waits(&self) -> Deadline {
        let state = self.pool.state();
        let mut again = Deadline::NEVER;
        for &(thread, _) in state.waiting.iter().filter(|(_, until)| state.has_come(*until)) {
            thread.interrupt();
            again = Deadline::after(INTERVAL);
        }
        again
    }

    fn answer(&self, Received { signal, sender, .. }: Received) {
        if signal == Signal::CHLD {
            reap_orphans();
            return;
        }
        let mut state = self.pool.state();
        let is_ignored = self.ignored.contains(signal);
        let is_for_commands =
            state.busy > 0 && matches!(signal, Signal::USR1 | Signal::USR2) || is_ignored;
        // A terminal has sent it to the process group, and so to the COMMANDs that share it.
        for (_, child) in
            state.commands.iter().filter(|(_, child)| sender.is_some() || child.leads_group())
        {
            child.send(signal);
        }
        if is_for_commands {
            return;
        }
        if state.signal.is_some() && state.commands.is_empty() {
            state.is_hurried = true;
            self.pool.hurried.ring();
        }
        state.signal.get_or_insert(signal);
        drop(state);
        self.pool.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::signal::mask;

    #[test]
    fn a_pool_leaves_no_threads_and_no_mask_behind() {
        let before = mask();
        let mut supervisor = Supervisor::new().unwrap();
        let pool = Arc::clone(supervisor.pool());
        let work = Arc::clone(&pool);
        supervisor
            .start(move || {
                let waited = work.wait(Until::Stopped, |bell| {
                    poll::any_readable(&[bell.as_fd()], Deadline::NEVER)
                });
                assert_eq!(waited, Ok(Waited::Done(())));
            })
            .unwrap();
        pool.stop();
        assert_eq!(supervisor.attend(|| {}), Ok(None));
        assert_eq!(mask(), before);
        assert_eq!(Arc::strong_count(&pool), 1);
    }

    #[test]
    fn a_thread_in_a_system_call_that_knows_no_bell_is_interrupted() {
        let mut supervisor = Supervisor::new().unwrap();
        let pool = Arc::clone(supervisor.pool());
        let work = Arc::clone(&pool);
        let wait = |bell: &Bell| {
            while !bell.has_rung() {
                // It waits for a signal alone.
                nix::unistd::pause();
            }
            Ok::<_, Errno>(Waited::TimedOut)
        };
        supervisor.start(move || drop(work.wait(Until::Stopped, wait))).unwrap();
        pool.stop();
        assert_eq!(supervisor.attend(|| {}), Ok(None));
    }
}
