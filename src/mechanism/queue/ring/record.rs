//! The header of a message in the ring: its length, its state, and the time of its claim.
//!
//! It is two words of 8 bytes: {u32 length, u32 state} and the time of the claim, in nanoseconds on
//! the boot clock. The lowest 8 bits of the state hold the stage of the message, the other 24 bits
//! the number of its claims.

use super::layout::{RECORD, size_of_record};
use super::{Error, Memory};

/// The stage of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// The message can be popped or claimed.
    Ready,
    /// The message was claimed. If the byte of the claim is not locked, the claim has ended without
    /// an acknowledgement.
    Taken,
    /// The message was acknowledged while an older one was not.
    Done,
}

/// The header of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Record {
    /// The length of the message in bytes.
    pub length: u32,
    /// The stage of the message.
    pub stage: Stage,
    /// The number of times that the message was claimed.
    pub attempts: u32,
}

/// The maximum of the attempt counter.
pub const MOST_ATTEMPTS: u32 = (1 << 24) - 1;

impl Record {
    /// A new message.
    pub const fn ready(length: u32) -> Self {
        Self { length, stage: Stage::Ready, attempts: 0 }
    }

    /// The same message, claimed once more.
    pub fn claimed(self) -> Self {
        let attempts = (self.attempts + 1).min(MOST_ATTEMPTS);
        Self { stage: Stage::Taken, attempts, ..self }
    }

    /// The same message without its last claim. A counter at its maximum may stand for more claims.
    pub fn uncounted(self) -> Self {
        let attempts = match self.attempts {
            MOST_ATTEMPTS => MOST_ATTEMPTS,
            attempts => attempts.saturating_sub(1),
        };
        Self { attempts, ..self }
    }

    /// The same message, acknowledged.
    pub const fn done(self) -> Self {
        Self { stage: Stage::Done, ..self }
    }

    /// The size of the record in the ring.
    #[inline]
    pub const fn size(&self) -> u64 {
        size_of_record(self.length as u64)
    }

    /// Encodes the first word.
    #[inline]
    pub const fn encode(self) -> u64 {
        let stage = match self.stage {
            Stage::Ready => 1,
            Stage::Taken => 2,
            Stage::Done => 3,
        };
        word(self.length, stage | self.attempts << 8)
    }

    /// Decodes the first word.
    #[inline]
    pub fn decode(word: u64) -> Result<Self, Error> {
        let (length, state) = parts(word);
        let stage = match state & 0xff {
            1 => Stage::Ready,
            2 => Stage::Taken,
            3 => Stage::Done,
            _ => return Err(Error::Corrupt("a message is in no known state")),
        };
        Ok(Self { length, stage, attempts: state >> 8 })
    }

    /// Loads the record at a position; the whole record has at most `most` bytes.
    #[inline]
    pub fn load(memory: &Memory, position: u64, most: u64) -> Result<Self, Error> {
        let record = Self::decode(memory.load(position)?)?;
        if record.size() > most {
            return Err(Error::Corrupt("a message ends beyond the others"));
        }
        Ok(record)
    }

    /// Stores the first word at a position.
    #[inline]
    pub fn store(self, memory: &Memory, position: u64) -> Result<(), Error> {
        Ok(memory.store(position, self.encode())?)
    }
}

/// Loads the time of the claim on a message.
pub fn load_time(memory: &Memory, position: u64) -> Result<u64, Error> {
    Ok(memory.load(position.wrapping_add(8))?)
}

/// Stores the time of the claim on a message.
pub fn store_time(memory: &Memory, position: u64, time: u64) -> Result<(), Error> {
    Ok(memory.store(position.wrapping_add(8), time)?)
}

/// The position of the first byte of a message, for the position of its record.
#[inline]
pub const fn bytes_at(position: u64) -> u64 {
    position.wrapping_add(RECORD)
}

/// Combines both halves of the first word, with the length at the lower address.
#[inline]
const fn word(length: u32, state: u32) -> u64 {
    if cfg!(target_endian = "little") {
        length as u64 | (state as u64) << 32
    } else {
        state as u64 | (length as u64) << 32
    }
}

#[inline]
const fn parts(word: u64) -> (u32, u32) {
    if cfg!(target_endian = "little") {
        (word as u32, (word >> 32) as u32)
    } else {
        ((word >> 32) as u32, word as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_as_it_was() {
        let ready = Record::ready(7);
        let many = Record { attempts: MOST_ATTEMPTS, ..ready }.claimed();
        for record in [ready, ready.claimed(), ready.claimed().claimed().done(), many] {
            assert_eq!(Record::decode(record.encode()).unwrap(), record);
        }
        assert_eq!(many.attempts, MOST_ATTEMPTS);
        assert!(Record::decode(7).is_err());
    }
}
