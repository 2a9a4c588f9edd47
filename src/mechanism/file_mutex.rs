//! A mutex in a byte of a file: a short exclusive lock that processes take to change the content.
//!
//! The kernel releases the lock of a process that is killed, but not that of a process that is stopped,
//! and the holder may have to wait for a CPU. So the holder writes down its process ID, and a waiter
//! waits up to a second beyond its deadline: a change in progress is no reason to report a timeout. It
//! gives up at once if the holder is stopped.

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::base::deadline::Deadline;
use crate::base::errno::Errno;
use crate::sys::lock::{Guard, Lock};
use crate::sys::process;

/// How long to wait, beyond any deadline, for a holder that is not stopped.
const GRACE: Duration = Duration::from_secs(1);

/// The interval between two checks whether the holder is stopped.
const CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// Locks this byte of the file until the result is dropped, and stores the process ID in `holder`;
/// `None` if the holder does not release it.
pub fn lock<'a>(
    file: &'a (impl AsFd + ?Sized),
    byte: i64,
    holder: &AtomicU32,
    deadline: Deadline,
) -> Result<Option<Guard<'a>>, Errno> {
    let lock = Lock::of_byte(byte);
    let locked = match lock.guard(file, deadline)? {
        None => lock_with_grace(file, lock, holder)?,
        locked => locked,
    };
    if locked.is_some() {
        holder.store(std::process::id(), Ordering::SeqCst);
    }
    Ok(locked)
}

fn lock_with_grace<'a>(
    file: &'a (impl AsFd + ?Sized),
    lock: Lock,
    holder: &AtomicU32,
) -> Result<Option<Guard<'a>>, Errno> {
    let end = Deadline::after(GRACE);
    while !end.has_passed() {
        let locked = lock.guard(file, Deadline::after(CHECK_INTERVAL))?;
        if locked.is_some() || process::is_stopped(holder.load(Ordering::SeqCst) as i32) {
            return Ok(locked);
        }
    }
    Ok(None)
}
