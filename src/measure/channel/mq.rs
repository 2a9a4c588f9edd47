//! Channels of message queues in the kernel, POSIX and System V.

use super::bytes::set_pace;
use super::{Ends, Input, Meeting, Output, Side};
use crate::base::errno::Errno;
use crate::base::name::PosixName;
use crate::measure::control::Control;
use crate::measure::names::Names;
use crate::measure::trial::{Error, Pace, Trial};
use crate::sys::interrupt::Attempt;
use crate::sys::mqueue::{Queue, Shape};
use crate::sys::system_v_queue::{self, Selection};

/// The number of messages that a POSIX queue holds: the default of the kernel.
const DEPTH: u64 = 10;

/// A POSIX queue to receive from.
pub struct Receiver {
    queue: Queue,
    buffer: Vec<u8>,
}

impl Input for Receiver {
    #[inline]
    fn receive(&mut self) -> Result<&[u8], Error> {
        loop {
            match self.queue.try_receive(&mut self.buffer) {
                Ok(received) => return Ok(&self.buffer[..received.length]),
                Err(Errno(libc::EAGAIN)) => std::hint::spin_loop(),
                Err(errno) => return Err(Error::Kernel("mq_receive", errno)),
            }
        }
    }
}

/// A POSIX queue to send to.
pub struct Sender(Queue);

impl Output for Sender {
    #[inline]
    fn send(&mut self, message: &[u8]) -> Result<(), Error> {
        loop {
            match self.0.try_send(message, 0) {
                Ok(()) => return Ok(()),
                Err(Errno(libc::EAGAIN)) => std::hint::spin_loop(),
                Err(errno) => return Err(Error::Kernel("mq_send", errno)),
            }
        }
    }
}

/// Two POSIX queues. They lose their names at once, as the processes inherit the descriptors.
pub struct Posix {
    forth: Queue,
    back: Queue,
    size: usize,
}

impl Posix {
    fn queue(trial: &Trial, names: &mut Names) -> Result<Queue, Error> {
        let name = PosixName::new(std::ffi::OsStr::new(&names.word_of_queue()))
            .map_err(|_| Error::Wrong("a name is too long"))?;
        let shape = Shape { max_msgs: DEPTH, msg_size: trial.size as u64 };
        let queue = Queue::create(&name, Some(shape), 0o600).map_err(|errno| match errno {
            Errno(libc::EINVAL) => Error::Unsuitable,
            errno => Error::Kernel("mq_open", errno),
        })?;
        Queue::unlink(&name).map_err(Error::of("mq_unlink"))?;
        set_pace(&queue, trial.pace)?;
        Ok(queue)
    }
}

impl Posix {
    /// Creates the channels.
    pub fn meet(trial: &Trial, names: &mut Names) -> Result<Box<dyn Meeting>, Error> {
        let (forth, back) = (Self::queue(trial, names)?, Self::queue(trial, names)?);
        Ok(Box::new(Self { forth, back, size: trial.size }))
    }
}

impl Meeting for Posix {
    fn join(self: Box<Self>, side: Side, _: &Control) -> Result<Ends, Error> {
        let (input, output) = match side {
            Side::Receiver => (self.forth, self.back),
            Side::Sender(_) => (self.back, self.forth),
        };
        let buffer = vec![0; self.size];
        Ok((Box::new(Receiver { queue: input, buffer }), Box::new(Sender(output))))
    }
}

/// A System V queue to receive from.
pub struct SystemVReceiver {
    queue: system_v_queue::Queue,
    pace: Pace,
}

impl Input for SystemVReceiver {
    #[inline]
    fn receive(&mut self) -> Result<&[u8], Error> {
        loop {
            let received = match self.pace {
                Pace::Blocking => self.queue.wait_and_receive(Selection::Any),
                Pace::Spinning => self.queue.try_receive(Selection::Any),
            };
            match received.map_err(Error::of("msgrcv"))? {
                Some(received) => return Ok(self.queue.message(received.length)),
                None => std::hint::spin_loop(),
            }
        }
    }
}

/// A System V queue to send to.
pub struct SystemVSender {
    queue: system_v_queue::Queue,
    attempt: Attempt,
}

impl Output for SystemVSender {
    #[inline]
    fn send(&mut self, message: &[u8]) -> Result<(), Error> {
        self.queue.prepare(message, 1).map_err(Error::of("memory"))?;
        loop {
            match self.queue.send(self.attempt) {
                Ok(()) => return Ok(()),
                Err(Errno(libc::EAGAIN | libc::EINTR)) => std::hint::spin_loop(),
                Err(Errno(libc::EINVAL)) => return Err(Error::Unsuitable),
                Err(errno) => return Err(Error::Kernel("msgsnd", errno)),
            }
        }
    }
}

/// Two System V queues, by their identifiers.
pub struct SystemV {
    forth: i32,
    back: i32,
    pace: Pace,
}

impl SystemV {
    /// Creates the channels.
    pub fn meet(trial: &Trial, names: &mut Names) -> Result<Box<dyn Meeting>, Error> {
        if trial.size as u64 > system_v_queue::message_limit() {
            return Err(Error::Unsuitable);
        }
        let mut queue = || {
            let of = Error::of("msgget");
            let id = system_v_queue::make(libc::IPC_PRIVATE).map_err(of)?;
            names.system_v_queue(id);
            let bytes = system_v_queue::max_bytes_limit();
            system_v_queue::grant(id, 0o600, bytes).map_err(of)?;
            Ok::<_, Error>(id)
        };
        Ok(Box::new(Self { forth: queue()?, back: queue()?, pace: trial.pace }))
    }
}

impl Meeting for SystemV {
    fn join(self: Box<Self>, side: Side, _: &Control) -> Result<Ends, Error> {
        let (input, output) = match side {
            Side::Receiver => (self.forth, self.back),
            Side::Sender(_) => (self.back, self.forth),
        };
        let attempt = match self.pace {
            Pace::Blocking => Attempt::Blocking,
            Pace::Spinning => Attempt::Nonblocking,
        };
        let queue = system_v_queue::Queue::of_id;
        Ok((
            Box::new(SystemVReceiver { queue: queue(input), pace: self.pace }),
            Box::new(SystemVSender { queue: queue(output), attempt }),
        ))
    }
}
