//! A table of clean-up before a fatal signal ends the process, which a signal handler can read:
//! signal-safety(7).
//!
//! An atomic exchange removes an entry from the table and makes its caller the owner: either the scope that
//! added it, which drops it, or the handler, which calls it and drops nothing.

use std::fmt::Debug;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Something that a signal handler can undo.
pub trait Undo: Debug + Send + Sync {
    /// Undoes it, if it was done and not undone yet. It makes only atomic changes and calls that
    /// signal-safety(7) allows; it does not allocate and does not wait.
    fn undo(&self);
}

/// The maximum number of entries.
const LENGTH: usize = 32;

type Entry = Arc<dyn Undo>;

static TABLE: [AtomicPtr<Entry>; LENGTH] = [const { AtomicPtr::new(ptr::null_mut()) }; LENGTH];

/// An entry of the table. Dropping it removes the entry.
#[derive(Debug)]
pub struct Slot {
    cell: &'static AtomicPtr<Entry>,
    entry: *mut Entry,
}

// SAFETY: the entry is only compared until the exchange that makes this the owner; it is Send itself.
unsafe impl Send for Slot {}
// SAFETY: nothing is done with a shared slot.
unsafe impl Sync for Slot {}

impl Slot {
    /// Adds an entry; `None` if the table is full.
    pub fn enter(undo: Arc<dyn Undo>) -> Option<Self> {
        let entry = Box::into_raw(Box::new(undo));
        let free = |cell: &&AtomicPtr<Entry>| {
            let none = ptr::null_mut();
            cell.compare_exchange(none, entry, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        };
        match TABLE.iter().find(free) {
            Some(cell) => Some(Self { cell, entry }),
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
        let removed =
            self.cell.compare_exchange(self.entry, none, Ordering::AcqRel, Ordering::Relaxed);
        // Otherwise a handler owns it, which is about to end the process.
        if removed.is_ok() {
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
    for cell in TABLE.iter().rev() {
        let entry = cell.swap(ptr::null_mut(), Ordering::AcqRel);
        // SAFETY: the exchange made this the owner, and the entry is never freed.
        if let Some(entry) = unsafe { entry.as_ref() } {
            entry.undo();
        }
    }
}
