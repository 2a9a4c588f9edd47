//! The header of a message in the ring: its length, its state, and when it was claimed.
//!
//! It is two words of 8 bytes: {u32 length, u32 state} and the time of the claim, in nanoseconds on
//! the boot clock. The lowest 8 bits of the state say what became of the message, the other 24 how
//! many times it was claimed.

use super::layout::{RECORD, size_of_record};
use super::{Error, Memory};

/// What became of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// It can be taken.
    Ready,
    /// It was claimed. A claim whose byte is not locked has ended without an acknowledgement.
    Taken,
    /// It was acknowledged, while an older one was not.
    Done,
}

/// The header of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Record {
    /// The bytes of the message.
    pub length: u32,
    /// What became of it.
    pub stage: Stage,
    /// How many times it was claimed.
    pub attempts: u32,
}

/// The most attempts that are counted.
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

    /// The same message, acknowledged.
    pub const fn done(self) -> Self {
        Self { stage: Stage::Done, ..self }
    }

    /// What it takes of the ring.
    #[inline]
    pub const fn size(&self) -> u64 {
        size_of_record(self.length as u64)
    }

    /// The first word.
    #[inline]
    pub const fn encode(self) -> u64 {
        let stage = match self.stage {
            Stage::Ready => 1,
            Stage::Taken => 2,
            Stage::Done => 3,
        };
        word(self.length, stage | self.attempts << 8)
    }

    /// What the first word means.
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

    /// The message at a position, of which `most` bytes can be the whole record.
    #[inline]
    pub fn load(memory: &Memory, position: u64, most: u64) -> Result<Self, Error> {
        let record = Self::decode(memory.load(position)?)?;
        if record.size() > most {
            return Err(Error::Corrupt("a message ends beyond the others"));
        }
        Ok(record)
    }

    /// Puts it at a position.
    #[inline]
    pub fn store(self, memory: &Memory, position: u64) -> Result<(), Error> {
        Ok(memory.store(position, self.encode())?)
    }
}

/// When a message was claimed.
pub fn load_time(memory: &Memory, position: u64) -> Result<u64, Error> {
    Ok(memory.load(position.wrapping_add(8))?)
}

/// Notes when a message was claimed.
pub fn store_time(memory: &Memory, position: u64, time: u64) -> Result<(), Error> {
    Ok(memory.store(position.wrapping_add(8), time)?)
}

/// Where the bytes of a message begin.
#[inline]
pub const fn bytes_at(position: u64) -> u64 {
    position.wrapping_add(RECORD)
}

/// The length is at the lower address.
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
