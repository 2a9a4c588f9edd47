//! Workers that each take a piece of work and run a COMMAND for it, one after the other.
//!
//! Whoever takes a piece has to bring it to an end: so signals that would end us are kept from the
//! workers. They end us at once while nobody has a piece. Otherwise they are passed on to the
//! COMMANDs, no more is taken, and we die of the signal when the last piece is done with. A second
//! one does not wait for pieces whose COMMANDs have ended.

use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::run::job::FORWARDED;
use crate::sys::pidfd::Process;
use crate::sys::signal::{Blocked, Received, SignalSet, await_children, die_of, is_ignored};
use crate::sys::spawn::{Child, has_orphans, reap_orphans};
use crate::sys::thread;

/// What the workers share.
#[derive(Debug, Default)]
pub struct Crew(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// How many have a piece of work.
    busy: usize,
    /// How many COMMANDs run.
    commands: usize,
    /// Those of them that there was a descriptor for.
    running: Vec<Arc<Process>>,
    /// Whether nobody shall take another piece.
    stopped: bool,
    /// The signal that we shall die of.
    signal: Option<Signal>,
}

/// A COMMAND, and what signals are passed on to it by.
type Started = (Child, Option<Arc<Process>>);

/// That somebody has a piece of work, until it is dropped.
#[derive(Debug)]
pub struct Busy(Arc<Crew>);

impl Crew {
    /// A crew without workers, whose threads are all started after it, so that signals leave them
    /// alone.
    ///
    /// # Errors
    /// EAGAIN if there may be no more threads.
    pub fn new() -> Result<Arc<Self>, Errno> {
        await_children();
        let crew = Arc::new(Self::default());
        // What the caller ignores, as nohup(1) has HUP ignored, is for the COMMANDs alone.
        let ignored = FORWARDED.into_iter().filter(|&signal| is_ignored(signal)).collect();
        let held = Signal::deadly().filter(|&signal| !is_ignored(signal));
        let orphans = Some(Signal::CHLD).filter(|_| has_orphans());
        let signals = Blocked::new(held.chain(FORWARDED).chain(orphans).collect());
        let watch = Arc::clone(&crew);
        // The mask outlives this call, and ends with the process.
        start_thread(move || watch.attend(&signals, ignored))?;
        Ok(crew)
    }

    /// Takes a piece of work with `take`, which must not wait. `None` if there is none, or if none
    /// shall be taken any more.
    ///
    /// # Errors
    /// Those of `take`.
    pub fn take<T, E>(
        self: &Arc<Self>,
        take: impl FnOnce() -> Result<Option<T>, E>,
    ) -> Result<Option<(T, Busy)>, E> {
        let mut state = self.state();
        if state.stopped {
            return Ok(None);
        }
        let Some(work) = take()? else { return Ok(None) };
        state.busy += 1;
        Ok(Some((work, Busy(Arc::clone(self)))))
    }

    /// Lets nobody take another piece.
    pub fn stop(&self) {
        self.state().stopped = true;
    }

    /// Whether nobody shall take another piece.
    pub fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// Whether nobody has one.
    pub fn is_idle(&self) -> bool {
        self.state().busy == 0
    }

    /// Answers signals, for ever.
    fn attend(&self, signals: &Blocked, ignored: SignalSet) {
        // It fails only for a set that the kernel does not know.
        while let Ok(waited) = signals.take(Deadline::NEVER) {
            let Waited::Done(Received { signal, sender, .. }) = waited else { continue };
            if signal == Signal::CHLD {
                reap_orphans();
                continue;
            }
            let mut state = self.state();
            let is_ignored = ignored.contains(signal);
            let ends = !is_ignored && !matches!(signal, Signal::USR1 | Signal::USR2);
            let is_second = ends && state.signal.is_some();
            if !is_ignored && state.busy == 0 || is_second && state.commands == 0 {
                die_of(signal);
            }
            if ends {
                state.stopped = true;
                state.signal = Some(signal);
            }
            // The terminal sent it to the COMMANDs as well.
            for process in state.running.iter().filter(|_| sender.is_some()) {
                // One that has just ended needs it no more.
                let _ = process.send(Some(signal));
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a thread for as long as it likes to run.
///
/// # Errors
/// EAGAIN if there may be no more of them.
pub fn start_thread(work: impl FnOnce() + Send + 'static) -> Result<(), Errno> {
    thread::start(|thread| thread.spawn(work)).map(drop)
}

impl Busy {
    /// Another thing to be done before the piece is at its end.
    pub fn also(&self) -> Self {
        self.0.state().busy += 1;
        Self(Arc::clone(&self.0))
    }

    /// Runs a COMMAND, which `start` starts, to its end; `None` if we are to stop, and it was not.
    ///
    /// # Errors
    /// Why it was not started.
    pub fn run(
        &self,
        start: impl FnOnce() -> Result<Child, Errno>,
    ) -> Result<Option<ExitStatus>, Errno> {
        let Some((mut child, process)) = self.start(start)? else { return Ok(None) };
        let status = child.wait();
        let mut state = self.0.state();
        state.commands -= 1;
        if let Some(process) = process {
            state.running.retain(|other| !Arc::ptr_eq(other, &process));
        }
        status.map(Some)
    }

    /// Starts it where no signal falls between. One for which there is no descriptor left, by which
    /// signals are passed on, does its work without.
    fn start(
        &self,
        start: impl FnOnce() -> Result<Child, Errno>,
    ) -> Result<Option<Started>, Errno> {
        let mut state = self.0.state();
        if state.signal.is_some() {
            return Ok(None);
        }
        let child = start()?;
        let process = child.process().ok().map(Arc::new);
        state.commands += 1;
        state.running.extend(process.clone());
        Ok(Some((child, process)))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.busy -= 1;
        if let (0, Some(signal)) = (state.busy, state.signal) {
            die_of(signal);
        }
    }
}
