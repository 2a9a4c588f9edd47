//! Channels of sockets that carry messages: Unix seqpacket and datagram sockets, UDP.

use nix::sys::socket::{AddressFamily, SockaddrIn};

use super::bytes::set_pace;
use super::{Ends, Input, Meeting, Output, Side};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::measure::control::Control;
use crate::measure::message::Loss;
use crate::measure::names::Names;
use crate::measure::trial::{Error, Trial};
use crate::sys::socket::{Socket, SocketType};

/// A socket to receive from.
pub struct Receiver {
    socket: Socket,
    buffer: Vec<u8>,
}

impl Input for Receiver {
    #[inline]
    fn receive(&mut self) -> Result<&[u8], Error> {
        loop {
            match self.socket.receive(&mut self.buffer) {
                Ok(0) => return Err(Error::Wrong("the other process has ended")),
                Ok(length) => return Ok(&self.buffer[..length]),
                Err(Errno(libc::EAGAIN)) => std::hint::spin_loop(),
                Err(errno) => return Err(Error::Kernel("recv", errno)),
            }
        }
    }
}

/// A socket to send to.
pub struct Sender(Socket);

impl Output for Sender {
    #[inline]
    fn send(&mut self, message: &[u8]) -> Result<(), Error> {
        loop {
            match self.0.send(message) {
                Ok(_) => return Ok(()),
                Err(Errno(libc::EAGAIN | libc::ENOBUFS)) => std::hint::spin_loop(),
                Err(Errno(libc::EMSGSIZE)) => return Err(Error::Unsuitable),
                Err(errno) => return Err(Error::Kernel("send", errno)),
            }
        }
    }
}

/// Two sockets that are connected to each other.
struct Pair {
    receiver: Socket,
    sender: Socket,
    size: usize,
    loss: Loss,
}

impl Pair {
    fn boxed(
        (receiver, sender): (Socket, Socket),
        trial: &Trial,
        loss: Loss,
    ) -> Result<Box<dyn Meeting>, Error> {
        for socket in [&receiver, &sender] {
            set_pace(socket, trial.pace)?;
            socket.make_room_for(trial.size).map_err(|_| Error::Unsuitable)?;
        }
        Ok(Box::new(Self { receiver, sender, size: trial.size, loss }))
    }
}

impl Meeting for Pair {
    fn loss(&self) -> Loss {
        self.loss
    }

    fn join(self: Box<Self>, side: Side, _: &Control) -> Result<Ends, Error> {
        let socket = match side {
            Side::Receiver => self.receiver,
            Side::Sender(_) => self.sender,
        };
        let other = socket.try_clone().map_err(Error::of("dup"))?;
        // A byte more than a message has shows one that is too long.
        let buffer = vec![0; self.size + 1];
        Ok((Box::new(Receiver { socket, buffer }), Box::new(Sender(other))))
    }
}

fn unix_pair(kind: SocketType, trial: &Trial) -> Result<Box<dyn Meeting>, Error> {
    Pair::boxed(Socket::pair(kind).map_err(Error::of("socketpair"))?, trial, Loss::Refused)
}

/// A pair of Unix sockets with a connection of messages.
pub fn seqpackets(trial: &Trial, _: &mut Names) -> Result<Box<dyn Meeting>, Error> {
    unix_pair(SocketType::Seqpacket, trial)
}

/// A pair of Unix datagram sockets.
pub fn datagrams(trial: &Trial, _: &mut Names) -> Result<Box<dyn Meeting>, Error> {
    unix_pair(SocketType::Dgram, trial)
}

/// The longest datagram of IPv4.
const LONGEST: usize = 65_507;

/// Two UDP sockets on the loopback device.
pub fn udp(trial: &Trial, _: &mut Names) -> Result<Box<dyn Meeting>, Error> {
    if trial.size > LONGEST {
        return Err(Error::Unsuitable);
    }
    Pair::boxed(two_of_udp().map_err(Error::of("udp"))?, trial, Loss::Counted)
}

fn two_of_udp() -> Result<(Socket, Socket), Errno> {
    let new = || {
        let socket = Socket::new(AddressFamily::Inet, SocketType::Dgram)?;
        socket.bind(&SockaddrIn::new(127, 0, 0, 1, 0))?;
        Ok::<_, Errno>((socket.own_internet_address()?, socket))
    };
    let ((address, one), (other_address, other)) = (new()?, new()?);
    for (socket, address) in [(&one, other_address), (&other, address)] {
        if socket.connect(&address, Deadline::NEVER)? == Waited::TimedOut {
            return Err(Errno(libc::ETIMEDOUT));
        }
    }
    Ok((one, other))
}
