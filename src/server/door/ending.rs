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

/// Ends processes, and waits for their end: TERM, and KILL if they are still there later.
pub fn finish<'a>(children: impl Iterator<Item = &'a mut Child>) {
    let mut children: Vec<&mut Child> = children.collect();
    for child in &children {
        terminate(child);
    }
    retain_running(&mut children, Deadline::after(GRACE));
    children.iter().for_each(|child| kill(child));
    retain_running(&mut children, Deadline::after(GRACE));
}

/// Reaps those that end until then.
fn retain_running(children: &mut Vec<&mut Child>, until: Deadline) {
    children.retain_mut(|child| {
        let process = child.process();
        let _ = process.and_then(|process| process.wait_until_ended(until));
        matches!(child.try_wait(), Ok(None))
    });
}
