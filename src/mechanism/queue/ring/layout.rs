//! Where things are in a queue: ipc-queue(5).
//!
//! | offset | what |
//! | --- | --- |
//! | 0 | the header, which never changes while the machine runs: [`Header`] |
//! | 128 | the side that pushes |
//! | 256 | the side that pops |
//! | 384 | u64: where claiming goes on |
//! | 392 | u64: when the last search from the head was, on the boot clock |
//! | 400 | u64: how many messages were delivered again |
//! | 448 | u32: 1 for a closed queue |
//! | 4096 | the ring |
//!
//! A side is two cache lines of 64 bytes, in the byte order of the machine that made the queue:
//!
//! | offset | what |
//! | --- | --- |
//! | 0 | u32: the lock |
//! | 8 | u64: the other side's position, as last seen |
//! | 64 | u32: the number of commits, `seq` |
//! | 68 | u32: the `seq` that somebody sleeps on |
//! | 72 | two states of 24 bytes: u64 position, u64 messages, u64 bytes; `seq & 1` is the live one |

use crate::base::errno::Errno;
use crate::sys::process;

use super::Error;

/// Where the ring begins.
pub const HEAD: usize = 4096;

/// The smallest ring.
pub const LEAST_CAPACITY: u64 = 4096;

/// The largest ring: what a file can have.
pub const MOST_CAPACITY: u64 = 1 << 62;

/// The bytes of a record before those of its message.
pub const RECORD: u64 = 16;

/// The side that pushes.
pub const PUSH: usize = 128;
/// The side that pops.
pub const POP: usize = 256;
/// Where claiming goes on.
pub const CURSOR: usize = 384;
/// When the last search from the head was.
pub const SEARCHED: usize = 392;
/// How many messages were delivered again.
pub const REDELIVERED: usize = 400;
/// Whether the queue is closed.
pub const CLOSED: usize = 448;

/// The other side's position, from the start of a side.
pub const HINT: usize = 8;
/// The number of commits.
pub const SEQ: usize = 64;
/// The number of commits that somebody sleeps on.
pub const WAIT: usize = 68;
/// The first state.
pub const STATE: usize = 72;
/// The size of a state.
pub const STATE_SIZE: usize = 24;

/// At first no process sleeps on a number that comes soon.
pub const NO_WAIT: u32 = u32::MAX;

/// The byte whose lock takes the place of a word at this offset.
pub const fn lock_byte(offset: usize) -> i64 {
    (1 << 39) + offset as i64
}

/// The byte whose lock makes a queue this boot's.
pub const ADOPTION: i64 = 1 << 39;

/// The byte whose lock is the claim of the message at this position.
///
/// # Errors
/// A position that no queue can reach.
pub fn claim_byte(position: u64) -> Result<i64, Error> {
    let position = i64::try_from(position).ok().filter(|at| *at < 1 << 62);
    Ok((1 << 40) + position.ok_or(Error::Corrupt("a position beyond all that can be reached"))?)
}

/// What a message takes of the ring.
#[inline]
pub const fn size_of_record(length: u64) -> u64 {
    RECORD + ((length + 7) & !7)
}

/// What a queue begins with.
pub const MAGIC: &[u8; 8] = b"ipcqueue";
const VERSION: u32 = 1;
const ORDER: u32 = 0x0102_0304;

/// The size of the header.
pub const HEADER: usize = 128;

/// What a queue says of itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Header {
    /// The size of the ring.
    pub capacity: u64,
    /// The PID namespace whose numbers of threads its words hold.
    pub namespace: u64,
    /// The boot in which its words are valid.
    pub boot: u128,
}

impl Header {
    /// For a queue that is made here and now.
    pub fn new(capacity: u64) -> Result<Self, Errno> {
        // Without a /proc no number of a thread is written: 0 is no inode.
        let namespace = process::pid_namespace().unwrap_or(0);
        Ok(Self { capacity, namespace, boot: boot() })
    }

    /// Its bytes.
    pub fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&ORDER.to_ne_bytes());
        bytes[12..16].copy_from_slice(&VERSION.to_ne_bytes());
        bytes[16..24].copy_from_slice(&self.capacity.to_ne_bytes());
        bytes[24..32].copy_from_slice(&self.namespace.to_ne_bytes());
        bytes[32..48].copy_from_slice(&self.boot.to_ne_bytes());
        let sum = checksum(&bytes[..HEADER - 8]);
        bytes[HEADER - 8..].copy_from_slice(&sum.to_ne_bytes());
        bytes
    }

    /// What these bytes of an object of this size mean.
    ///
    /// # Errors
    /// [`Error::Foreign`] for what is no queue, or none of this kind; [`Error::Corrupt`] for one that
    /// was damaged.
    pub fn decode(bytes: &[u8; HEADER], size: u64) -> Result<Self, Error> {
        if &bytes[..8] != MAGIC {
            return Err(Error::Foreign("is not a queue"));
        }
        if u32_at(bytes, 8) == ORDER.swap_bytes() {
            return Err(Error::Foreign("was made by a machine of the other byte order"));
        }
        if u32_at(bytes, 8) != ORDER {
            return Err(Error::Corrupt("the byte order in the header is none"));
        }
        if u32_at(bytes, 12) != VERSION {
            return Err(Error::Foreign("is of another version"));
        }
        if u64_at(bytes, HEADER - 8) != checksum(&bytes[..HEADER - 8]) {
            return Err(Error::Corrupt("the checksum of the header is wrong"));
        }
        let capacity = u64_at(bytes, 16);
        let is_possible = (LEAST_CAPACITY..=MOST_CAPACITY).contains(&capacity);
        if !is_possible || !capacity.is_power_of_two() {
            return Err(Error::Corrupt("the capacity in the header is impossible"));
        }
        if HEAD as u64 + capacity != size {
            return Err(Error::Corrupt("the size of the file is not that of the queue"));
        }
        let boot = u128::from(u64_at(bytes, 32)) | u128::from(u64_at(bytes, 40)) << 64;
        let boot = if cfg!(target_endian = "little") { boot } else { boot.rotate_left(64) };
        Ok(Self { capacity, namespace: u64_at(bytes, 24), boot })
    }
}

/// The boot that this is; 0 where that is not known.
pub fn boot() -> u128 {
    let id = process::boot_id().unwrap_or_default().replace('-', "");
    u128::from_str_radix(&id, 16).unwrap_or(0)
}

/// FNV-1a of 64 bits.
fn checksum(bytes: &[u8]) -> u64 {
    let step = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

fn u32_at(bytes: &[u8; HEADER], at: usize) -> u32 {
    let mut value = [0; 4];
    value.copy_from_slice(&bytes[at..at + 4]);
    u32::from_ne_bytes(value)
}

fn u64_at(bytes: &[u8; HEADER], at: usize) -> u64 {
    let mut value = [0; 8];
    value.copy_from_slice(&bytes[at..at + 8]);
    u64::from_ne_bytes(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = HEAD as u64 + 8192;

    #[test]
    fn a_header_comes_back_as_it_was() {
        let header = Header { capacity: 8192, namespace: 7, boot: 1 << 100 | 5 };
        assert_eq!(Header::decode(&header.encode(), SIZE).unwrap(), header);
    }

    #[test]
    fn a_header_in_which_any_bit_is_wrong_is_refused() {
        let header = Header { capacity: 8192, namespace: 7, boot: 5 };
        for bit in 0..HEADER * 8 {
            let mut bytes = header.encode();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::decode(&bytes, SIZE).is_err(), "bit {bit}");
        }
        assert!(Header::decode(&header.encode(), SIZE - 1).is_err());
    }

    #[test]
    fn another_version_and_byte_order_are_refused_as_such() {
        let mut bytes = Header { capacity: 8192, namespace: 7, boot: 5 }.encode();
        bytes[12..16].copy_from_slice(&2_u32.to_ne_bytes());
        let refused = |bytes: &[u8; HEADER]| match Header::decode(bytes, SIZE) {
            Err(Error::Foreign(reason)) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(&bytes), "is of another version");
        bytes[8..12].reverse();
        assert_eq!(refused(&bytes), "was made by a machine of the other byte order");
    }
}
