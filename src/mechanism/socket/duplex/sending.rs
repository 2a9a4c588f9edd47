//! From stdin to the peer.

use std::os::fd::{AsFd, BorrowedFd};

use nix::poll::{PollFd, PollFlags};
use nix::sys::socket::AddressFamily;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::io::frame::{ReadError, Reader};
use crate::io::transfer::{self, Side, Step, Transfer};
use crate::sys::poll;

use super::{Duplex, Error, Input};

impl Duplex {
    /// Sends to the end, and then the end.
    pub(super) fn send(&self, input: &mut Input) -> Result<(), Error> {
        let Input { stdin, records } = input;
        let sent = match records {
            None => self.send_stream(*stdin),
            Some(reader) => self.send_records(reader, *stdin),
        };
        // This fails only if the peer has left.
        let _ = self.socket.shut_down_writing();
        sent
    }

    fn send_stream(&self, stdin: BorrowedFd<'_>) -> Result<(), Error> {
        let transfer = Transfer::new(stdin, self.socket.as_fd(), None);
        let mut transfer = transfer.counted(&self.traffic.sent);
        let mut known_ready = transfer.needs_no_waiting_for_source();
        loop {
            if !known_ready && self.wait_for_input(stdin)? == Wake::Over {
                return Ok(());
            }
            match transfer.step().map_err(blame)? {
                Step::End => return Ok(()),
                Step::NotReady(Side::Source) => known_ready = false,
                Step::NotReady(Side::Destination) => self.wait_for_room()?,
                Step::Moved(_) => {
                    self.expiry.postpone();
                    known_ready = transfer.needs_no_waiting_for_source();
                }
            }
        }
    }

    fn send_records(
        &self,
        reader: &mut Reader<impl AsFd>,
        stdin: BorrowedFd<'_>,
    ) -> Result<(), Error> {
        loop {
            if !reader.has_buffered() && self.wait_for_input(stdin)? == Wake::Over {
                return Ok(());
            }
            match reader.next_until(Deadline::PASSED).map_err(Error::Input)? {
                Waited::Done(Some(record)) => self.send_message(record)?,
                Waited::Done(None) => return Ok(()),
                Waited::TimedOut => {}
            }
        }
    }

    /// Sends one message, whatever its size.
    fn send_message(&self, message: &[u8]) -> Result<(), Error> {
        loop {
            match self.socket.send_message(message) {
                Ok(()) => {
                    self.expiry.postpone();
                    self.traffic.sent.add(message.len() as u64);
                    return Ok(());
                }
                Err(Errno(libc::EAGAIN)) => self.wait_for_room()?,
                Err(errno) => return Err(Error::of_sending(&self.socket, message.len(), errno)),
            }
        }
    }

    /// Waits for input, or for the end of the connection. A Unix peer that has sent its end may still
    /// read. A TCP peer that has sent its end may have closed, so it gets only the input that is there
    /// at that moment.
    fn wait_for_input(&self, stdin: BorrowedFd<'_>) -> Result<Wake, Error> {
        let left = match self.socket.family() {
            Some(AddressFamily::Unix) => PollFlags::empty(),
            _ => PollFlags::from_bits_retain(libc::POLLRDHUP),
        };
        let input = PollFd::new(stdin, PollFlags::POLLIN);
        let stop = PollFd::new(self.stop.as_fd(), PollFlags::POLLIN);
        let mut fds = [input, PollFd::new(self.socket.as_fd(), left), stop];
        self.wait(|deadline| poll::any(&mut fds, deadline))?;
        let has_input = fds[0].any() == Some(true);
        // Input comes before the peer's end: whether the peer still takes it, sending shows.
        Ok(if has_input && fds[2].any() == Some(false) { Wake::Input } else { Wake::Over })
    }
}

/// Why a wait for input ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Wake {
    /// There are bytes to read, or the end of the input.
    Input,
    /// The peer has left, or the sender has to stop.
    Over,
}

/// The error of stdin or of the socket that an error in sending is.
fn blame(error: transfer::Error) -> Error {
    match error.side {
        Side::Source => Error::Input(ReadError::Kernel(error.errno)),
        Side::Destination => Error::of_socket(error.errno),
    }
}
