//! Keeping a deadline where the system knows none: what looks at a path may have to wait for a
//! server that never answers, of NFS or FUSE, and no signal that a process survives ends that; what
//! looks for the addresses of a host may have to wait for a server of names.
//!
//! So another thread does it. If it is not back a moment after the deadline we go on without it,
//! and when the process ends the kernel gives up that wait as well.

use std::sync::mpsc;
use std::time::Duration;

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

/// How long after the deadline a file system may answer. `work` keeps the deadline by itself where
/// it waits for anything else, and what can be had at once is had even if that takes longer.
///
/// It is waited for in parts: where we were stopped, perhaps until long after the deadline, `work`
/// was as well, and has most of it left.
const GRACE: Duration = Duration::from_secs(1);

/// How many parts that are.
const PARTS: u32 = 10;

/// Does something that keeps `deadline` but for its file system. Without a deadline, and where it
/// has passed from the first, that is done here and now; so it is where no thread can be started,
/// and then the file system is waited for.
///
/// # Errors
/// [`Unanswered`]; the inner ones are those of `work`.
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
        // The receiver is gone if that took too long.
        handed_over.into_iter().for_each(|work| drop(tell.send(work())));
    };
    if thread::start(|builder| builder.spawn(thread)).is_err() {
        return Ok(work());
    }
    // The thread takes one.
    let _ = hand_over.send(work);
    drop(hand_over);
    let in_time = told.recv_timeout(left).ok();
    let late = || (0..PARTS).find_map(|_| told.recv_timeout(GRACE / PARTS).ok());
    in_time.or_else(late).ok_or(Unanswered)
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
