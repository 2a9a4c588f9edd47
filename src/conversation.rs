//! A conversation over a connected socket: what is read from stdin is sent, what is received goes
//! to stdout, until both directions have ended.
//!
//! Each direction is a loop of blocking calls of its own, the sending one in a thread, so that a
//! side which pauses holds up nothing but its own direction. Stdin is waited for together with
//! the peer's leaving: somebody who types should not have to press a key to learn of it.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread::JoinHandle;

use nix::poll::{PollFd, PollFlags};
use nix::sys::socket::AddressFamily;

use crate::address::SocketType;
use crate::deadline::{Deadline, Waited};
use crate::errno::Errno;
use crate::exit::Failure;
use crate::frame::{Form, ReadError, Reader, Writer};
use crate::output::{Output, Unwritable};
use crate::sys::poll;
use crate::sys::socket::Socket;
use crate::sys::stdio::Stream;
use crate::sys::thread;
use crate::sys::transfer::{self, Side, Step, Transfer};

/// How a conversation failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// Stdin could not be read.
    #[error("standard input: {0}")]
    Input(ReadError),
    /// The peer left before it had read all that was sent, or was sent more after that.
    #[error("the peer hung up before it had read everything: {0}")]
    PeerLeft(Errno),
    /// The socket failed otherwise.
    #[error(transparent)]
    Socket(Errno),
    /// A message is longer than a socket takes.
    #[error("message of {size} bytes is longer than the socket takes{}", in_brackets(*.limit))]
    TooLong {
        /// Its size.
        size: usize,
        /// What the system allows to be in flight, the kernel's own records included, where that
        /// is the reason.
        limit: Option<usize>,
    },
}

impl Error {
    /// Why a message of this size was not sent.
    pub fn of_sending(socket: &Socket, size: usize, errno: Errno) -> Self {
        match (errno, socket.send_buffer()) {
            (Errno(libc::EMSGSIZE), Ok(limit)) => {
                Self::TooLong { size, limit: Some(limit).filter(|&limit| limit < size) }
            }
            _ => Self::of_socket(errno),
        }
    }

    /// Why a call on a socket failed, which has a peer.
    pub fn of_socket(errno: Errno) -> Self {
        match errno.0 {
            libc::EPIPE | libc::ECONNRESET => Self::PeerLeft(errno),
            _ => Self::Socket(errno),
        }
    }
}

fn in_brackets(limit: Option<usize>) -> String {
    limit.map_or_else(String::new, |limit| format!(" ({limit})"))
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure = Self::failed(error.to_string());
        match error {
            Error::Socket(errno) => failure.with_exit(errno.into()),
            Error::TooLong { limit: Some(_), .. } => {
                failure.hint("the sysctl net.core.wmem_max limits it")
            }
            _ => failure,
        }
    }
}

/// Where what is sent comes from. It goes from one conversation to the next with what was read
/// and not sent.
#[derive(Debug)]
pub enum Input {
    /// Bytes.
    Stream,
    /// Records, one for each message.
    Records(Box<Reader<std::os::fd::BorrowedFd<'static>>>),
}

/// Where what is received goes.
#[derive(Debug)]
pub enum Outlet {
    /// Bytes to stdout.
    Stream,
    /// A record for each message.
    Records(Writer),
}

/// The two ends on our side of a conversation over sockets of this type.
pub fn ends(kind: SocketType, form: Form) -> (Input, Outlet) {
    match kind {
        SocketType::Stream => (Input::Stream, Outlet::Stream),
        SocketType::Seqpacket | SocketType::Dgram => {
            let reader = Reader::new(Stream::Input.fd(), form, isize::MAX as usize);
            (Input::Records(Box::new(reader)), Outlet::Records(Writer::new(form)))
        }
    }
}

/// Holds a conversation to its end; gives the input back for the next.
///
/// It ends when the peer has closed, or when stdin has ended and the peer sends no more. The
/// input is lost where stdout takes no more, as there is no next conversation then.
///
/// # Errors
/// [`Unwritable`] at once; anything else when all that the peer sent has been received.
pub fn hold(
    socket: Socket,
    input: Input,
    outlet: &mut Outlet,
    output: &mut Output,
) -> anyhow::Result<(Input, Result<(), Error>)> {
    socket.enlarge_send_buffer();
    let socket = Arc::new(socket);
    let sender = start_sender(&socket, input)?;
    let received = match outlet {
        Outlet::Stream => receive_stream(&socket).map_err(anyhow::Error::from),
        Outlet::Records(writer) => receive_records(&socket, writer, output),
    };
    // Where stdout takes no more, the peer shall not believe that we have what it sent.
    let received = received.inspect_err(|_| socket.reset_when_closed())?;
    let (input, sent) = sender.join().expect("the sender does not panic");
    // The cause comes first: a peer that resets the connection fails both directions.
    Ok((input, received.and(sent)))
}

type Sender = JoinHandle<(Input, Result<(), Error>)>;

fn start_sender(socket: &Arc<Socket>, mut input: Input) -> Result<Sender, Errno> {
    let socket = Arc::clone(socket);
    let work = move || {
        let sent = match &mut input {
            Input::Stream => send_stream(&socket),
            Input::Records(reader) => send_records(&socket, reader),
        };
        // If it cannot be told that nothing more comes, the peer has left.
        let _ = socket.shut_down_writing();
        (input, sent)
    };
    thread::start(|thread| thread.spawn(work))
}

fn send_stream(socket: &Socket) -> Result<(), Error> {
    let mut transfer = Transfer::new(Stream::Input.fd(), socket.as_fd(), None);
    let mut known_ready = transfer.needs_no_waiting_for_source();
    loop {
        if !known_ready && wait_for_input(socket)? == Awaited::PeerLeft {
            return Ok(());
        }
        match transfer.step().map_err(blame)? {
            Step::End => return Ok(()),
            Step::NotReady(Side::Source) => known_ready = false,
            Step::NotReady(Side::Destination) => wait_for_room(socket)?,
            Step::Moved(_) => known_ready = transfer.needs_no_waiting_for_source(),
        }
    }
}

fn send_records(socket: &Socket, reader: &mut Reader<impl AsFd>) -> Result<(), Error> {
    loop {
        if !reader.has_buffered() && wait_for_input(socket)? == Awaited::PeerLeft {
            return Ok(());
        }
        match reader.next_until(Deadline::PASSED).map_err(Error::Input)? {
            Waited::Done(Some(record)) => send_message(socket, record)?,
            Waited::Done(None) => return Ok(()),
            Waited::TimedOut => {}
        }
    }
}

/// Sends one message, whatever its size.
fn send_message(socket: &Socket, message: &[u8]) -> Result<(), Error> {
    loop {
        match socket.send_message(message) {
            Ok(()) => return Ok(()),
            Err(Errno(libc::EAGAIN)) => wait_for_room(socket)?,
            Err(errno) => return Err(Error::of_sending(socket, message.len(), errno)),
        }
    }
}

/// What came first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Awaited {
    /// Something to read, or the end of the input.
    Input,
    /// The peer left.
    PeerLeft,
}

/// Waits for input, or until the peer has left. A Unix peer that only sends no more still wants
/// what we have; of a TCP peer nobody can tell, and it has left if there is nothing for it now.
fn wait_for_input(socket: &Socket) -> Result<Awaited, Error> {
    let left = match socket.family() {
        Some(AddressFamily::Unix) => PollFlags::empty(),
        _ => PollFlags::from_bits_retain(libc::POLLRDHUP),
    };
    let mut fds =
        [PollFd::new(Stream::Input.fd(), PollFlags::POLLIN), PollFd::new(socket.as_fd(), left)];
    let _ = poll::any(&mut fds, Deadline::NEVER).map_err(Error::Socket)?;
    // Input first: whether the peer still takes it, sending tells.
    Ok(if fds[0].any() == Some(true) { Awaited::Input } else { Awaited::PeerLeft })
}

fn wait_for_room(socket: &Socket) -> Result<(), Error> {
    let _ = poll::writable(socket, Deadline::NEVER).map_err(Error::Socket)?;
    Ok(())
}

fn receive_stream(socket: &Socket) -> Result<Result<(), Error>, Unwritable> {
    match transfer::copy(socket, Stream::Output.fd(), None) {
        Ok(_) => Ok(Ok(())),
        Err(transfer::Error { side: Side::Destination, errno }) => Err(Unwritable(errno)),
        Err(error) => Ok(Err(Error::of_socket(error.errno))),
    }
}

fn receive_records(
    socket: &Socket,
    writer: &mut Writer,
    output: &mut Output,
) -> anyhow::Result<Result<(), Error>> {
    let mut buffer = Vec::new();
    socket.mark_messages()?;
    loop {
        // What was received is written before we sleep.
        if !output.pending().is_empty()
            && poll::readable(socket, Deadline::PASSED)? == Waited::TimedOut
        {
            output.flush()?;
        }
        match socket.receive_message(&mut buffer) {
            Ok(Some(message)) => writer.write(output, message)?,
            Ok(None) => break,
            Err(Errno(libc::EAGAIN)) => {
                let _ = poll::readable(socket, Deadline::NEVER)?;
            }
            Err(errno) => {
                output.flush()?;
                return Ok(Err(Error::of_socket(errno)));
            }
        }
    }
    output.flush()?;
    Ok(Ok(()))
}

/// Which of stdin and the socket an error in sending belongs to.
fn blame(error: transfer::Error) -> Error {
    match error.side {
        Side::Source => Error::Input(ReadError::Kernel(error.errno)),
        Side::Destination => Error::of_socket(error.errno),
    }
}
