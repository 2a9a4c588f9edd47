//! A second process of a writer that ends the writer's record if the writer is killed within it.
//!
//! It has the open file description of the writer, and so the lock of the FIFO: no other writer can write
//! before it has ended the record. It is in a session of its own and blocks all signals, so that neither
//! the terminal nor a signal to the process group ends it.

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};

use super::Writer;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::signal::Signal;
use crate::sys::eventfd::Counter;
use crate::sys::signal::{Blocked, SignalSet};
use crate::sys::spawn::{Child, start_copy};
use crate::sys::{descriptor, pipe, poll, process};

/// The guard of a writer. Dropping it ends the process.
#[derive(Debug)]
pub struct Guard {
    child: Child,
    /// The write end of a pipe, which the kernel closes when this process ends.
    life: Option<OwnedFd>,
    /// The number of the record that the writer has begun; 0 between records.
    record: Counter,
    /// Whether the process still has a record to end, which may take long.
    is_needed: bool,
}

/// The name of the process in listings.
const NAME: &CStr = c"ipc-guard";

/// The number of a record that the writer itself has reported.
const REPORTED: u64 = 1 << 63;

impl Guard {
    /// Starts the process. If it ends a record, it writes `separator`, and calls `report` with the number
    /// of the record. The process has to have one thread only.
    ///
    /// # Errors
    /// EAGAIN and EMFILE at limits.
    pub fn start(
        writer: &Writer,
        separator: &[u8],
        report: impl FnOnce(u64),
    ) -> Result<Self, Errno> {
        let (end, life) = pipe::new()?;
        let record = Counter::new()?;
        let all: SignalSet = Signal::all().collect();
        let _blocked = Blocked::new(all);
        let child = start_copy(|| {
            process::leave_session();
            process::set_name(NAME);
            let stderr = std::io::stderr();
            let kept = [writer.as_fd(), end.as_fd(), record.as_fd(), stderr.as_fd()];
            descriptor::close_others(&kept);
            if let Some(number) = record_at_end(&end, &record) {
                if number != REPORTED {
                    report(number);
                }
                // Without a reader nobody sees the record.
                let _ = writer.write(separator, Deadline::NEVER);
            }
            0
        })?;
        Ok(Self { child, life: Some(life), record, is_needed: false })
    }

    /// A record begins, with this number from 1 on.
    pub fn begin(&self, number: u64) -> Result<(), Errno> {
        self.record.add(number)
    }

    /// The record is whole, or has no reader.
    pub fn end(&self) -> Result<(), Errno> {
        self.record.take().map(drop)
    }

    /// The writer gives the record up, and reports that.
    pub fn give_up(&mut self) -> Result<(), Errno> {
        self.end()?;
        self.is_needed = true;
        self.record.add(REPORTED)
    }
}

/// Waits for the end of the writer; returns the number of the record that it was writing.
fn record_at_end(end: &OwnedFd, record: &Counter) -> Option<u64> {
    let _: Waited = poll::readable(end, Deadline::NEVER).ok()?;
    match poll::readable(record, Deadline::PASSED) {
        Ok(Waited::Done(())) => record.take().ok(),
        Ok(Waited::TimedOut) | Err(_) => None,
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.life.take());
        if !self.is_needed {
            // The readers of the FIFO see its end when this process has ended.
            let _ = self.child.wait();
        }
    }
}
