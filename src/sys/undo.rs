//! A table of what is to be undone before a fatal signal ends the process, which a signal handler can
//! read: signal-safety(7).
//!
//! An entry belongs to whoever takes it out of the table, in one atomic exchange: either the scope
//! that entered it, which drops it, or the handler, which runs it and drops nothing.

use std::fmt::Debug;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Something that a signal handler can undo.
pub trait Undo: Debug + Send + Sync {
    /// Undoes it, if it was done and not undone yet. It makes atomic changes and calls that
    /// signal-safety(7) allows, allocates nothing and waits for nothing.
    fn undo(&self);
}

/// The number of entries that there may be at a time.
const LENGTH: usize = 32;

type Entry = Arc<dyn Undo>;

static TABLE: [AtomicPtr<Entry>; LENGTH] = [const { AtomicPtr::new(ptr::null_mut()) }; LENGTH];

/// An entry of the table. Dropping it takes the entry out.
#[derive(Debug)]
pub struct Slot {
    place: &'static AtomicPtr<Entry>,
    entry: *mut Entry,
}

// SAFETY: the entry is only compared, until the exchange that makes it ours; it is Send itself.
unsafe impl Send for Slot {}
// SAFETY: nothing is done with a shared slot.
unsafe impl Sync for Slot {}

impl Slot {
    /// Enters something; `None` if the table is full.
    pub fn enter(undo: Arc<dyn Undo>) -> Option<Self> {
        let entry = Box::into_raw(Box::new(undo));
        let free = |place: &&AtomicPtr<Entry>| {
            let none = ptr::null_mut();
            place.compare_exchange(none, entry, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        };
        match TABLE.iter().find(free) {
            Some(place) => Some(Self { place, entry }),
            None => {
                free_entry(entry);
                None
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let none = ptr::null_mut();
        let ours =
            self.place.compare_exchange(self.entry, none, Ordering::AcqRel, Ordering::Relaxed);
        // Otherwise a handler has it, which is about to end the process.
        if ours.is_ok() {
            free_entry(self.entry);
        }
    }
}

fn free_entry(entry: *mut Entry) {
    // SAFETY: it came from `Box::into_raw`, and the caller has just become its only owner.
    drop(unsafe { Box::from_raw(entry) });
}

/// Undoes everything in the table. A signal handler may call it.
pub fn undo_all() {
    for place in TABLE.iter().rev() {
        let entry = place.swap(ptr::null_mut(), Ordering::AcqRel);
        // SAFETY: the exchange made it ours, and it is never freed.
        if let Some(entry) = unsafe { entry.as_ref() } {
            entry.undo();
        }
    }
}
