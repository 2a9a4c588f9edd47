//! Both directions of a connected socket: stdin is sent, received bytes go to stdout, until both
//! directions have ended.
//!
//! Each direction is a loop of blocking calls, the sending one in a thread of its own, so that a
//! pause of one side delays only its own direction. The sender waits for stdin and for the peer to
//! leave at the same time: a user at a terminal need not press a key to learn that the peer has left.
//!
//! After the end of both directions the peer may still have to read. Only when it has read everything,
//! or has closed, is it known whether everything arrived.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use nix::poll::{PollFd, PollFlags};
use nix::sys::socket::AddressFamily;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::base::exit::{Exit, Failure};
use crate::io::frame::{Form, ReadError, Reader, Writer};
use crate::io::output::{Output, Unwritable};
use crate::io::transfer;
use crate::io::transfer::{Counter, Side, Step, Transfer};
use crate::mechanism::socket::expiry::{Expired, Expiry};
use crate::mechanism::socket::table;
use crate::sys::eventfd::Bell;
use crate::sys::poll;
use crate::sys::socket::Socket;
use crate::sys::socket::SocketType;
use crate::sys::thread;

/// How a connection failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// Stdin could not be read.
    #[error("standard input: {0}")]
    Input(ReadError),
    /// The peer closed before it had read all bytes, or before all were sent.
    #[error("the peer hung up before it had read everything: {0}")]
    PeerLeft(Errno),
    /// The deadline passed.
    #[error("timed out")]
    TimedOut,
    /// No byte moved for the time that the connection may be idle.
    #[error("timed out: the connection is idle")]
    Idle,
    /// The end of the connection, after everything was sent.
    #[error("timed out before the peer had read everything")]
    Unread,
    /// Any other error of the socket.
    #[error(transparent)]
    Socket(Errno),
    /// A message is longer than a socket takes.
    #[error("message of {size} bytes is longer than the socket takes{}", in_brackets(*.limit))]
    TooLong {
        /// Its size.
        size: usize,
        /// The size of the send buffer, with the kernel's own records, where that is the reason.
        limit: Option<usize>,
    },
}

impl Error {
    /// The error of a message of this size that was not sent.
    pub fn of_sending(socket: &Socket, size: usize, errno: Errno) -> Self {
        match (errno, socket.send_buffer()) {
            (Errno(libc::EMSGSIZE), Ok(limit)) => {
                Self::TooLong { size, limit: Some(limit).filter(|&limit| limit < size) }
            }
            _ => Self::of_socket(errno),
        }
    }

    /// The error of a call on a connected socket.
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

impl From<Expired> for Error {
    fn from(expired: Expired) -> Self {
        match expired {
            Expired::AtEnd => Self::TimedOut,
            Expired::Idle => Self::Idle,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure = Self::failed(error.to_string());
        match error {
            Error::Socket(errno) => failure.with_exit(errno.into()),
            Error::TimedOut | Error::Idle | Error::Unread => failure.with_exit(Exit::TimedOut),
            Error::TooLong { limit: Some(_), .. } => {
                failure.hint("the sysctl net.core.wmem_max limits it")
            }
            _ => failure,
        }
    }
}

/// The source of the bytes that are sent. Bytes that were read and not sent stay in it, for the next
/// connection.
#[derive(Debug)]
pub struct Input {
    stdin: BorrowedFd<'static>,
    /// Reads the record of each message, where messages are sent.
    records: Option<Box<Reader<BorrowedFd<'static>>>>,
}

/// The destination of the bytes that are received.
#[derive(Debug)]
pub struct Outlet {
    stdout: BorrowedFd<'static>,
    /// Writes a record for each message, where messages are received.
    records: Option<Writer>,
}

/// The local ends of a connection over sockets of this type.
pub fn ends(
    kind: SocketType,
    form: Form,
    stdin: BorrowedFd<'static>,
    stdout: BorrowedFd<'static>,
) -> (Input, Outlet) {
    let (reader, writer) = match kind {
        SocketType::Stream => (None, None),
        SocketType::Seqpacket | SocketType::Dgram => {
            let reader = Reader::new(stdin, form, isize::MAX as usize);
            (Some(Box::new(reader)), Some(Writer::new(form)))
        }
    };
    (Input { stdin, records: reader }, Outlet { stdout, records: writer })
}

/// The directions of a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Directions {
    /// Both.
    Both,
    /// From the peer to stdout. Nothing is sent, not even the end.
    Receive,
    /// From stdin to the peer. Bytes from the peer are dropped.
    Send,
}

/// The bytes of a connection, in each direction.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// Those that were sent.
    pub sent: Arc<Counter>,
    /// Those that were received, and not dropped.
    pub received: Arc<Counter>,
}

/// How to run a connection.
#[derive(Debug)]
pub struct Terms {
    /// Its directions.
    pub directions: Directions,
    /// Its limits.
    pub expiry: Expiry,
    /// Counts its bytes.
    pub traffic: Traffic,
}

/// Runs a connection to its end.
///
/// It ends when the peer has closed, or when stdin has ended and the peer sends no more and has read
/// everything.
///
/// # Errors
/// [`Unwritable`] at once; any other error after all that the peer sent has been received.
pub fn run(
    socket: Socket,
    input: &mut Input,
    outlet: &mut Outlet,
    terms: Terms,
    output: &mut Output,
) -> anyhow::Result<Result<(), Error>> {
    socket.enlarge_send_buffer();
    if terms.expiry.is_limited() {
        socket.make_non_blocking()?;
    }
    let duplex =
        Duplex { socket, expiry: terms.expiry, traffic: terms.traffic, stop: Bell::new()? };
    match terms.directions {
        Directions::Both => duplex.both_ways(input, outlet, output),
        Directions::Receive => duplex.receive(outlet, output),
        Directions::Send => duplex.send_alone(input, outlet, output),
    }
}

/// Waits until the peer has read everything, after the end of both directions. The connection is not
/// idle while the peer reads.
pub fn wait_until_read(socket: &Socket, expiry: &Expiry, output: &Output) -> Result<(), Error> {
    if output.is_verbose() && socket.has_unread() {
        match table::unread(socket) {
            Some(size) => output.note(format_args!("the peer has not read {size} bytes yet")),
            None => output.note("the peer has not read everything yet"),
        }
    }
    let mut unread = socket.unread();
    loop {
        match socket.wait_until_read(expiry.deadline()).map_err(Error::of_socket)? {
            Waited::Done(()) => return Ok(()),
            Waited::TimedOut => {}
        }
        let now = socket.unread();
        if now != std::mem::replace(&mut unread, now) {
            expiry.postpone();
        }
        if expiry.expired().is_some() {
            return Err(Error::Unread);
        }
    }
}

/// A connection.
struct Duplex {
    socket: Socket,
    expiry: Expiry,
    traffic: Traffic,
    /// Rings when the sender has to end, as stdout takes no more.
    stop: Bell,
}

impl Duplex {
    fn both_ways(
        &self,
        input: &mut Input,
        outlet: &mut Outlet,
        output: &mut Output,
    ) -> anyhow::Result<Result<(), Error>> {
        let (received, sent) = std::thread::scope(|scope| {
            let sender = thread::start(|thread| thread.spawn_scoped(scope, || self.send(input)))?;
            let received = self.receive(outlet, output);
            if received.is_err() {
                self.stop.ring();
                // This wakes a sender that waits for room.
                let _ = self.socket.shut_down_writing();
            }
            Ok::<_, Errno>((received, sender.join().expect("the sender does not panic")))
        })?;
        // The cause comes first: a peer that resets the connection fails both directions.
        let passed = received?.and(sent);
        Ok(passed.and_then(|()| wait_until_read(&self.socket, &self.expiry, output)))
    }

    /// Receives to the end.
    fn receive(
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

    /// Sends to the end, and waits until the peer has read it. Bytes from the peer are read and dropped
    /// meanwhile, as the peer may wait for that before it reads.
    fn send_alone(
        &self,
        input: &mut Input,
        outlet: &Outlet,
        output: &Output,
    ) -> anyhow::Result<Result<(), Error>> {
        if outlet.records.is_some() {
            self.socket.mark_messages()?;
        }
        std::thread::scope(|scope| {
            let dropping =
                thread::start(|thread| thread.spawn_scoped(scope, || self.drop_all(outlet)))?;
            let sent = self.send(input);
            let read = sent.and_then(|()| wait_until_read(&self.socket, &self.expiry, output));
            self.socket.shut_down_reading();
            let dropped = dropping.join().expect("it does not panic");
            Ok(read.and(dropped))
        })
    }

    fn drop_all(&self, outlet: &Outlet) -> Result<(), Error> {
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

    /// Sends to the end, and then the end.
    fn send(&self, input: &mut Input) -> Result<(), Error> {
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

    fn wait_for_room(&self) -> Result<(), Error> {
        self.wait(|deadline| poll::writable(&self.socket, deadline))
    }

    fn wait_for_bytes(&self) -> Result<(), Error> {
        self.wait(|deadline| poll::readable(&self.socket, deadline))
    }

    /// Waits within the limits of the connection.
    fn wait(&self, mut wait: impl FnMut(Deadline) -> Result<Waited, Errno>) -> Result<(), Error> {
        self.expiry.wait(|deadline| wait(deadline).map_err(Error::Socket))
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
}

/// The size of the buffer for bytes that are dropped.
const DROPPED_AT_ONCE: usize = 64 << 10;

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

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;
    use crate::io::output::Verbosity;

    #[test]
    fn a_sender_that_waits_for_input_ends_when_stdout_has_no_reader() {
        let (near, far) = Socket::pair(SocketType::Stream).unwrap();
        let (stdin, _writer) = nix::unistd::pipe().unwrap();
        let (reader, stdout) = nix::unistd::pipe().unwrap();
        drop(reader);
        let [stdin, stdout]: [&'static OwnedFd; 2] =
            [stdin, stdout].map(|fd| &*Box::leak(Box::new(fd)));
        let kind = SocketType::Stream;
        let (mut input, mut outlet) = ends(kind, Form::default(), stdin.as_fd(), stdout.as_fd());
        let mut output = Output::new(
            ["", "test"],
            Verbosity::Quiet,
            crate::io::output::Destinations::of_process(),
        );
        far.send(b"not written").unwrap();
        let terms = Terms {
            directions: Directions::Both,
            expiry: Expiry::default(),
            traffic: Traffic::default(),
        };
        let error = run(near, &mut input, &mut outlet, terms, &mut output).unwrap_err();
        assert!(error.downcast::<Unwritable>().unwrap().reader_left());
        // The bytes that were not written are still in the socket.
        assert_eq!(far.receive(&mut [0]), Err(Errno(libc::ECONNRESET)));
    }
}
