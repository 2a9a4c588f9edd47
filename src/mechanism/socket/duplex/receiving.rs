//! From the peer to stdout, or to nowhere.

use std::os::fd::{AsFd, BorrowedFd};

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::io::frame::Writer;
use crate::io::output::{Output, Unwritable};
use crate::io::transfer::{self, Side, Step, Transfer};
use crate::sys::poll;

use super::{Duplex, Error, Outlet};

/// The size of the buffer for bytes that are dropped.
const DROPPED_AT_ONCE: usize = 64 << 10;

impl Duplex {
    /// Receives to the end.
    pub(super) fn receive(
        &self,
        outlet: &mut Outlet,
        output: &mut Output,
    ) -> anyhow::Result<Result<(), Error>> {
        let received = match &mut outlet.records {
            None => self.receive_stream(outlet.stdout).map_err(anyhow::Error::from),
            Some(writer) => self.receive_records(writer, output),
        };
        // A peer must not take an incomplete transfer for a complete one.
        if !matches!(received, Ok(Ok(()))) {
            self.socket.reset_when_closed();
        }
        received
    }

    fn receive_stream(&self, stdout: BorrowedFd<'_>) -> Result<Result<(), Error>, Unwritable> {
        let transfer = Transfer::new(self.socket.as_fd(), stdout, None);
        let mut transfer = transfer.counted(&self.traffic.received);
        loop {
            let waited = match transfer.step() {
                Ok(Step::Moved(_)) => {
                    self.expiry.postpone();
                    continue;
                }
                Ok(Step::End) => return Ok(Ok(())),
                Ok(Step::NotReady(Side::Source)) => self.wait_for_bytes(),
                Ok(Step::NotReady(Side::Destination)) => {
                    self.wait(|deadline| poll::writable(stdout, deadline))
                }
                Err(transfer::Error { side: Side::Destination, errno }) => {
                    return Err(Unwritable(errno));
                }
                Err(error) => Err(Error::of_socket(error.errno)),
            };
            if let Err(error) = waited {
                return Ok(Err(error));
            }
        }
    }

    fn receive_records(
        &self,
        writer: &mut Writer,
        output: &mut Output,
    ) -> anyhow::Result<Result<(), Error>> {
        let (socket, mut buffer) = (&self.socket, Vec::new());
        socket.mark_messages()?;
        let received = loop {
            // Received messages are written before this thread sleeps.
            if !output.pending().is_empty()
                && poll::readable(socket, Deadline::PASSED)? == Waited::TimedOut
            {
                output.flush()?;
            }
            match socket.receive_message(&mut buffer) {
                Ok(Some(message)) => {
                    self.expiry.postpone();
                    self.traffic.received.add(message.len() as u64);
                    writer.write(output, message)?;
                }
                Ok(None) => break Ok(()),
                Err(Errno(libc::EAGAIN)) => {
                    if let Err(error) = self.wait_for_bytes() {
                        break Err(error);
                    }
                }
                Err(errno) => break Err(Error::of_socket(errno)),
            }
        };
        output.flush()?;
        Ok(received)
    }

    /// Reads and drops what the peer sends.
    pub(super) fn drop_all(&self, outlet: &Outlet) -> Result<(), Error> {
        let mut buffer = vec![0; DROPPED_AT_ONCE];
        loop {
            let received = match outlet.records {
                None => self.socket.receive(&mut buffer).map(|count| count > 0),
                Some(_) => {
                    self.socket.receive_message(&mut buffer).map(|message| message.is_some())
                }
            };
            match received {
                Ok(true) => self.expiry.postpone(),
                Ok(false) => return Ok(()),
                Err(Errno(libc::EAGAIN)) => match self.wait_for_bytes() {
                    // The sender reports it.
                    Err(Error::TimedOut | Error::Idle) => return Ok(()),
                    waited => waited?,
                },
                Err(errno) => return Err(Error::of_socket(errno)),
            }
        }
    }
}
