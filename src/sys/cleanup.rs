//! What is undone before a signal ends us, of the signals that can be caught: signal-safety(7).

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Once, OnceLock};

use crate::base::signal::Signal;
use crate::sys::signal::{SignalSet, die_of, handle, is_ignored, restore};

/// The signals that people and the system end commands with.
const ENDING: [Signal; 3] = [Signal::HUP, Signal::INT, Signal::TERM];

/// What is to be done, in the order in which it was asked for.
static UNDO: [OnceLock<fn()>; 3] = [const { OnceLock::new() }; 3];

/// The signals that people and the system end commands with.
pub fn signals() -> SignalSet {
    ENDING.into_iter().collect()
}

/// Has a function called before one of the signals ends us, which then ends us as it would have
/// without. The function makes no calls but those that signal-safety(7) allows.
pub fn undo_first(undo: fn()) {
    static HANDLED: Once = Once::new();
    let has_place = UNDO.iter().any(|place| place.set(undo).is_ok());
    debug_assert!(has_place, "there is a place for everybody who asks");
    HANDLED.call_once(|| {
        for signal in ENDING {
            handle(signal, end);
        }
    });
}

/// Has the signals wait until it is dropped, for what takes more than a handler may do. A system call
/// that waits returns when one comes.
#[derive(Debug)]
pub struct Postponed(());

/// The number of the signal that came.
static CAME: AtomicI32 = AtomicI32::new(0);

impl Postponed {
    /// From now on.
    pub fn new() -> Self {
        for signal in ENDING {
            handle(signal, note);
        }
        Self(())
    }

    /// Whether one has come.
    pub fn is_wanted(&self) -> bool {
        CAME.load(Ordering::Relaxed) != 0
    }
}

impl Drop for Postponed {
    /// Ends us, if one has come.
    fn drop(&mut self) {
        // Before the look, so that none falls between.
        ENDING.into_iter().filter(|&signal| !is_ignored(signal)).for_each(restore);
        Signal::new(CAME.load(Ordering::Relaxed)).into_iter().for_each(die_of);
    }
}

/// Undoes what is to be undone, for an end that is no signal's. It calls nothing that a handler may
/// not call.
pub(super) fn undo() {
    for undo in UNDO.iter().filter_map(OnceLock::get) {
        undo();
    }
}

extern "C" fn note(number: i32) {
    CAME.store(number, Ordering::Relaxed);
}

extern "C" fn end(number: i32) {
    undo();
    if let Some(signal) = Signal::new(number) {
        die_of(signal);
    }
}
