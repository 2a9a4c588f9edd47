//! A conversation over a connected socket: what is read from stdin is sent, what is received goes
//! to stdout, until both directions have ended.
//!
//! Each direction is a loop of blocking calls of its own, the sending one in a thread, so that a
//! side which pauses holds up nothing but its own direction. Stdin is waited for together with
//! the peer's leaving: somebody who types should not have to press a key to learn of it.
//!
//! The end of both directions is not the end: a peer that sends no more may still have to read, and
//! only when it has, or has closed, is it known whether everything arrived.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread::JoinHandle;

use nix::poll::{PollFd, PollFlags};
use nix::sys::socket::AddressFamily;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure};
use crate::io::frame::{Form, ReadError, Reader, Writer};
use crate::io::output::{Output, Unwritable};
use crate::io::transfer;
use crate::io::transfer::{Side, Step, Transfer};
use crate::mechanism::socket::table;
use crate::sys::poll;
use crate::sys::socket::Socket;
use crate::sys::socket::SocketType;
use crate::sys::stdio::Stream;
use crate::sys::thread;

/// How a conversation failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// Stdin could not be read.
    #[error("standard input: {0}")]
    Input(ReadError),
    /// The peer left before it had read all that was sent, or was sent more after that.
    #[error("the peer hung up before it had read everything: {0}")]
    PeerLeft(Errno),
    /// The connection lasted until its deadline.
    #[error("timed out")]
    TimedOut,
    /// The same, when all was sent.
    #[error("timed out before the peer had read everything")]
    Unread,
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
            Error::TimedOut | Error::Unread => failure.with_exit(Exit::TimedOut),
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

/// Which directions there are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Directions {
    /// Both.
    Both,
    /// From the peer to stdout. Nothing is sent, not even an end.
    Receive,
    /// From stdin to the peer. What the peer sends is dropped.
    Send,
}

/// How to hold a conversation.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Which directions there are.
    pub directions: Directions,
    /// By when it has ended.
    pub deadline: Deadline,
}

/// Holds a conversation to its end; gives the input back for the next.
///
/// It ends when the peer has closed, or when stdin has ended and the peer sends no more and has read
/// everything. The input is lost where stdout takes no more, as there is no next conversation then.
///
/// # Errors
/// [`Unwritable`] at once; anything else when all that the peer sent has been received.
pub fn hold(
    socket: Socket,
    mut input: Input,
    outlet: &mut Outlet,
    terms: Terms,
    output: &mut Output,
) -> anyhow::Result<(Input, Result<(), Error>)> {
    socket.enlarge_send_buffer();
    if terms.deadline != Deadline::NEVER {
        socket.make_non_blocking()?;
    }
    let conversation = Conversation { socket, deadline: terms.deadline };
    let held = match terms.directions {
        Directions::Both => return conversation.both_ways(input, outlet, output),
        Directions::Receive => conversation.receive(outlet, output)?,
        Directions::Send => conversation.send_alone(&mut input, outlet, output)?,
    };
    Ok((input, held))
}

/// Waits until a peer has read everything, when both directions have ended.
pub fn wait_until_read(socket: &Socket, deadline: Deadline, output: &Output) -> Result<(), Error> {
    if output.is_verbose() && socket.has_unread() {
        match table::unread(socket) {
            Some(size) => output.note(format_args!("the peer has not read {size} bytes yet")),
            None => output.note("the peer has not read everything yet"),
        }
    }
    match socket.wait_until_read(deadline).map_err(Error::of_socket)? {
        Waited::Done(()) => Ok(()),
        Waited::TimedOut => Err(Error::Unread),
    }
}

/// A socket that is talked over, and until when.
struct Conversation {
    socket: Socket,
    deadline: Deadline,
}

type Sender = JoinHandle<(Input, Result<(), Error>)>;

impl Conversation {
    fn both_ways(
        self,
        input: Input,
        outlet: &mut Outlet,
        output: &mut Output,
    ) -> anyhow::Result<(Input, Result<(), Error>)> {
        let conversation = Arc::new(self);
        let sender = start_sender(&conversation, input)?;
        let received = conversation.receive(outlet, output)?;
        let (input, sent) = sender.join().expect("the sender does not panic");
        // The cause comes first: a peer that resets the connection fails both directions.
        let held = received.and(sent);
        let Self { socket, deadline } = &*conversation;
        Ok((input, held.and_then(|()| wait_until_read(socket, *deadline, output))))
    }

    /// Receives to the end.
    fn receive(
        &self,
        outlet: &mut Outlet,
        output: &mut Output,
    ) -> anyhow::Result<Result<(), Error>> {
        let received = match outlet {
            Outlet::Stream => self.receive_stream().map_err(anyhow::Error::from),
            Outlet::Records(writer) => self.receive_records(writer, output),
        };
        // Where not all was taken, the peer shall not believe that we have what it sent.
        if !matches!(received, Ok(Ok(()))) {
            self.socket.reset_when_closed();
        }
        received
    }

    /// Sends to the end, and until the peer has read it. What the peer sends meanwhile is dropped, so
    /// that it does not wait for its being read before it reads.
    fn send_alone(
        &self,
        input: &mut Input,
        outlet: &Outlet,
        output: &Output,
    ) -> anyhow::Result<Result<(), Error>> {
        if matches!(outlet, Outlet::Records(_)) {
            self.socket.mark_messages()?;
        }
        std::thread::scope(|scope| {
            let dropping =
                thread::start(|thread| thread.spawn_scoped(scope, || self.drop_all(outlet)))?;
            let sent = self.send(input);
            let read = sent.and_then(|()| wait_until_read(&self.socket, self.deadline, output));
            self.socket.shut_down_reading();
            let dropped = dropping.join().expect("it does not panic");
            Ok(read.and(dropped))
        })
    }

    fn drop_all(&self, outlet: &Outlet) -> Result<(), Error> {
        let mut buffer = vec![0; DROPPED_AT_ONCE];
        loop {
            let received = match outlet {
                Outlet::Stream => self.socket.receive(&mut buffer).map(|count| count > 0),
                Outlet::Records(_) => {
                    self.socket.receive_message(&mut buffer).map(|message| message.is_some())
                }
            };
            match received {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(Errno(libc::EAGAIN)) => {
                    match poll::readable(&self.socket, self.deadline).map_err(Error::Socket)? {
                        Waited::Done(()) => {}
                        // The sender tells.
                        Waited::TimedOut => return Ok(()),
                    }
                }
                Err(errno) => return Err(Error::of_socket(errno)),
            }
        }
    }

    /// Sends to the end, and says that it is the end.
    fn send(&self, input: &mut Input) -> Result<(), Error> {
        let sent = match input {
            Input::Stream => self.send_stream(),
            Input::Records(reader) => self.send_records(reader),
        };
        // If it cannot be told that nothing more comes, the peer has left.
        let _ = self.socket.shut_down_writing();
        sent
    }

    fn send_stream(&self) -> Result<(), Error> {
        let mut transfer = Transfer::new(Stream::Input.fd(), self.socket.as_fd(), None);
        let mut known_ready = transfer.needs_no_waiting_for_source();
        loop {
            if !known_ready && self.wait_for_input()? == Awaited::PeerLeft {
                return Ok(());
            }
            match transfer.step().map_err(blame)? {
                Step::End => return Ok(()),
                Step::NotReady(Side::Source) => known_ready = false,
                Step::NotReady(Side::Destination) => self.wait_for_room()?,
                Step::Moved(_) => known_ready = transfer.needs_no_waiting_for_source(),
            }
        }
    }

    fn send_records(&self, reader: &mut Reader<impl AsFd>) -> Result<(), Error> {
        loop {
            if !reader.has_buffered() && self.wait_for_input()? == Awaited::PeerLeft {
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
                Ok(()) => return Ok(()),
                Err(Errno(libc::EAGAIN)) => self.wait_for_room()?,
                Err(errno) => return Err(Error::of_sending(&self.socket, message.len(), errno)),
            }
        }
    }

    /// Waits for input, or until the peer has left. A Unix peer that only sends no more still wants
    /// what we have; of a TCP peer nobody can tell, and it has left if there is nothing for it now.
    fn wait_for_input(&self) -> Result<Awaited, Error> {
        let left = match self.socket.family() {
            Some(AddressFamily::Unix) => PollFlags::empty(),
            _ => PollFlags::from_bits_retain(libc::POLLRDHUP),
        };
        let input = PollFd::new(Stream::Input.fd(), PollFlags::POLLIN);
        let mut fds = [input, PollFd::new(self.socket.as_fd(), left)];
        in_time(poll::any(&mut fds, self.deadline))?;
        // Input first: whether the peer still takes it, sending tells.
        Ok(if fds[0].any() == Some(true) { Awaited::Input } else { Awaited::PeerLeft })
    }

    fn wait_for_room(&self) -> Result<(), Error> {
        in_time(poll::writable(&self.socket, self.deadline))
    }

    fn receive_stream(&self) -> Result<Result<(), Error>, Unwritable> {
        let mut transfer = Transfer::new(self.socket.as_fd(), Stream::Output.fd(), None);
        match transfer.run(|_| self.deadline) {
            Ok(Waited::Done(())) => Ok(Ok(())),
            Ok(Waited::TimedOut) => Ok(Err(Error::TimedOut)),
            Err(transfer::Error { side: Side::Destination, errno }) => Err(Unwritable(errno)),
            Err(error) => Ok(Err(Error::of_socket(error.errno))),
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
            // What was received is written before we sleep.
            if !output.pending().is_empty()
                && poll::readable(socket, Deadline::PASSED)? == Waited::TimedOut
            {
                output.flush()?;
            }
            match socket.receive_message(&mut buffer) {
                Ok(Some(message)) => writer.write(output, message)?,
                Ok(None) => break Ok(()),
                Err(Errno(libc::EAGAIN)) => {
                    if let Err(error) = in_time(poll::readable(socket, self.deadline)) {
                        break Err(error);
                    }
                }
                Err(errno) => break Err(Error::of_socket(errno)),
            }
        };
        output.flush()?;
        Ok(received)
    }
}

/// What is received at once only to be dropped.
const DROPPED_AT_ONCE: usize = 64 << 10;

fn start_sender(conversation: &Arc<Conversation>, mut input: Input) -> Result<Sender, Errno> {
    let conversation = Arc::clone(conversation);
    let work = move || {
        let sent = conversation.send(&mut input);
        (input, sent)
    };
    thread::start(|thread| thread.spawn(work))
}

/// A wait that has to end before the conversation does.
fn in_time(waited: Result<Waited, Errno>) -> Result<(), Error> {
    match waited.map_err(Error::Socket)? {
        Waited::Done(()) => Ok(()),
        Waited::TimedOut => Err(Error::TimedOut),
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

/// Which of stdin and the socket an error in sending belongs to.
fn blame(error: transfer::Error) -> Error {
    match error.side {
        Side::Source => Error::Input(ReadError::Kernel(error.errno)),
        Side::Destination => Error::of_socket(error.errno),
    }
}
