//! Both directions of a connected socket: stdin is sent, received bytes go to stdout, until both
//! directions have ended.
//!
//! Each direction is a loop of blocking calls, the sending one in a thread of its own, so that a
//! pause of one side delays only its own direction. The sender waits for stdin and for the peer to
//! leave at the same time: a user at a terminal need not press a key to learn that the peer has left.
//!
//! After the end of both directions the peer may still have to read. Only when it has read everything,
//! or has closed, is it known whether everything arrived.

mod error;
mod receiving;
mod sending;

use std::os::fd::BorrowedFd;
use std::sync::Arc;

use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::io::frame::{Form, Reader, Writer};
use crate::io::output::Output;
use crate::io::transfer::Counter;
use crate::mechanism::socket::expiry::Expiry;
use crate::mechanism::socket::table;
use crate::sys::eventfd::Bell;
use crate::sys::poll;
use crate::sys::socket::{Socket, SocketType};
use crate::sys::thread;

pub use self::error::Error;

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
/// [`Unwritable`](crate::io::output::Unwritable) at once; any other error after all that the peer sent
/// has been received.
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
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsFd, OwnedFd};

    use super::*;
    use crate::io::output::{Unwritable, Verbosity};

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
