//! What is undone before a signal ends us, of the signals that can be caught: signal-safety(7).

use std::sync::{Once, OnceLock};

use super::signal::{SignalSet, die_of, handle};
use crate::signals::Signal;

/// The signals that people and the system end commands with.
const ENDING: [Signal; 3] = [Signal::HUP, Signal::INT, Signal::TERM];

/// What is to be done, in the order in which it was asked for.
static UNDO: [OnceLock<fn()>; 2] = [const { OnceLock::new() }; 2];

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

extern "C" fn end(number: i32) {
    for undo in UNDO.iter().filter_map(OnceLock::get) {
        undo();
    }
    if let Some(signal) = Signal::new(number) {
        die_of(signal);
    }
}
