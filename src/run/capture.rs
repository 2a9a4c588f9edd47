//! Keeps the output of a COMMAND while it is passed on.
//!
//! A thread copies from a pipe, of which COMMAND has the other end, to a descriptor of this process.
//! It ends with the COMMAND, and not with children that have inherited the pipe: these get SIGPIPE
//! for what they write later.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::eventfd::Bell;
use crate::sys::{pipe, poll, stdio, stream, thread};

/// A file that keeps the beginning of the output of a COMMAND.
#[derive(Debug)]
pub struct Log {
    file: OwnedFd,
    /// The number of bytes that it has room for.
    left: AtomicU64,
}

impl Log {
    /// A log in this file, of at most so many bytes.
    pub fn new(file: OwnedFd, size: u64) -> Self {
        Self { file, left: AtomicU64::new(size) }
    }

    fn add(&self, bytes: &[u8]) {
        let most = bytes.len() as u64;
        let less = |left: u64| Some(left.saturating_sub(most));
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        let count = left.unwrap_or(0).min(most) as usize;
        // A full disk is no reason to lose the output itself.
        let _ = stream::write(&self.file, &bytes[..count]);
    }
}

/// Output of a COMMAND that is passed on and kept.
#[derive(Debug)]
pub struct Capture {
    /// The end of COMMAND.
    end: OwnedFd,
    stop: Arc<Bell>,
    thread: Option<JoinHandle<Vec<u8>>>,
}

impl Capture {
    /// Begins to pass output on to `to`, to keep its last `tail` bytes, and to write its beginning
    /// to a log.
    ///
    /// # Errors
    /// EMFILE if no descriptor is left, EAGAIN if there may be no more threads.
    pub fn new(to: BorrowedFd<'static>, tail: usize, log: Option<Arc<Log>>) -> Result<Self, Errno> {
        let (from, end) = pipe::new()?;
        let stop = Arc::new(Bell::new()?);
        let stopped = Arc::clone(&stop);
        let pass = move || pass_on(&from, to, &stopped, tail, log.as_deref());
        let thread = Some(thread::start(|thread| thread.spawn(pass))?);
        Ok(Self { end, stop, thread })
    }

    /// The descriptor that COMMAND writes to.
    pub fn end(&self) -> BorrowedFd<'_> {
        self.end.as_fd()
    }

    /// Ends it, after all that COMMAND has written; returns what is kept.
    pub fn finish(mut self) -> Vec<u8> {
        self.stop.ring();
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.stop.ring();
        if let Some(thread) = self.thread.take() {
            // Nothing is lost: the output has been passed on.
            let _ = thread.join();
        }
    }
}

fn pass_on(
    from: &OwnedFd,
    to: BorrowedFd<'static>,
    stop: &Bell,
    tail: usize,
    log: Option<&Log>,
) -> Vec<u8> {
    let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
    // After the bell, what is in the pipe is passed on, and nothing is waited for.
    let mut left = None;
    while left != Some(0) {
        if left.is_none() {
            let _ = poll::any_readable(&[from.as_fd(), stop.as_fd()], Deadline::NEVER);
            left = stop.has_rung().then(|| pipe::length(from).unwrap_or(0));
        }
        if left == Some(0) || poll::readable(from, Deadline::PASSED) != Ok(Waited::Done(())) {
            continue;
        }
        let most = left.unwrap_or(buffer.len()).min(buffer.len());
        let Ok(count @ 1..) = stream::read(from, &mut buffer[..most]) else { break };
        let bytes = &buffer[..count];
        let _ = stdio::write_all(to, bytes);
        if let Some(log) = log {
            log.add(bytes);
        }
        kept.extend_from_slice(bytes);
        let excess = kept.len().saturating_sub(tail);
        kept.drain(..excess);
        left = left.map(|left| left - count);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_passed_on_and_its_end_is_kept_while_another_process_has_the_pipe() {
        let (seen, to) = pipe::new().unwrap();
        // It is leaked: the thread needs a descriptor of the whole process.
        let to: &'static OwnedFd = Box::leak(Box::new(to));
        let capture = Capture::new(to.as_fd(), 4, None).unwrap();
        let child = capture.end().try_clone_to_owned().unwrap();
        stream::write(&child, b"some text").unwrap();
        assert_eq!(capture.finish(), b"text");
        let mut bytes = [0; 100];
        assert_eq!(stream::read(&seen, &mut bytes), Ok(9));
        assert_eq!(stream::write(&child, b"more"), Err(Errno(libc::EPIPE)));
    }
}
