//! Ending a process that is no longer needed: TERM, and KILL if it is still there later.

use std::time::Duration;

use crate::base::deadline::Deadline;
use crate::base::signal::Signal;
use crate::sys::spawn::Child;

/// How long a process may take to end.
const GRACE: Duration = Duration::from_secs(2);

/// Asks a process and its group to end; returns the time at which [`kill`] is due.
pub fn terminate(child: &Child) -> Deadline {
    child.send(Signal::TERM);
    // A stopped process acts on TERM only after it continues.
    child.send(Signal::CONT);
    Deadline::after(GRACE)
}

/// Ends a process that has not ended in time.
pub fn kill(child: &Child) {
    child.send(Signal::KILL);
}
