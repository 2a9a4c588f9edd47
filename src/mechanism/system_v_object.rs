//! System V objects under construction: an object is removed unless its construction completes.
//!
//! The kernel gives a key only to an object that it creates, so other processes can find the object
//! before it is complete.

use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::cleanup::{self, Registered, Undo};
use crate::sys::poll;
use crate::sys::signal::Blocked;

pub use crate::sys::system_v::Kind;

/// An object under construction. Dropping it removes the object, and so do HUP, INT and TERM when
/// they end the process.
#[derive(Debug)]
pub struct Unfinished {
    removal: Registered<Removal>,
    id: i32,
}

/// Removes an object once.
#[derive(Debug)]
struct Removal {
    kind: Kind,
    /// The identifier of the object; [`NONE`] before it exists and after it was removed or completed.
    id: AtomicI32,
}

const NONE: i32 = -1;

impl Undo for Removal {
    fn undo(&self) {
        let id = self.id.swap(NONE, Ordering::SeqCst);
        if id != NONE {
            // The error that led here is reported already.
            let _ = self.kind.remove(id);
        }
    }
}

impl Unfinished {
    /// Creates an object with `make`, which returns its identifier.
    ///
    /// # Errors
    /// Those of `make`; ENOMEM if too much is registered for removal.
    pub fn make<E: From<Errno>>(
        kind: Kind,
        make: impl FnOnce() -> Result<i32, E>,
    ) -> Result<Self, E> {
        let removal = Registered::new(Removal { kind, id: AtomicI32::new(NONE) })?;
        // A signal between the creation and the store would leave the object behind.
        let _blocked = Blocked::new(cleanup::signals());
        let id = make()?;
        removal.id.store(id, Ordering::SeqCst);
        Ok(Self { removal, id })
    }

    /// The identifier.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Declares the object complete: it stays.
    pub fn keep(self) -> i32 {
        self.removal.id.store(NONE, Ordering::SeqCst);
        self.id
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // A signal between the exchange and the removal would leave the object behind.
        let _blocked = Blocked::new(cleanup::signals());
        self.removal.undo();
    }
}

/// Waits up to a second for another process to complete an object. A process that takes longer was
/// probably killed.
pub fn wait_for_maker(
    mut is_finished: impl FnMut() -> Result<bool, Errno>,
) -> Result<Waited, Errno> {
    const INTERVAL: Duration = Duration::from_millis(5);
    let deadline = Deadline::after(Duration::from_secs(1));
    while !is_finished()? {
        if deadline.has_passed() {
            return Ok(Waited::TimedOut);
        }
        // The kernel has no event for this.
        let _ = poll::any(&mut [], Deadline::after(INTERVAL))?;
    }
    Ok(Waited::Done(()))
}
