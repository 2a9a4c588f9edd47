//! Passing on what two connected sockets send, each to the other, until both directions have ended.
//!
//! Each direction is a loop in a thread of its own, so that a side which pauses holds up nothing but
//! its own direction. The end of one is passed on as such, and the other goes on. It does so as well
//! where a side takes no more, as it may have something to say. Where a side fails, the other is not
//! to take what it got for all there was: it finds the connection reset, if its protocol can tell.

use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags};

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::io::output::Output;
use crate::io::transfer;
use crate::io::transfer::{Side, Step, Transfer};
use crate::mechanism::socket::duplex::{Error, wait_until_read};
use crate::sys::eventfd::Bell;
use crate::sys::poll;
use crate::sys::socket::Socket;
use crate::sys::socket::SocketType;
use crate::sys::thread;

/// Passes on what comes from either of two sockets of this type, which are not to be used otherwise
/// any more; in the end, waits until both peers have read what they were sent.
///
/// # Errors
/// Why a direction failed, or was not done by the deadline.
pub fn both_ways(
    near: &Socket,
    far: &Socket,
    kind: SocketType,
    deadline: Deadline,
    output: &Output,
) -> Result<(), Error> {
    for socket in [near, far] {
        socket.enlarge_send_buffer();
        socket.make_non_blocking().map_err(Error::Socket)?;
    }
    let stop = Bell::new().map_err(Error::Socket)?;
    let forth = Way { from: near, to: far, stop: &stop, deadline };
    let back = Way { from: far, to: near, stop: &stop, deadline };
    std::thread::scope(|scope| {
        let back = thread::start(|thread| thread.spawn_scoped(scope, || back.pass(kind)));
        let back = back.map_err(Error::Socket)?;
        let forth = forth.pass(kind);
        forth.and(back.join().expect("the way back does not panic"))
    })?;
    wait_until_read(far, deadline, output)?;
    wait_until_read(near, deadline, output)
}

/// One direction.
struct Way<'a> {
    from: &'a Socket,
    to: &'a Socket,
    /// Rings when a direction has failed.
    stop: &'a Bell,
    /// By when it has to have ended.
    deadline: Deadline,
}

/// How far a direction came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Passed {
    /// To its end.
    All,
    /// Until the other failed.
    Part,
    /// Until who is sent to took no more.
    Refused(Errno),
}

/// What came first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Awaited {
    /// The socket is ready.
    Ready,
    /// The other direction failed.
    Stopped,
}

impl Way<'_> {
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
                Ok(Step::Moved(_)) => {}
                Ok(Step::End) => return Ok(Passed::All),
                Ok(Step::NotReady(side)) => match self.wait(side)? {
                    Awaited::Ready => {}
                    Awaited::Stopped => return Ok(Passed::Part),
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
                    Awaited::Ready => {}
                    Awaited::Stopped => return Ok(Passed::Part),
                },
                Err(errno) => return Err(Error::of_socket(errno)),
            }
        }
    }

    fn pass_message(&self, message: &[u8]) -> Result<Passed, Error> {
        loop {
            match self.to.send_message(message) {
                Ok(()) => return Ok(Passed::All),
                Err(Errno(libc::EAGAIN)) => match self.wait(Side::Destination)? {
                    Awaited::Ready => {}
                    Awaited::Stopped => return Ok(Passed::Part),
                },
                Err(errno) => return refused(Error::of_sending(self.to, message.len(), errno)),
            }
        }
    }

    /// Waits until a side is ready, or the other direction has failed.
    fn wait(&self, side: Side) -> Result<Awaited, Error> {
        let (socket, awaited) = match side {
            Side::Source => (self.from, PollFlags::POLLIN),
            Side::Destination => (self.to, PollFlags::POLLOUT),
        };
        let stop = PollFd::new(self.stop.as_fd(), PollFlags::POLLIN);
        let mut fds = [PollFd::new(socket.as_fd(), awaited), stop];
        if poll::any(&mut fds, self.deadline).map_err(Error::Socket)? == Waited::TimedOut {
            return Err(Error::TimedOut);
        }
        Ok(if fds[1].any() == Some(true) { Awaited::Stopped } else { Awaited::Ready })
    }
}

/// What it means that something could not be sent.
fn refused(error: Error) -> Result<Passed, Error> {
    match error {
        Error::PeerLeft(errno) => Ok(Passed::Refused(errno)),
        error => Err(error),
    }
}
