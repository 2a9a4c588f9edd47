//! The readers of several FIFOs: waits for the first of them, and later finds others.
//!
//! open(2) of a FIFO without a reader either fails or waits, and poll(2) cannot wait for a reader. So
//! a thread for each FIFO waits in open(2), and is interrupted when the wait ends.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use nix::poll::{PollFd, PollFlags};

use super::{Error, Writer, open_for_writing, status};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::eventfd::Bell;
use crate::sys::interrupt::Attempt;
use crate::sys::poll;
use crate::sys::thread::{self, Interruptible};

/// FIFOs that have no reader.
#[derive(Debug)]
pub struct WithoutReader(Vec<PathBuf>);

/// A FIFO that has a reader.
#[derive(Debug)]
pub struct WithReader {
    /// Its path.
    pub path: PathBuf,
    /// Its write end.
    pub writer: Writer,
}

/// An error of one FIFO.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
pub struct Failed {
    /// Its path.
    pub path: PathBuf,
    /// The error.
    pub error: Error,
}

impl WithoutReader {
    /// These FIFOs.
    ///
    /// # Errors
    /// An error if one is not a FIFO.
    pub fn new(paths: &[PathBuf]) -> Result<Self, Failed> {
        for path in paths {
            status(path).map_err(|error| Failed { path: path.clone(), error })?;
        }
        Ok(Self(paths.to_vec()))
    }

    /// Adds a FIFO whose reader has left.
    pub fn add(&mut self, path: PathBuf) {
        self.0.push(path);
    }

    /// Removes and returns those that have a reader now. An error of another one may be temporary, as
    /// it is while the file is replaced.
    pub fn arrivals(&mut self) -> Vec<WithReader> {
        let mut arrived = Vec::new();
        self.0.retain(|path| match open_now(path) {
            Ok(Some(writer)) => {
                arrived.push(WithReader { path: path.clone(), writer });
                false
            }
            Ok(None) | Err(_) => true,
        });
        arrived
    }

    /// Waits until so many have a reader, and removes and returns these.
    ///
    /// # Errors
    /// An error if one cannot be opened.
    pub fn wait(
        &mut self,
        count: usize,
        deadline: Deadline,
    ) -> Result<Waited<Vec<WithReader>>, Failed> {
        let mut present = Vec::new();
        loop {
            self.open_all(&mut present)?;
            self.take_back_deserted(&mut present)?;
            if present.len() >= count {
                return Ok(Waited::Done(present));
            }
            if deadline.has_passed() {
                return Ok(Waited::TimedOut);
            }
            self.await_change(&mut present, deadline)?;
        }
    }

    /// Opens those that have a reader.
    fn open_all(&mut self, present: &mut Vec<WithReader>) -> Result<(), Failed> {
        for path in std::mem::take(&mut self.0) {
            match open_now(&path) {
                Ok(Some(writer)) => present.push(WithReader { path, writer }),
                Ok(None) => self.0.push(path),
                Err(error) => return Err(Failed { path, error }),
            }
        }
        Ok(())
    }

    /// Takes back those whose reader has left again.
    fn take_back_deserted(&mut self, present: &mut Vec<WithReader>) -> Result<(), Failed> {
        let Some(first) = present.first() else { return Ok(()) };
        let failed = |errno: Errno| Failed { path: first.path.clone(), error: errno.into() };
        let writers = present.iter().map(|fifo| fifo.writer.as_fd());
        let mut fds: Vec<_> = writers.map(|fd| PollFd::new(fd, PollFlags::empty())).collect();
        let _: Waited = poll::any(&mut fds, Deadline::PASSED).map_err(failed)?;
        let has_left: Vec<_> = fds.iter().map(|fd| fd.any() == Some(true)).collect();
        let mut has_left = has_left.into_iter();
        let left = present.extract_if(.., |_| has_left.next() == Some(true));
        self.0.extend(left.map(|fifo| fifo.path));
        Ok(())
    }

    /// Waits until one has got a reader, or a reader has left.
    fn await_change(
        &mut self,
        present: &mut Vec<WithReader>,
        deadline: Deadline,
    ) -> Result<(), Failed> {
        let failed = |errno: Errno| Failed { path: self.0[0].clone(), error: errno.into() };
        let openers = Openers::start(&self.0).map_err(failed)?;
        let mut fds = vec![PollFd::new(openers.shared.bell.as_fd(), PollFlags::POLLIN)];
        let writers = present.iter().map(|fifo| fifo.writer.as_fd());
        fds.extend(writers.map(|writer| PollFd::new(writer, PollFlags::empty())));
        let waited = poll::any(&mut fds, deadline).map_err(failed);
        let opened = openers.finish();
        let _: Waited = waited?;
        for (path, opened) in opened {
            self.0.retain(|without| *without != path);
            match opened {
                Ok(writer) => present.push(WithReader { path, writer }),
                Err(error) => return Err(Failed { path, error }),
            }
        }
        Ok(())
    }
}

/// Threads that wait in open(2), one for each FIFO.
#[derive(Debug)]
struct Openers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    _interrupts: crate::sys::signal::Handler,
}

/// What the threads share with their starter.
#[derive(Debug)]
struct Shared {
    bell: Bell,
    is_canceled: AtomicBool,
    opened: Mutex<Vec<Opened>>,
}

type Opened = (PathBuf, Result<Writer, Error>);

impl Openers {
    fn start(paths: &[PathBuf]) -> Result<Self, Errno> {
        let shared = Arc::new(Shared {
            bell: Bell::new()?,
            is_canceled: AtomicBool::new(false),
            opened: Mutex::new(Vec::new()),
        });
        let mut openers =
            Self { shared, threads: Vec::new(), _interrupts: thread::handle_interrupts() };
        for path in paths {
            let (shared, path) = (Arc::clone(&openers.shared), path.clone());
            let started = thread::start(|thread| thread.spawn(move || shared.open(path)));
            match started {
                Ok(thread) => openers.threads.push(thread),
                Err(errno) => {
                    openers.finish();
                    return Err(errno);
                }
            }
        }
        Ok(openers)
    }

    /// Ends the threads; returns what they have opened.
    fn finish(self) -> Vec<Opened> {
        self.shared.is_canceled.store(true, Ordering::Relaxed);
        self.threads.into_iter().for_each(thread::interrupt_until_finished);
        std::mem::take(&mut *self.shared.opened.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shared {
    /// Waits for a reader, and opens the FIFO.
    fn open(&self, path: PathBuf) {
        let _interruptible = Interruptible::new();
        let opened = loop {
            if self.is_canceled.load(Ordering::Relaxed) {
                return;
            }
            match open_for_writing(&path, Attempt::Blocking) {
                Err(Errno(libc::EINTR)) => {}
                opened => break opened.map_err(Error::from).and_then(Writer::of),
            }
        };
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).push((path, opened));
        self.bell.ring();
    }
}

/// Opens a FIFO if it has a reader.
fn open_now(path: &Path) -> Result<Option<Writer>, Error> {
    match open_for_writing(path, Attempt::Nonblocking) {
        Ok(fd) => Writer::of(fd).map(Some),
        Err(Errno(libc::EAGAIN | libc::EINTR)) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

impl From<Writer> for OwnedFd {
    fn from(writer: Writer) -> Self {
        writer.0
    }
}
