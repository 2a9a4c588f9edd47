//! Clean-up before a fatal signal takes its default action.
//!
//! A mechanism that must undo something when HUP, INT or TERM ends the process registers it before it
//! does it, and keeps the registration for as long as there is something to undo. The handlers are
//! installed with the first registration and removed with the last one. Other threads block these
//! signals.

use std::ops::Deref;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::sys::signal::{Handler, SignalSet, die_of, is_ignored};
use crate::sys::undo::{self, Slot};

pub use crate::sys::undo::Undo;

/// The signals that people and the system end commands with.
const FATAL: [Signal; 3] = [Signal::HUP, Signal::INT, Signal::TERM];

/// The signals that people and the system end commands with.
pub fn signals() -> SignalSet {
    FATAL.into_iter().collect()
}

/// Something that is undone before a fatal signal ends the process. Dropping the registration undoes
/// nothing by itself: what owns it does that as it sees fit.
#[derive(Debug)]
pub struct Registered<U> {
    undo: Arc<U>,
    _slot: Slot,
    _handlers: Handlers,
}

impl<U: Undo + 'static> Registered<U> {
    /// Registers it.
    ///
    /// # Errors
    /// ENOMEM if more is registered than any command needs.
    pub fn new(undo: U) -> Result<Self, Errno> {
        // A signal before the handlers are there undoes nothing, and nothing has been done yet.
        let undo = Arc::new(undo);
        let entry: Arc<dyn Undo> = Arc::clone(&undo) as _;
        let slot = Slot::enter(entry).ok_or(Errno(libc::ENOMEM))?;
        Ok(Self { undo, _slot: slot, _handlers: Handlers::acquire() })
    }
}

impl<U> Deref for Registered<U> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.undo
    }
}

/// Postpones the fatal signals until it is dropped, for what takes more than a handler may do. A
/// system call that waits fails with EINTR when one arrives.
#[derive(Debug)]
pub struct Postponed {
    _handlers: Handlers,
}

/// How many are postponing.
static POSTPONED: AtomicUsize = AtomicUsize::new(0);

/// The number of the signal that arrived meanwhile.
static ARRIVED: AtomicI32 = AtomicI32::new(0);

impl Postponed {
    /// From now on.
    pub fn new() -> Self {
        POSTPONED.fetch_add(1, Ordering::SeqCst);
        Self { _handlers: Handlers::acquire() }
    }

    /// Whether a signal has arrived.
    pub fn is_wanted(&self) -> bool {
        ARRIVED.load(Ordering::SeqCst) != 0
    }
}

impl Drop for Postponed {
    /// Ends the process, if a signal has arrived.
    fn drop(&mut self) {
        if POSTPONED.fetch_sub(1, Ordering::SeqCst) == 1 {
            let number = ARRIVED.swap(0, Ordering::SeqCst);
            if number != 0 {
                end(number);
            }
        }
    }
}

/// The handlers of the fatal signals, which all registrations share. A signal that the caller of
/// `ipc` had ignored stays ignored, unless one of those that share it asks for it by name.
#[derive(Debug)]
pub struct Handlers {
    /// The signals that end the process even if the caller had ignored them.
    named: SignalSet,
}

/// The handlers, and for which signals they are needed.
static SHARED: Mutex<Shared> =
    Mutex::new(Shared { users: 0, named: [0; FATAL.len()], handlers: [const { None }; 3] });

#[derive(Debug)]
struct Shared {
    /// How many share the handlers.
    users: usize,
    /// How many of them name each signal.
    named: [usize; FATAL.len()],
    handlers: [Option<Handler>; FATAL.len()],
}

impl Shared {
    /// Adds one that shares the handlers, or takes one away, and installs what is needed then.
    fn change(&mut self, named: SignalSet, change: impl Fn(&mut usize)) {
        let users = self.users;
        change(&mut self.users);
        if named.is_empty() && users > 0 && self.users > 0 {
            // The same handlers are needed. Looking for ignored signals costs system calls.
            return;
        }
        for (index, signal) in FATAL.into_iter().enumerate() {
            if named.contains(signal) {
                change(&mut self.named[index]);
            }
            let handler = &mut self.handlers[index];
            let was_ignored =
                handler.as_ref().map_or_else(|| is_ignored(signal), Handler::was_ignored);
            match self.named[index] > 0 || self.users > 0 && !was_ignored {
                false => *handler = None,
                true if handler.is_none() => *handler = Some(Handler::install(signal, end)),
                true => {}
            }
        }
    }
}

impl Handlers {
    /// Keeps the handlers installed, for many registrations one after the other.
    pub fn acquire() -> Self {
        Self::acquire_for(SignalSet::default())
    }

    fn acquire_for(named: SignalSet) -> Self {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.change(named, |count| *count += 1);
        Self { named }
    }
}

impl Drop for Handlers {
    fn drop(&mut self) {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.change(self.named, |count| *count -= 1);
    }
}

/// Has these of the fatal signals end the process after clean-up until it is dropped, also those that
/// the caller of `ipc` had ignored.
pub fn end_by(signals: impl Iterator<Item = Signal>) -> Handlers {
    Handlers::acquire_for(signals.collect())
}

/// The handler.
extern "C" fn end(number: i32) {
    if POSTPONED.load(Ordering::SeqCst) > 0 {
        ARRIVED.store(number, Ordering::SeqCst);
        return;
    }
    undo::undo_all();
    if let Some(signal) = Signal::new(number) {
        die_of(signal);
    }
}

/// Undoes what is registered, for an end that is no signal's. It calls nothing that a handler may not
/// call.
pub(super) fn undo() {
    undo::undo_all();
}
