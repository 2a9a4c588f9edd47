//! Channels for messages between the processes of a measurement, one module for each kind of
//! mechanism.

pub mod bytes;
pub mod door;
pub mod eventfd;
pub mod mq;
pub mod queue;
pub mod shared;
pub mod signal;
pub mod socket;
pub mod spool;

use super::control::Control;
use super::message::Loss;
use super::names::Names;
use super::trial::{Error, Trial};

/// The end of a channel from which messages come.
pub trait Input {
    /// Waits for a message.
    fn receive(&mut self) -> Result<&[u8], Error>;
}

/// The end of a channel into which messages go.
pub trait Output {
    /// Sends a message, and waits for room.
    fn send(&mut self, message: &[u8]) -> Result<(), Error>;
}

/// A process of a measurement.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    Receiver,
    /// One of several senders.
    Sender(usize),
}

/// The ends of one process.
pub type Ends = (Box<dyn Input>, Box<dyn Output>);

/// A pair of channels, one for each direction, before the processes are started.
pub trait Meeting {
    /// Whether messages may be lost.
    fn loss(&self) -> Loss {
        Loss::Refused
    }

    /// Takes the ends of one process, and closes the others.
    fn join(self: Box<Self>, side: Side, control: &Control) -> Result<Ends, Error>;
}

/// Creates the channels of a mechanism.
///
/// # Errors
/// [`Error::Unsuitable`] if the mechanism has no messages of this length.
pub type Meet = fn(&Trial, &mut Names) -> Result<Box<dyn Meeting>, Error>;
