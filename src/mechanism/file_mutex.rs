//! Having a file to oneself for the microseconds that a change of what it holds takes.
//!
//! Whoever is at it may be killed, which frees the lock, or be stopped, which does not; or he has
//! no CPU at the moment, where many want one. So he leaves a note of who he is. Somebody else waits
//! for him as long as he may wait for anything, and a little longer: that a change is being made
//! is no reason to say no. He gives up on one who is stopped, and on one who takes a second.

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::base::deadline::Deadline;
use crate::base::errno::Errno;
use crate::sys::lock::{Guard, Lock};
use crate::sys::process;

/// For how long to wait, beyond any deadline, for one who is not stopped.
const PATIENCE: Duration = Duration::from_secs(1);

/// After how long to look whether he is.
const LOOK: Duration = Duration::from_millis(10);

/// Locks this byte of the file for as long as what it returns lives, and writes down who has it;
/// `None` if whoever has it does not give it up.
pub fn enter<'a>(
    file: &'a (impl AsFd + ?Sized),
    byte: i64,
    who: &AtomicU32,
    deadline: Deadline,
) -> Result<Option<Guard<'a>>, Errno> {
    let lock = Lock::of_byte(byte);
    let entered = match lock.guard(file, deadline)? {
        None => patiently(file, lock, who)?,
        entered => entered,
    };
    if entered.is_some() {
        who.store(std::process::id(), Ordering::SeqCst);
    }
    Ok(entered)
}

fn patiently<'a>(
    file: &'a (impl AsFd + ?Sized),
    lock: Lock,
    who: &AtomicU32,
) -> Result<Option<Guard<'a>>, Errno> {
    let end = Deadline::after(PATIENCE);
    while !end.has_passed() {
        let entered = lock.guard(file, Deadline::after(LOOK))?;
        if entered.is_some() || process::is_stopped(who.load(Ordering::SeqCst) as i32) {
            return Ok(entered);
        }
    }
    Ok(None)
}
