//! Channels of the packets of a door: each message is the argument of a call, or its answer. The
//! connection is made before, and no COMMAND is run.

use super::bytes::set_pace;
use super::{Ends, Input, Meeting, Output, Side};
use crate::base::errno::Errno;
use crate::measure::control::Control;
use crate::measure::names::Names;
use crate::measure::trial::{Error, Trial};
use crate::mechanism::door::{self, Content, Kind, PACKET_MAX};
use crate::sys::socket::{Socket, SocketType};

/// A socket to receive calls or answers from.
pub struct Receiver {
    socket: Socket,
    expected: Kind,
    buffer: Vec<u8>,
    message: Vec<u8>,
}

impl Input for Receiver {
    fn receive(&mut self) -> Result<&[u8], Error> {
        let received = loop {
            match door::receive(&self.socket, &mut self.buffer) {
                Err(Errno(libc::EAGAIN)) => std::hint::spin_loop(),
                received => break received.map_err(Error::of("recvmsg"))?,
            }
        };
        let packet = received.ok_or(Error::Wrong("the other process has ended"))?;
        let packet = packet.map_err(|problem| Error::Reported(problem.to_string()))?;
        if packet.kind != self.expected {
            return Err(Error::Wrong("a packet has another kind"));
        }
        self.message.clear();
        self.message.extend_from_slice(packet.parts[0].bytes());
        Ok(&self.message)
    }
}

/// A socket to send calls or answers to.
pub struct Sender {
    socket: Socket,
    kind: Kind,
}

impl Output for Sender {
    fn send(&mut self, message: &[u8]) -> Result<(), Error> {
        loop {
            let contents = [Content::Bytes(message.to_vec()), Content::default()];
            match door::send(&self.socket, self.kind, 0, contents, &[]) {
                Err(Errno(libc::EAGAIN)) => std::hint::spin_loop(),
                sent => return sent.map_err(Error::of("sendmsg")),
            }
        }
    }
}

/// A connection of a caller and a server.
pub struct Calls {
    server: Socket,
    caller: Socket,
}

impl Calls {
    /// Creates the channels.
    pub fn meet(trial: &Trial, _: &mut Names) -> Result<Box<dyn Meeting>, Error> {
        // A longer argument travels in a file, which would be another measurement.
        if trial.size + door::HEADER > PACKET_MAX {
            return Err(Error::Unsuitable);
        }
        let pair = Socket::pair(SocketType::Seqpacket).map_err(Error::of("socketpair"))?;
        set_pace(&pair.0, trial.pace)?;
        set_pace(&pair.1, trial.pace)?;
        Ok(Box::new(Self { server: pair.0, caller: pair.1 }))
    }
}

impl Meeting for Calls {
    fn join(self: Box<Self>, side: Side, _: &Control) -> Result<Ends, Error> {
        let (socket, expected, kind) = match side {
            Side::Receiver => (self.server, Kind::Call, Kind::Answer),
            Side::Sender(_) => (self.caller, Kind::Answer, Kind::Call),
        };
        let other = socket.try_clone().map_err(Error::of("dup"))?;
        let (buffer, message) = (vec![0; PACKET_MAX], Vec::new());
        let receiver = Receiver { socket, expected, buffer, message };
        Ok((Box::new(receiver), Box::new(Sender { socket: other, kind })))
    }
}
