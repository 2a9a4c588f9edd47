//! The messages of a measurement: each says which one it is, and its receiver verifies it.

use super::trial::Error;

/// The least length of a message: it has to hold a number.
pub const LEAST: usize = 4;

/// The bit of the first word that marks the last message of a sender.
const LAST: u64 = 1 << 55;

/// The bits of the number of a message.
const NUMBER: u64 = LAST - 1;

/// The same for messages of less than eight bytes, which name no sender.
const LAST_OF_SHORT: u32 = 1 << 31;

/// Whether another message follows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Position {
    Inner,
    Last,
}

/// The part of a message that is verified.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Depth {
    /// Its length, its number, and its last word, which depends on the number. This costs the same
    /// for any length.
    Ends,
    /// All bytes.
    Whole,
}

/// Whether messages may be missing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Loss {
    Refused,
    /// As UDP loses them.
    Counted,
}

/// The bytes of a message: the same for all, but for its ends.
fn body(size: usize) -> Vec<u8> {
    (0..size).map(|index| (index as u8).wrapping_mul(151).wrapping_add(43)).collect()
}

/// The last word of a message whose first word is this.
fn tail(head: u64) -> u64 {
    head.rotate_left(23) ^ 0x9e37_79b9_7f4a_7c15
}

fn set_ends(message: &mut [u8], head: u64) {
    let size = message.len();
    message[..8].copy_from_slice(&head.to_ne_bytes());
    if size >= 16 {
        message[size - 8..].copy_from_slice(&tail(head).to_ne_bytes());
    }
}

/// Writes the messages of one sender.
pub struct Writer {
    buffer: Vec<u8>,
    sender: u64,
    number: u64,
}

impl Writer {
    pub fn new(size: usize, sender: usize) -> Self {
        Self { buffer: body(size), sender: (sender as u64) << 56, number: 0 }
    }

    /// The next message.
    #[inline]
    pub fn next(&mut self, position: Position) -> &[u8] {
        self.number += 1;
        if self.buffer.len() < 8 {
            let last = if position == Position::Last { LAST_OF_SHORT } else { 0 };
            let head = (self.number as u32 & !LAST_OF_SHORT) | last;
            self.buffer[..LEAST].copy_from_slice(&head.to_ne_bytes());
        } else {
            let last = if position == Position::Last { LAST } else { 0 };
            set_ends(&mut self.buffer, self.sender | last | self.number);
        }
        &self.buffer
    }

    /// The last message again, for a mechanism that may lose it.
    pub fn again(&self) -> &[u8] {
        &self.buffer
    }
}

/// Verifies the messages of all senders.
pub struct Verifier {
    expected: Vec<u8>,
    loss: Loss,
    /// The number of the last message of each sender.
    numbers: Vec<u64>,
    /// The number of messages that came.
    pub received: u64,
}

impl Verifier {
    pub fn new(size: usize, senders: usize, loss: Loss) -> Self {
        Self { expected: body(size), loss, numbers: vec![0; senders], received: 0 }
    }

    /// The number of the newest message of the first sender.
    pub fn last_number(&self) -> u64 {
        self.numbers[0]
    }

    /// Verifies a message.
    ///
    /// # Errors
    /// A message is missing, comes twice, or was changed.
    #[inline]
    pub fn check(&mut self, message: &[u8], depth: Depth) -> Result<Position, Error> {
        if message.len() != self.expected.len() {
            return Err(Error::Wrong("a message has another length"));
        }
        let (sender, number, position) = self.ends(message)?;
        let last = self.numbers.get_mut(sender).ok_or(Error::Wrong("a message was changed"))?;
        let is_next = match self.loss {
            Loss::Refused => number == *last + 1,
            Loss::Counted => number > *last,
        };
        if !is_next {
            return Err(Error::Wrong("a message is missing, or came twice"));
        }
        *last = number;
        self.received += 1;
        if depth == Depth::Whole {
            self.compare(message)?;
        }
        Ok(position)
    }

    /// The sender, the number and the position.
    #[inline]
    fn ends(&self, message: &[u8]) -> Result<(usize, u64, Position), Error> {
        let Some(head) = message.first_chunk().map(|head| u64::from_ne_bytes(*head)) else {
            return self.ends_of_short(message);
        };
        if message.len() >= 16
            && message.last_chunk().map(|last| u64::from_ne_bytes(*last)) != Some(tail(head))
        {
            return Err(Error::Wrong("a message was changed"));
        }
        let position = if head & LAST == 0 { Position::Inner } else { Position::Last };
        Ok(((head >> 56) as usize, head & NUMBER, position))
    }

    fn ends_of_short(&self, message: &[u8]) -> Result<(usize, u64, Position), Error> {
        let head = message.first_chunk().map(|head| u32::from_ne_bytes(*head));
        let head = head.ok_or(Error::Wrong("a message is too short"))?;
        // 31 bits of the number are enough to notice what is missing.
        let next = self.numbers[0] + 1;
        let number = match head & !LAST_OF_SHORT == next as u32 & !LAST_OF_SHORT {
            true => next,
            false => u64::from(head & !LAST_OF_SHORT),
        };
        let position = if head & LAST_OF_SHORT == 0 { Position::Inner } else { Position::Last };
        Ok((0, number, position))
    }

    fn compare(&self, message: &[u8]) -> Result<(), Error> {
        let size = message.len();
        let inner = match size {
            ..8 => LEAST..size,
            8..16 => 8..size,
            _ => 8..size - 8,
        };
        match message[inner.clone()] == self.expected[inner] {
            true => Ok(()),
            false => Err(Error::Wrong("a message was changed")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_all_lengths_are_recognized() {
        for size in [4, 5, 8, 12, 16, 17, 100] {
            let (mut writer, mut verifier) =
                (Writer::new(size, 0), Verifier::new(size, 1, Loss::Refused));
            for position in [Position::Inner, Position::Inner, Position::Last] {
                let message = writer.next(position).to_vec();
                assert_eq!(verifier.check(&message, Depth::Whole).unwrap(), position, "{size}");
            }
            assert_eq!(verifier.received, 3);
        }
    }

    #[test]
    fn a_change_of_any_byte_is_noticed() {
        for size in [4, 8, 16, 40] {
            for index in 0..size {
                let mut message = Writer::new(size, 0).next(Position::Inner).to_vec();
                message[index] ^= 1;
                let mut verifier = Verifier::new(size, 1, Loss::Refused);
                assert!(verifier.check(&message, Depth::Whole).is_err(), "{size} {index}");
            }
        }
    }

    #[test]
    fn a_missing_message_is_an_error_unless_it_is_counted() {
        let mut writer = Writer::new(32, 0);
        writer.next(Position::Inner);
        let second = writer.next(Position::Inner).to_vec();
        assert!(Verifier::new(32, 1, Loss::Refused).check(&second, Depth::Ends).is_err());
        let mut counting = Verifier::new(32, 1, Loss::Counted);
        assert!(counting.check(&second, Depth::Ends).is_ok());
        assert!(counting.check(&second, Depth::Ends).is_err(), "it came twice");
    }
}
