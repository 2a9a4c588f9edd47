//! The bytes that a peer has not read yet: SIOCOUTQ of unix(7) and tcp(7).

use std::os::fd::AsRawFd;

use nix::sys::socket::{self, AddressFamily, Shutdown, sockopt};

use super::Socket;
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::sys::events::{Events, Interest};

/// Less memory than the kernel needs for any message. While it frees a message of a Unix socket, and
/// reports that, it still counts one byte.
const LEAST: usize = 256;

impl Socket {
    /// Waits until the peer has read every byte, or has closed; for TCP, until the kernel of the peer has
    /// acknowledged every byte and the end. For families whose bytes the kernel does not count, it
    /// returns at once.
    ///
    /// The events are edge-triggered: both directions have ended, so poll(2) would report the hangup
    /// all the time.
    ///
    /// # Errors
    /// ECONNRESET if the peer has closed before that; another error that ended the connection.
    pub fn wait_until_read(&self, deadline: Deadline) -> Result<Waited, Errno> {
        if self.is_all_read()? {
            return Ok(Waited::Done(()));
        }
        let mut events = Events::new()?;
        events.add(self, 0, Interest::Changes)?;
        let mut changed = Vec::new();
        while !self.is_all_read()? {
            if events.wait(&mut changed, deadline)? == Waited::TimedOut {
                return Ok(Waited::TimedOut);
            }
        }
        Ok(Waited::Done(()))
    }

    /// Whether the peer has bytes to read.
    pub fn has_unread(&self) -> bool {
        let least = if self.family() == Some(AddressFamily::Unix) { LEAST } else { 1 };
        self.unread().is_some_and(|size| size >= least)
    }

    /// The kernel records that a Unix peer has closed before it frees the bytes that the peer has not
    /// read, so the error is read last.
    fn is_all_read(&self) -> Result<bool, Errno> {
        let unread = self.has_unread();
        match socket::getsockopt(&self.0, sockopt::SocketError)? {
            0 => Ok(!unread),
            errno => Err(Errno(errno)),
        }
    }

    /// The memory of the unread messages; for TCP, the number of unread bytes.
    pub fn unread(&self) -> Option<usize> {
        let mut size: libc::c_int = 0;
        // SAFETY: the kernel writes an int to `size`, which lives through the call.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), libc::TIOCOUTQ, &raw mut size) };
        Errno::check(result).ok().and_then(|()| usize::try_from(size).ok())
    }

    /// Ends receiving, and with it a call that waits for bytes.
    pub fn shut_down_reading(&self) {
        // It fails only if the peer has left.
        let _ = socket::shutdown(self.0.as_raw_fd(), Shutdown::Read);
    }
}
