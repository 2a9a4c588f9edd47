//! System V objects that are made and not yet as they shall be: IPC_RMID of shmctl(2), semctl(2) and
//! msgctl(2).

use std::mem::ManuallyDrop;
use std::sync::Once;
use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};
use std::time::Duration;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::signal::Blocked;
use crate::sys::{cleanup, poll};

/// Which kind of object it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Kind {
    /// Shared memory.
    Segment,
    /// A set of semaphores.
    Set,
    /// A message queue.
    Queue,
}

/// An object that is not yet as it shall be. Dropping it removes it, and so do HUP, INT and TERM
/// when they end the process. Others may find it meanwhile: the kernel gives a key only to an object
/// that it makes.
#[derive(Debug)]
pub struct Unfinished {
    id: i32,
}

/// The object that is to be removed when a signal comes; -1 for none. A process makes one at a time.
static UNFINISHED: AtomicI32 = AtomicI32::new(-1);

/// Its [`Kind`].
static KIND: AtomicU8 = AtomicU8::new(Kind::Segment as u8);

impl Unfinished {
    /// Makes one by `make`, which returns its identifier.
    pub fn make<E>(kind: Kind, make: impl FnOnce() -> Result<i32, E>) -> Result<Self, E> {
        static WATCHED: Once = Once::new();
        WATCHED.call_once(|| cleanup::undo_first(remove_unfinished));
        // No signal comes between the object and the note that it has to be removed.
        let _blocked = Blocked::new(cleanup::signals());
        let id = make()?;
        KIND.store(kind as u8, Ordering::Relaxed);
        UNFINISHED.store(id, Ordering::Relaxed);
        Ok(Self { id })
    }

    /// Its identifier.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Leaves it to everybody.
    pub fn keep(self) -> i32 {
        let finished = ManuallyDrop::new(self);
        UNFINISHED.store(-1, Ordering::Relaxed);
        finished.id
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        remove_unfinished();
    }
}

/// Removes the object that is not finished, unless somebody did. It only makes an atomic change and
/// a system call, so that a signal handler may call it.
fn remove_unfinished() {
    let id = UNFINISHED.swap(-1, Ordering::Relaxed);
    if id >= 0 {
        // The error that led here is reported already.
        let _ = remove(KIND.load(Ordering::Relaxed), id);
    }
}

fn remove(kind: u8, id: i32) -> Result<(), Errno> {
    const SEGMENT: u8 = Kind::Segment as u8;
    const SET: u8 = Kind::Set as u8;
    let result = match kind {
        // SAFETY: the command takes no structure.
        SEGMENT => unsafe { libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()) },
        // SAFETY: the command takes no argument.
        SET => unsafe { libc::semctl(id, 0, libc::IPC_RMID) },
        // SAFETY: the command takes no structure.
        _ => unsafe { libc::msgctl(id, libc::IPC_RMID, std::ptr::null_mut()) },
    };
    Errno::check(result)
}

/// Waits for the process that makes an object to finish it, as long as one needs that was not killed
/// in between: a second.
pub fn wait_for_maker(
    mut is_finished: impl FnMut() -> Result<bool, Errno>,
) -> Result<Waited, Errno> {
    const LOOK_AGAIN: Duration = Duration::from_millis(5);
    let deadline = Deadline::after(Duration::from_secs(1));
    while !is_finished()? {
        if deadline.has_passed() {
            return Ok(Waited::TimedOut);
        }
        // The kernel has no event for the end of this.
        let _ = poll::any(&mut [], Deadline::after(LOOK_AGAIN))?;
    }
    Ok(Waited::Done(()))
}
