//! Enforces a deadline on calls that have none of their own: a path lookup may wait for an NFS or
//! FUSE server that never answers, in a wait that no signal short of death interrupts; a host
//! lookup may wait for a name server.
//!
//! Another thread makes the call. If the call has not returned shortly after the deadline, the
//! caller continues without it; the kernel aborts the call when the process exits.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::stat::stat;

use crate::base::deadline::{Deadline, Waited};
use crate::base::exit::Failure;
use crate::sys::thread;

/// The file system does not answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unanswered;

impl From<Unanswered> for Failure {
    fn from(_: Unanswered) -> Self {
        Self::timed_out().hint("the file system does not answer")
    }
}

/// The time after the deadline in which a file system may still answer. `work` observes the
/// deadline itself in its other waits, and an available result is used even if it is a little late.
///
/// The time is counted in parts: if the process was stopped, perhaps until long after the deadline,
/// `work` was stopped too and still has most of its time.
const GRACE: Duration = Duration::from_secs(1);

/// The number of parts.
const PARTS: u32 = 10;

/// Runs work that observes `deadline` except in file system calls. Without a deadline, or if it has
/// already passed, the work runs in this thread. It also runs here, without the limit, if no thread
/// can be started.
///
/// # Errors
/// [`Unanswered`] if the file system does not answer; the inner errors are those of `work`.
pub fn within<T, E, F>(deadline: Deadline, work: F) -> Result<Result<Waited<T>, E>, Unanswered>
where
    F: FnOnce() -> Result<Waited<T>, E> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let left = match deadline {
        Deadline::PASSED => None,
        deadline => deadline.remaining(),
    };
    let Some(left) = left else { return Ok(work()) };
    let (tell, told) = mpsc::sync_channel(1);
    let (hand_over, handed_over) = mpsc::sync_channel::<F>(1);
    let thread = move || {
        // The receiver is gone if the work took too long.
        handed_over.into_iter().for_each(|work| drop(tell.send(work())));
    };
    let Ok(thread) = thread::start(|builder| builder.spawn(thread)) else { return Ok(work()) };
    // The thread receives one.
    let _ = hand_over.send(work);
    drop(hand_over);
    let in_time = told.recv_timeout(left).ok();
    let late = || (0..PARTS).find_map(|_| told.recv_timeout(GRACE / PARTS).ok());
    let answer = in_time.or_else(late).ok_or(Unanswered)?;
    // It ends next. A panic of the work has left no answer.
    let _ = thread.join();
    Ok(answer)
}

/// Looks a path up, so that the calls that follow find a file system that answers. Without a deadline,
/// or if it has already passed, there is nothing to enforce.
///
/// # Errors
/// The failure of [`Unanswered`].
#[inline]
pub fn look_up(path: impl AsRef<Path>, deadline: Deadline) -> Result<(), Failure> {
    match deadline {
        Deadline::NEVER | Deadline::PASSED => Ok(()),
        deadline => look_up_within(path.as_ref().to_owned(), deadline),
    }
}

// Short commands without a timeout do not touch the page of this code.
#[cold]
fn look_up_within(path: PathBuf, deadline: Deadline) -> Result<(), Failure> {
    // The calls that follow report its errors.
    let look = move || Ok::<_, Infallible>(Waited::Done(stat(&path).is_ok()));
    Ok(within(deadline, look).map(drop)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::errno::Errno;

    #[test]
    fn what_comes_back_is_handed_on_even_behind_the_deadline() {
        for deadline in [Deadline::NEVER, Deadline::PASSED, Deadline::after(Duration::ZERO)] {
            let done = within(deadline, || Ok::<_, Errno>(Waited::Done(7)));
            assert_eq!(done, Ok(Ok(Waited::Done(7))));
            let failed = within(deadline, || Err::<Waited, _>(Errno(libc::EIO)));
            assert_eq!(failed, Ok(Err(Errno(libc::EIO))));
        }
    }

    #[test]
    fn what_does_not_come_back_is_not_waited_for() {
        let (_never, end) = mpsc::channel::<()>();
        let stuck = within(Deadline::after(Duration::from_millis(10)), move || {
            let _ = end.recv();
            Ok::<_, Errno>(Waited::Done(()))
        });
        assert_eq!(stuck, Err(Unanswered));
    }
}
