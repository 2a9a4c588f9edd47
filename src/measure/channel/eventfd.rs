//! Channels of two eventfd(2) counters. A message is the number that is added.

use super::bytes::set_pace;
use super::{Ends, Input, Meeting, Output, Side};
use crate::base::errno::Errno;
use crate::measure::control::Control;
use crate::measure::names::Names;
use crate::measure::trial::{Error, Trial};
use crate::sys::eventfd::Counter;

/// The length of a message.
pub const SIZE: usize = size_of::<u64>();

/// A counter to take from.
pub struct Taker {
    counter: Counter,
    message: [u8; SIZE],
}

impl Input for Taker {
    #[inline]
    fn receive(&mut self) -> Result<&[u8], Error> {
        loop {
            match self.counter.take() {
                Ok(number) => {
                    self.message = number.to_ne_bytes();
                    return Ok(&self.message);
                }
                Err(Errno(libc::EAGAIN | libc::EINTR)) => std::hint::spin_loop(),
                Err(errno) => return Err(Error::Kernel("read", errno)),
            }
        }
    }
}

/// A counter to add to.
pub struct Adder(Counter);

impl Output for Adder {
    #[inline]
    fn send(&mut self, message: &[u8]) -> Result<(), Error> {
        let number = message.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes));
        let number = number.ok_or(Error::Unsuitable)?;
        loop {
            match self.0.add(number) {
                Ok(()) => return Ok(()),
                Err(Errno(libc::EAGAIN | libc::EINTR)) => std::hint::spin_loop(),
                Err(errno) => return Err(Error::Kernel("write", errno)),
            }
        }
    }
}

/// Two counters.
pub struct Counters {
    forth: Counter,
    back: Counter,
}

impl Counters {
    /// Creates the channels.
    pub fn meet(trial: &Trial, _: &mut Names) -> Result<Box<dyn Meeting>, Error> {
        let counter = || {
            let counter = Counter::new().map_err(Error::of("eventfd"))?;
            set_pace(&counter, trial.pace)?;
            Ok::<_, Error>(counter)
        };
        Ok(Box::new(Self { forth: counter()?, back: counter()? }))
    }
}

impl Meeting for Counters {
    fn join(self: Box<Self>, side: Side, _: &Control) -> Result<Ends, Error> {
        let (input, output) = match side {
            Side::Receiver => (self.forth, self.back),
            Side::Sender(_) => (self.back, self.forth),
        };
        let taker = Taker { counter: input, message: [0; SIZE] };
        Ok((Box::new(taker), Box::new(Adder(output))))
    }
}
