//! Relays bytes from pseudo-terminals to pipes, for COMMANDs whose stdout is a terminal.

use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags};
use nix::unistd::{read, write};

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::sys::eventfd::Bell;
use crate::sys::pidfd::Process;
use crate::sys::{poll, thread};

/// The maximum that the kernel returns from a terminal at a time.
const BLOCK: usize = 4096;

/// The terminal of a COMMAND, and the pipe that the next COMMAND reads.
#[derive(Debug)]
pub struct Relay {
    master: OwnedFd,
    pipe: OwnedFd,
    /// The COMMAND; `None` if no descriptor was left for it.
    writer: Option<Process>,
    bytes: Vec<u8>,
    pending: Range<usize>,
}

/// The state of a relay.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Open,
    Ended,
}

impl Relay {
    /// A relay from this terminal to this pipe, for this COMMAND.
    pub fn new(master: OwnedFd, pipe: OwnedFd, writer: Option<Process>) -> Self {
        // No other process has this end. If the call failed, a slow reader would
        // stop other relays.
        let _ = fcntl(&pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK));
        Self { master, pipe, writer, bytes: vec![0; BLOCK], pending: 0..0 }
    }

    /// The event that it waits for.
    fn awaited(&self) -> PollFd<'_> {
        if self.pending.is_empty() {
            PollFd::new(self.master.as_fd(), PollFlags::POLLIN)
        } else {
            PollFd::new(self.pipe.as_fd(), PollFlags::POLLOUT)
        }
    }

    /// Moves as many bytes as it can without waiting.
    fn step(&mut self) -> State {
        if self.pending.is_empty() {
            match read(&self.master, &mut self.bytes) {
                Ok(count @ 1..) => self.pending = 0..count,
                Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EINTR) => return State::Open,
                // EIO is the end of file: no process has the terminal open.
                Ok(0) | Err(_) => return State::Ended,
            }
        }
        match write(&self.pipe, &self.bytes[self.pending.clone()]) {
            Ok(count) => self.pending.start += count,
            Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EINTR) => {}
            Err(_) => return self.end_writer(),
        }
        State::Open
    }

    /// Sends the COMMAND the signal that a writer to the pipe itself would get: SIGPIPE.
    fn end_writer(&self) -> State {
        if let Some(writer) = &self.writer {
            // The COMMAND may have ended.
            let _ = writer.send(Some(Signal::PIPE));
        }
        State::Ended
    }
}

/// Runs relays until all have ended, or the bell rings.
///
/// # Errors
/// Those of poll(2).
fn run(mut relays: Vec<Relay>, stop: &Bell) -> Result<(), Errno> {
    while !relays.is_empty() {
        let mut fds = vec![PollFd::new(stop.as_fd(), PollFlags::POLLIN)];
        fds.extend(relays.iter().map(Relay::awaited));
        let _: Waited = poll::any(&mut fds, Deadline::NEVER)?;
        let mut ready =
            fds.iter().map(|fd| fd.any() != Some(false)).collect::<Vec<_>>().into_iter();
        if ready.next() == Some(true) {
            break;
        }
        relays.retain_mut(|relay| ready.next() != Some(true) || relay.step() == State::Open);
    }
    Ok(())
}

/// Runs relays in a thread while `work` runs.
///
/// # Errors
/// EAGAIN if a limit on threads is reached; `work` has not begun then.
pub fn beside<T>(relays: Vec<Relay>, work: impl FnOnce() -> T) -> Result<T, Errno> {
    if relays.is_empty() {
        return Ok(work());
    }
    let stop = Bell::new()?;
    std::thread::scope(|scope| {
        let runner = thread::start(|thread| thread.spawn_scoped(scope, || run(relays, &stop)))?;
        let result = work();
        stop.ring();
        // The scope waits for the end of the closure, and not of the thread. An error of poll(2)
        // only ends the relays.
        let _ = runner.join();
        Ok(result)
    })
}
