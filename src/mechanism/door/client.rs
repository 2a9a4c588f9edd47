//! Calling a procedure, and asking its server.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure};
use crate::base::text::escape;
use crate::mechanism::door::packet::{self, Description, Kind, Packet, Part, Problem, Reason};
use crate::mechanism::door::{Content, PACKET_MAX};
use crate::mechanism::socket::address::Address;
use crate::mechanism::socket::{self, Connecting};
use crate::sys::eventfd::Bell;
use crate::sys::socket::{Socket, SocketType};
use crate::sys::{heap, poll};

/// Why a request has no answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The connection failed.
    #[error(transparent)]
    Socket(#[from] socket::Error),
    /// An error of the kernel.
    #[error(transparent)]
    Kernel(#[from] Errno),
    /// The socket has another type, or its server does not speak as that of a door.
    #[error("not a door")]
    NotADoor,
    /// The answer was not understood.
    #[error("the server has sent {0}")]
    Malformed(#[from] Problem),
    /// The server has refused the request, with this sentence.
    #[error("{1}")]
    Refused(Reason, String),
    /// The connection has ended without an answer.
    #[error("the server ended before it answered")]
    Ended,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let words = error.to_string();
        match error {
            Error::Socket(error) => error.into(),
            Error::Kernel(errno) => errno.into(),
            Error::NotADoor | Error::Malformed(_) => Self::failed(words),
            Error::Refused(reason, _) => Self::new(exit_of(reason), words),
            Error::Ended => Self::failed(words).hint(
                "the procedure may have run: the call is not repeated, because only the caller \
                 knows whether that is harmless",
            ),
        }
    }
}

fn exit_of(reason: Reason) -> Exit {
    match reason {
        Reason::Denied => Exit::Denied,
        Reason::TimedOut => Exit::TimedOut,
        Reason::Malformed
        | Reason::TooLong
        | Reason::Descriptors
        | Reason::Recursion
        | Reason::Failed
        | Reason::Silent => Exit::Failed,
    }
}

/// The answer of a procedure.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The status of the procedure.
    pub status: u8,
    /// Its stdout and its stderr.
    pub contents: [Part<'a>; 2],
}

/// A connection to the server of a door, for one request.
#[derive(Debug)]
pub struct Caller {
    socket: Socket,
    /// The answer. It has no more room than that: most answers are short, and a short command spends
    /// its time on page faults.
    buffer: Vec<u8>,
    deadline: Deadline,
    /// When it rings, the caller does not need the answer.
    left: Option<Arc<Bell>>,
}

impl Caller {
    /// Connects. The deadline is that of the whole request.
    ///
    /// # Errors
    /// ENOENT and ECONNREFUSED if no process serves the door.
    pub fn connect(address: &Address, deadline: Deadline) -> Result<Waited<Self>, Error> {
        let how = Connecting::new(SocketType::Seqpacket, deadline);
        let connected = match socket::connect(address, how) {
            Err(socket::Error::OtherType(_)) => return Err(Error::NotADoor),
            connected => connected?,
        };
        Ok(match connected {
            Waited::TimedOut => Waited::TimedOut,
            Waited::Done(socket) => {
                Waited::Done(Self { socket, buffer: Vec::new(), deadline, left: None })
            }
        })
    }

    /// Has the call time out when this bell rings.
    pub fn leaving_at(self, left: Arc<Bell>) -> Self {
        Self { left: Some(left), ..self }
    }

    /// Calls the procedure with this argument, and lends it descriptors.
    ///
    /// # Errors
    /// [`Error::Ended`] if it is unknown whether the procedure has run.
    pub fn call(
        &mut self,
        argument: Content,
        lent: &[BorrowedFd<'_>],
    ) -> Result<Waited<Answer<'_>>, Error> {
        let contents = [argument, Content::default()];
        let waited = self.ask(Kind::Call, lent.len() as u32, contents, lent, Kind::Answer)?;
        Ok(waited.map(|packet| Answer {
            status: u8::try_from(packet.number).unwrap_or(u8::MAX),
            contents: packet.parts,
        }))
    }

    /// Asks for a description of the door.
    pub fn describe(&mut self) -> Result<Waited<Description>, Error> {
        let waited = self.ask(Kind::Info, 0, Default::default(), &[], Kind::Description)?;
        let Waited::Done(packet) = waited else { return Ok(Waited::TimedOut) };
        let description = Description::decode(packet.parts[0].bytes());
        Ok(Waited::Done(description.ok_or(Problem::Length)?))
    }

    /// Has the server take no more calls; returns how many are still in progress.
    pub fn revoke(&mut self) -> Result<Waited<u32>, Error> {
        let waited = self.ask(Kind::Revoke, 0, Default::default(), &[], Kind::Revoked)?;
        Ok(waited.map(|packet| packet.number))
    }

    /// Sends a request, and waits for an answer of this kind.
    fn ask(
        &mut self,
        kind: Kind,
        number: u32,
        contents: [Content; 2],
        descriptors: &[BorrowedFd<'_>],
        expected: Kind,
    ) -> Result<Waited<Packet<'_>>, Error> {
        match packet::send(&self.socket, kind, number, contents, descriptors) {
            // A server that has refused the caller has closed already.
            Ok(()) | Err(Errno(libc::EPIPE | libc::ECONNRESET)) => {}
            Err(errno) => return Err(errno.into()),
        }
        let deadline = self.deadline;
        if let Some(left) = &self.left {
            let either = [self.socket.as_fd(), left.as_fd()];
            let waited = poll::any_readable(&either, deadline)?;
            if waited == Waited::TimedOut || left.has_rung() {
                return Ok(Waited::TimedOut);
            }
        }
        if deadline != Deadline::NEVER
            && poll::readable(&self.socket, deadline)? == Waited::TimedOut
        {
            return Ok(Waited::TimedOut);
        }
        let received = receive(&self.socket, &mut self.buffer)?;
        let packet = match received.ok_or(Error::Ended)? {
            Err(Problem::NotADoor) => return Err(Error::NotADoor),
            packet => packet?,
        };
        match packet.kind {
            Kind::Refusal => {
                let words = escape(packet.parts[0].bytes()).into_owned();
                Err(Error::Refused(Reason::of(packet.number), words))
            }
            kind if kind == expected => Ok(Waited::Done(packet)),
            // A server that returns what it gets is not that of a door.
            kind if kind == self::sent(expected) => Err(Error::NotADoor),
            kind => Err(Problem::Kind(kind as u16).into()),
        }
    }
}

/// The request that has answers of this kind.
fn sent(answer: Kind) -> Kind {
    match answer {
        Kind::Description => Kind::Info,
        Kind::Revoked => Kind::Revoke,
        _ => Kind::Call,
    }
}

/// Receives an answer. A server that closes without having read the request resets the connection,
/// which the kernel reports once, before what the server has sent.
fn receive<'a>(
    socket: &Socket,
    buffer: &'a mut Vec<u8>,
) -> Result<Option<Result<Packet<'a>, Problem>>, Errno> {
    let length = match socket.next_length() {
        Err(Errno(libc::ECONNRESET)) => match socket.next_length() {
            Err(Errno(libc::ECONNRESET)) => return Ok(None),
            result => result?,
        },
        result => result?,
    };
    *buffer = heap::zeros(length.min(PACKET_MAX))?;
    packet::receive(socket, buffer)
}
