//! Forwarding between two connected sockets, until both directions have ended.
//!
//! Each direction is a loop in a thread of its own, so that a pause of one side delays only its own
//! direction. The end of one direction is forwarded, and the other direction continues; it continues
//! as well where a peer reads no more, as that peer may still send. Where a side fails, the other must
//! not take the bytes that it got for a complete transfer: its connection is reset, if the protocol has
//! a reset.

use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags};

use crate::base::errno::Errno;
use crate::io::output::Output;
use crate::io::transfer;
use crate::io::transfer::{Side, Step, Transfer};
use crate::mechanism::socket::duplex::{Error, wait_until_read};
use crate::mechanism::socket::expiry::Expiry;
use crate::sys::eventfd::Bell;
use crate::sys::poll;
use crate::sys::socket::Socket;
use crate::sys::socket::SocketType;
use crate::sys::thread;

/// Forwards between two sockets of this type, which the caller does not use any more; then waits until
/// both peers have read everything. It ends when `stop` rings.
///
/// # Errors
/// The error of the direction that failed; [`Error::TimedOut`], [`Error::Idle`] and [`Error::Unread`] at
/// a limit.
pub fn both_ways(
    [near, far]: [&Socket; 2],
    kind: SocketType,
    expiry: &Expiry,
    stop: &Bell,
    output: &Output,
) -> Result<(), Error> {
    for socket in [near, far] {
        socket.enlarge_send_buffer();
        socket.make_non_blocking().map_err(Error::Socket)?;
    }
    let forth = Direction { from: near, to: far, stop, expiry };
    let back = Direction { from: far, to: near, stop, expiry };
    std::thread::scope(|scope| {
        let back = thread::start(|thread| thread.spawn_scoped(scope, || back.pass(kind)));
        let back = back.map_err(Error::Socket)?;
        let forth = forth.pass(kind);
        forth.and(back.join().expect("the thread does not panic"))
    })?;
    if stop.has_rung() {
        return Ok(());
    }
    wait_until_read(far, expiry, output)?;
    wait_until_read(near, expiry, output)
}

/// One direction.
struct Direction<'a> {
    from: &'a Socket,
    to: &'a Socket,
    /// Rings when a direction has failed, or the connection has to end.
    stop: &'a Bell,
    /// The limits of the connection.
    expiry: &'a Expiry,
}

/// How a direction ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Passed {
    /// At the end of its source.
    All,
    /// Before that, as the bell rang.
    Part,
    /// Before that, as its destination takes no more.
    Refused(Errno),
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Wake {
    /// The socket is ready.
    Ready,
    /// The bell rang.
    Stopped,
}

impl Direction<'_> {
    fn pass(&self, kind: SocketType) -> Result<(), Error> {
        let passed = match kind {
            SocketType::Stream => self.pass_bytes(),
            SocketType::Seqpacket | SocketType::Dgram => self.pass_messages(),
        };
        match passed {
            Ok(Passed::All) => self.to.shut_down_writing().map_err(Error::of_socket),
            Ok(Passed::Refused(errno)) => Err(Error::PeerLeft(errno)),
            Ok(Passed::Part) => {
                self.to.reset_when_closed();
                Ok(())
            }
            Err(error) => {
                self.to.reset_when_closed();
                self.stop.ring();
                Err(error)
            }
        }
    }

    fn pass_bytes(&self) -> Result<Passed, Error> {
        let mut transfer = Transfer::new(self.from.as_fd(), self.to.as_fd(), None);
        loop {
            match transfer.step() {
                Ok(Step::Moved(_)) => self.expiry.postpone(),
                Ok(Step::End) => return Ok(Passed::All),
                Ok(Step::NotReady(side)) => match self.wait(side)? {
                    Wake::Ready => {}
                    Wake::Stopped => return Ok(Passed::Part),
                },
                Err(transfer::Error { side: Side::Source, errno }) => {
                    return Err(Error::of_socket(errno));
                }
                Err(transfer::Error { side: Side::Destination, errno }) => {
                    return refused(Error::of_socket(errno));
                }
            }
        }
    }

    fn pass_messages(&self) -> Result<Passed, Error> {
        let mut buffer = Vec::new();
        self.from.mark_messages().map_err(Error::Socket)?;
        loop {
            match self.from.receive_message(&mut buffer) {
                Ok(Some(message)) => match self.pass_message(message)? {
                    Passed::All => {}
                    unfinished => return Ok(unfinished),
                },
                Ok(None) => return Ok(Passed::All),
                Err(Errno(libc::EAGAIN)) => match self.wait(Side::Source)? {
                    Wake::Ready => {}
                    Wake::Stopped => return Ok(Passed::Part),
                },
                Err(errno) => return Err(Error::of_socket(errno)),
            }
        }
    }

    fn pass_message(&self, message: &[u8]) -> Result<Passed, Error> {
        loop {
            match self.to.send_message(message) {
                Ok(()) => {
                    self.expiry.postpone();
                    return Ok(Passed::All);
                }
                Err(Errno(libc::EAGAIN)) => match self.wait(Side::Destination)? {
                    Wake::Ready => {}
                    Wake::Stopped => return Ok(Passed::Part),
                },
                Err(errno) => return refused(Error::of_sending(self.to, message.len(), errno)),
            }
        }
    }

    /// Waits until a side is ready, or the bell rings.
    fn wait(&self, side: Side) -> Result<Wake, Error> {
        let (socket, events) = match side {
            Side::Source => (self.from, PollFlags::POLLIN),
            Side::Destination => (self.to, PollFlags::POLLOUT),
        };
        let stop = PollFd::new(self.stop.as_fd(), PollFlags::POLLIN);
        let mut fds = [PollFd::new(socket.as_fd(), events), stop];
        self.expiry.wait(|deadline| poll::any(&mut fds, deadline).map_err(Error::Socket))?;
        Ok(if fds[1].any() == Some(true) { Wake::Stopped } else { Wake::Ready })
    }
}

/// The outcome of a message that was not sent.
fn refused(error: Error) -> Result<Passed, Error> {
    match error {
        Error::PeerLeft(errno) => Ok(Passed::Refused(errno)),
        error => Err(error),
    }
}
