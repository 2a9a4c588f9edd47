//! Channels that carry bytes: pipes, FIFOs, connected stream sockets. A message is a fixed number of
//! bytes.

use std::os::fd::OwnedFd;

use nix::sys::socket::{AddressFamily, SockaddrIn};

use super::{Ends, Input, Meeting, Output, Side};
use crate::base::deadline::{Deadline, Waited};
use crate::base::errno::Errno;
use crate::measure::control::Control;
use crate::measure::names::Names;
use crate::measure::trial::{Error, Pace, Trial};
use crate::mechanism::fifo;
use crate::sys::socket::{Socket, SocketType};
use crate::sys::{descriptor, pipe, stream};

/// A descriptor to read from.
pub struct Reader {
    fd: OwnedFd,
    buffer: Vec<u8>,
}

impl Reader {
    fn new(fd: OwnedFd, size: usize) -> Self {
        Self { fd, buffer: vec![0; size] }
    }
}

impl Input for Reader {
    #[inline]
    fn receive(&mut self) -> Result<&[u8], Error> {
        let mut filled = 0;
        while filled < self.buffer.len() {
            match stream::read_at_once(&self.fd, &mut self.buffer[filled..]) {
                Ok(0) => return Err(Error::Wrong("the other process has ended")),
                Ok(count) => filled += count,
                Err(Errno(libc::EAGAIN | libc::EINTR)) => std::hint::spin_loop(),
                Err(errno) => return Err(Error::Kernel("read", errno)),
            }
        }
        Ok(&self.buffer)
    }
}

/// A descriptor to write to.
pub struct Writer(OwnedFd);

impl Output for Writer {
    #[inline]
    fn send(&mut self, message: &[u8]) -> Result<(), Error> {
        let mut written = 0;
        while written < message.len() {
            let (count, result) = stream::write_at_once(&self.0, &message[written..]);
            written += count;
            match result {
                Ok(()) => {}
                Err(Errno(libc::EAGAIN)) => std::hint::spin_loop(),
                Err(errno) => return Err(Error::Kernel("write", errno)),
            }
        }
        Ok(())
    }
}

/// Two pairs of descriptors, of which one is read and the other written.
struct Pairs {
    forth: (OwnedFd, OwnedFd),
    back: (OwnedFd, OwnedFd),
    size: usize,
}

impl Pairs {
    fn boxed(
        forth: (OwnedFd, OwnedFd),
        back: (OwnedFd, OwnedFd),
        trial: &Trial,
    ) -> Result<Box<dyn Meeting>, Error> {
        for fd in [&forth.0, &forth.1, &back.0, &back.1] {
            set_pace(fd, trial.pace)?;
        }
        Ok(Box::new(Self { forth, back, size: trial.size }))
    }
}

impl Meeting for Pairs {
    fn join(self: Box<Self>, side: Side, _: &Control) -> Result<Ends, Error> {
        let (input, output) = match side {
            Side::Receiver => (self.forth.0, self.back.1),
            Side::Sender(_) => (self.back.0, self.forth.1),
        };
        Ok((Box::new(Reader::new(input, self.size)), Box::new(Writer(output))))
    }
}

/// Makes the calls on a descriptor wait, or fail at once.
pub fn set_pace(fd: impl std::os::fd::AsFd, pace: Pace) -> Result<(), Error> {
    let set = match pace {
        Pace::Blocking => descriptor::make_blocking(fd),
        Pace::Spinning => descriptor::make_non_blocking(fd),
    };
    set.map_err(Error::of("fcntl"))
}

/// Two pipes.
pub fn pipes(trial: &Trial, _: &mut Names) -> Result<Box<dyn Meeting>, Error> {
    let new = || pipe::new().map_err(Error::of("pipe"));
    Pairs::boxed(new()?, new()?, trial)
}

/// Two FIFOs.
pub fn fifos(trial: &Trial, names: &mut Names) -> Result<Box<dyn Meeting>, Error> {
    let (forth, back) = (new_fifo(names)?, new_fifo(names)?);
    Pairs::boxed(forth, back, trial)
}

fn new_fifo(names: &mut Names) -> Result<(OwnedFd, OwnedFd), Error> {
    let path = names.on_disk();
    fifo::create(&path, 0o600).map_err(Error::of("mkfifo"))?;
    // A FIFO that is open for both opens at once for either.
    let both = descriptor::open_both(&path).map_err(Error::of("open"))?;
    let ends = (descriptor::reopen(&both, nix::fcntl::OFlag::O_RDONLY), {
        descriptor::reopen(&both, nix::fcntl::OFlag::O_WRONLY)
    });
    Ok((ends.0.map_err(Error::of("open"))?, ends.1.map_err(Error::of("open"))?))
}

/// A connected pair of stream sockets.
struct Sockets {
    receiver: OwnedFd,
    sender: OwnedFd,
    size: usize,
}

impl Sockets {
    fn boxed(
        (receiver, sender): (OwnedFd, OwnedFd),
        trial: &Trial,
    ) -> Result<Box<dyn Meeting>, Error> {
        set_pace(&receiver, trial.pace)?;
        set_pace(&sender, trial.pace)?;
        Ok(Box::new(Self { receiver, sender, size: trial.size }))
    }
}

impl Meeting for Sockets {
    fn join(self: Box<Self>, side: Side, _: &Control) -> Result<Ends, Error> {
        let fd = match side {
            Side::Receiver => self.receiver,
            Side::Sender(_) => self.sender,
        };
        let other = fd.try_clone().map_err(|error| Error::Kernel("dup", Errno::from(error)))?;
        Ok((Box::new(Reader::new(fd, self.size)), Box::new(Writer(other))))
    }
}

/// A pair of Unix sockets.
pub fn unix_streams(trial: &Trial, _: &mut Names) -> Result<Box<dyn Meeting>, Error> {
    let (one, other) = Socket::pair(SocketType::Stream).map_err(Error::of("socketpair"))?;
    Sockets::boxed((one.into(), other.into()), trial)
}

/// A TCP connection on the loopback device, which sends at once.
pub fn tcp(trial: &Trial, _: &mut Names) -> Result<Box<dyn Meeting>, Error> {
    Sockets::boxed(connection().map_err(Error::of("tcp"))?, trial)
}

fn connection() -> Result<(OwnedFd, OwnedFd), Errno> {
    let new = || Socket::new(AddressFamily::Inet, SocketType::Stream);
    let listener = new()?;
    listener.bind(&SockaddrIn::new(127, 0, 0, 1, 0))?;
    listener.listen(1)?;
    let address = listener.own_internet_address()?;
    let client = new()?;
    if client.connect(&address, Deadline::NEVER)? == Waited::TimedOut {
        return Err(Errno(libc::ETIMEDOUT));
    }
    let server = listener.accept()?.ok_or(Errno(libc::ECONNABORTED))?;
    client.send_at_once()?;
    server.send_at_once()?;
    Ok((server.into(), client.into()))
}
