//! Threads that process work items one at a time, each with a COMMAND, and the signals that the
//! process receives meanwhile.
//!
//! A thread that has claimed an item must finish it. So all threads block signals, and the
//! supervisor thread accepts them. While no thread has an item, a fatal signal ends the pool at
//! once. Otherwise the supervisor forwards the signal to the COMMANDs, the threads claim no more
//! work, and the pool ends after the last item. A second fatal signal also ends the waits of
//! threads whose COMMANDs have ended.
//!
//! A terminal sends a signal to this process and to its COMMANDs, and the end of a COMMAND may be
//! seen before the supervisor has accepted the signal. The kernel sends it to all processes of the
//! group before it reports the end of one of them. So the signal is then pending, and a thread that
//! asks whether a signal ends the pool looks for pending ones as well.
//!
//! When [`Supervisor::attend`] returns, all threads have been joined, and the mask and the
//! dispositions are restored.

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
use crate::sys::signal::{Blocked, Handler, Received, SignalSet, is_ignored, pending};
use crate::sys::spawn::{Child, has_orphans, reap_orphans};
use crate::sys::thread::{self, Interruptible, ThreadId};

pub use self::command::{End, Limits};

/// The state that the threads of a pool share.
#[derive(Debug)]
pub struct Pool {
    state: Mutex<State>,
    /// The signals that end the pool while a COMMAND runs.
    fatal: SignalSet,
    /// Readable once threads must claim no more work.
    stopped: Bell,
    /// Readable once the supply has ended, or threads must claim no more work.
    exhausted: Bell,
    /// Readable once threads must wait only for COMMANDs.
    hurried: Bell,
    /// Readable while the supervisor has reports to process.
    reports: Bell,
}

#[derive(Debug, Default)]
struct State {
    /// The number of items that threads are processing.
    busy: usize,
    /// The COMMANDs that are not reaped, each with a unique number.
    commands: Vec<(u64, Child)>,
    /// The number of COMMANDs that were started.
    started: u64,
    /// The threads that wait, and the event that ends each wait early.
    waiting: Vec<(ThreadId, Until)>,
    /// The number of threads that have not ended.
    threads: usize,
    is_stopped: bool,
    is_exhausted: bool,
    is_hurried: bool,
    /// The signal that ends the pool.
    signal: Option<Signal>,
}

/// An event that ends a wait early.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Until {
    /// Threads must claim no more work.
    Stopped,
    /// The same, or the supply has ended.
    Exhausted,
    /// A second fatal signal arrived.
    Hurried,
}

impl State {
    fn has_come(&self, until: Until) -> bool {
        match until {
            Until::Stopped => self.is_stopped,
            Until::Exhausted => self.is_stopped || self.is_exhausted,
            Until::Hurried => self.is_hurried,
        }
    }
}

/// The outcome of an attempt to claim a work item.
#[derive(Debug)]
pub enum Claimed<T> {
    /// This one.
    Work(T),
    /// There is none now.
    Nothing,
    /// There is none, and none will come.
    End,
}

/// A claimed work item; dropping it ends the claim.
#[derive(Debug)]
pub struct Busy(Arc<Pool>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.state().busy -= 1;
    }
}

impl Pool {
    fn new(fatal: SignalSet) -> Result<Self, Errno> {
        Ok(Self {
            state: Mutex::default(),
            fatal,
            stopped: Bell::new()?,
            exhausted: Bell::new()?,
            hurried: Bell::new()?,
            reports: Bell::new()?,
        })
    }

    /// Claims a work item with `claim`, which must not wait. `None` if there is none, or if the
    /// pool is stopped. At the end of the supply no thread claims another item.
    ///
    /// # Errors
    /// Those of `claim`.
    pub fn claim<T, E>(
        self: &Arc<Self>,
        claim: impl FnOnce() -> Result<Claimed<T>, E>,
    ) -> Result<Option<(T, Busy)>, E> {
        let mut state = self.state();
        if state.has_come(Until::Exhausted) || self.is_ending(&state) {
            return Ok(None);
        }
        match claim()? {
            Claimed::Work(work) => {
                state.busy += 1;
                Ok(Some((work, Busy(Arc::clone(self)))))
            }
            Claimed::Nothing => Ok(None),
            Claimed::End => {
                state.is_exhausted = true;
                self.exhausted.ring();
                self.reports.ring();
                Ok(None)
            }
        }
    }

    /// Waits with `wait`, which returns when the bell rings, and when a system call fails with
    /// EINTR after the bell has rung. The bell rings at the event `until`; the wait has then timed
    /// out.
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

    /// The bell of this event.
    pub fn bell(&self, until: Until) -> &Bell {
        match until {
            Until::Stopped => &self.stopped,
            Until::Exhausted => &self.exhausted,
            Until::Hurried => &self.hurried,
        }
    }

    /// Ends the pool: no thread claims more work.
    pub fn stop(&self) {
        self.state().is_stopped = true;
        self.stopped.ring();
        self.exhausted.ring();
        self.reports.ring();
    }

    /// Whether the supply has ended.
    pub fn is_exhausted(&self) -> bool {
        self.state().is_exhausted
    }

    /// Whether threads must claim no more work.
    pub fn is_stopped(&self) -> bool {
        self.state().is_stopped
    }

    /// Whether a signal ends the pool, also one that the supervisor has not accepted yet. A thread
    /// of the pool asks that after the end of its COMMAND.
    pub fn is_ended_by_signal(&self) -> bool {
        self.is_ending(&self.state())
    }

    /// The supervisor holds the lock while it accepts a signal, so that a signal is either pending
    /// or in the state.
    fn is_ending(&self, state: &State) -> bool {
        state.signal.is_some() || !self.pending().is_empty()
    }

    /// The fatal signals that the supervisor has not accepted.
    fn pending(&self) -> SignalSet {
        pending().and(self.fatal)
    }

    /// Wakes the supervisor to process the reports of this thread.
    pub fn report(&self) {
        self.reports.ring();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a thread as running until it is dropped, also by a panic.
#[derive(Debug)]
struct Thread(Arc<Pool>);

impl Drop for Thread {
    fn drop(&mut self) {
        self.0.state().threads -= 1;
        self.0.reports.ring();
    }
}

/// The thread that starts the others, accepts signals, and joins all threads.
#[derive(Debug)]
pub struct Supervisor {
    pool: Arc<Pool>,
    threads: Vec<JoinHandle<()>>,
    /// The signals that this process inherited as ignored, such as HUP under nohup(1). They are
    /// only forwarded to the COMMANDs.
    ignored: SignalSet,
    signals: Blocked,
    /// Readable while a signal is pending.
    readable: OwnedFd,
    _interrupts: Handler,
    _children: Handler,
}

/// The interval at which a waiting thread is interrupted again.
const INTERVAL: Duration = Duration::from_millis(5);

impl Supervisor {
    /// The supervisor of a pool without threads.
    ///
    /// # Errors
    /// EMFILE if no descriptor is left.
    pub fn new() -> Result<Self, Errno> {
        let children = keep_ended_children();
        let ignored: SignalSet =
            FORWARDED.into_iter().filter(|&signal| is_ignored(signal)).collect();
        let fatal = Signal::deadly().filter(|&signal| !is_ignored(signal));
        let orphans = Some(Signal::CHLD).filter(|_| has_orphans());
        let fatal: SignalSet = fatal.chain(FORWARDED).collect();
        let signals = Blocked::new(orphans.into_iter().fold(fatal, SignalSet::with));
        let for_commands = ignored.with(Signal::USR1).with(Signal::USR2);
        Ok(Self {
            pool: Arc::new(Pool::new(fatal.without(for_commands))?),
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
    /// EAGAIN if a limit on threads is reached.
    pub fn start(&mut self, work: impl FnOnce() + Send + 'static) -> Result<(), Errno> {
        let pool = Arc::clone(&self.pool);
        let body = move || {
            let _ends = Thread(pool);
            let _interruptible = Interruptible::new();
            work();
        };
        self.pool.state().threads += 1;
        let started = thread::start(|thread| thread.spawn(body));
        if started.is_err() {
            self.pool.state().threads -= 1;
        }
        self.threads.push(started?);
        Ok(())
    }

    /// Waits until all threads have ended. Calls `look` whenever a thread may have reported.
    /// Returns the fatal signal that ended the pool.
    ///
    /// # Errors
    /// Those of poll(2); the threads then continue without a supervisor.
    pub fn attend(mut self, mut look: impl FnMut()) -> Result<Option<Signal>, Errno> {
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
            if self.accept_signals()? == Accepted::Fatal {
                self.pool.stop();
            }
        }
        for thread in std::mem::take(&mut self.threads) {
            // The panic has been reported already.
            let _ = thread.join();
        }
        // One that arrived during the last COMMAND would have its effect on this process otherwise.
        self.accept_signals()?;
        let signal = self.pool.state().signal;
        Ok(signal)
    }

    /// Interrupts the threads whose waits must end, because some system calls cannot also wait for
    /// a bell. Returns the time of the next attempt: the signal may have arrived just before the
    /// call.
    fn interrupt_waits(&self) -> Deadline {
        let state = self.pool.state();
        let mut again = Deadline::NEVER;
        for &(thread, _) in state.waiting.iter().filter(|(_, until)| state.has_come(*until)) {
            thread.interrupt();
            again = Deadline::after(INTERVAL);
        }
        again
    }

    /// Accepts all pending signals.
    fn accept_signals(&self) -> Result<Accepted, Errno> {
        let mut state = self.pool.state();
        let mut accepted = Accepted::Harmless;
        while let Waited::Done(received) = self.signals.take(Deadline::PASSED)? {
            if self.answer(&mut state, received) == Accepted::Fatal {
                accepted = Accepted::Fatal;
            }
        }
        Ok(accepted)
    }

    fn answer(&self, state: &mut State, Received { signal, sender, .. }: Received) -> Accepted {
        if signal == Signal::CHLD {
            reap_orphans();
            return Accepted::Harmless;
        }
        let is_ignored = self.ignored.contains(signal);
        let is_for_commands =
            state.busy > 0 && matches!(signal, Signal::USR1 | Signal::USR2) || is_ignored;
        // A terminal has sent it to the process group, and so to the COMMANDs in that group.
        for (_, child) in
            state.commands.iter().filter(|(_, child)| sender.is_some() || child.leads_group())
        {
            child.send(signal);
        }
        if is_for_commands {
            return Accepted::Harmless;
        }
        if state.signal.is_some() && state.commands.is_empty() {
            state.is_hurried = true;
            self.pool.hurried.ring();
        }
        state.signal.get_or_insert(signal);
        Accepted::Fatal
    }
}

/// The consequence of signals.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Accepted {
    /// The pool goes on.
    Harmless,
    /// The pool ends.
    Fatal,
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
                let wait = |bell: &Bell| poll::any_readable(&[bell.as_fd()], Deadline::NEVER);
                let _ = work.wait(Until::Stopped, wait);
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
                // The thread waits for a signal only.
                nix::unistd::pause();
            }
            Ok::<_, Errno>(Waited::TimedOut)
        };
        let body = move || {
            let _ = work.wait(Until::Stopped, wait);
        };
        supervisor.start(body).unwrap();
        pool.stop();
        assert_eq!(supervisor.attend(|| {}), Ok(None));
    }
}
