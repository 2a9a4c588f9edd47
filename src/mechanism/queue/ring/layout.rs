//! The layout of a queue file: ipc-queue(5).
//!
//! | offset | what |
//! | --- | --- |
//! | 0 | the header, which never changes while the machine runs: [`Header`] |
//! | 128 | the push side |
//! | 256 | the pop side |
//! | 384 | u64: the position at which the next claim starts to search |
//! | 392 | u64: the time of the last search from the head, on the boot clock |
//! | 400 | u64: the number of redeliveries |
//! | 448 | u32: 1 for a closed queue |
//! | 4096 | the ring |
//!
//! A side is two cache lines of 64 bytes, in the byte order of the machine that created the queue:
//!
//! | offset | what |
//! | --- | --- |
//! | 0 | u32: the lock |
//! | 8 | u64: the other side's position, as last seen |
//! | 64 | u32: the number of commits, `seq` |
//! | 68 | u32: the `seq` that a waiter sleeps on |
//! | 72 | two states of 24 bytes: u64 position, u64 messages, u64 bytes; `seq & 1` is live |

use crate::base::errno::Errno;
use crate::sys::process;

use super::Error;

/// The offset of the ring.
pub const HEAD: usize = 4096;

/// The smallest ring.
pub const LEAST_CAPACITY: u64 = 4096;

/// The largest ring that fits in a file.
pub const MOST_CAPACITY: u64 = 1 << 62;

/// The size of the header of a record, which precedes the message.
pub const RECORD: u64 = 16;

/// The offset of the push side.
pub const PUSH: usize = 128;
/// The offset of the pop side.
pub const POP: usize = 256;
/// The offset of the cursor: the next claim starts to search there.
pub const CURSOR: usize = 384;
/// The offset of the time of the last search from the head.
pub const SEARCHED: usize = 392;
/// The offset of the number of redeliveries.
pub const REDELIVERED: usize = 400;
/// The offset of the word that is 1 in a closed queue.
pub const CLOSED: usize = 448;

/// The offset, within a side, of the other side's position as last seen.
pub const HINT: usize = 8;
/// The offset, within a side, of the number of commits.
pub const SEQ: usize = 64;
/// The offset, within a side, of the number of commits that a waiter sleeps on.
pub const WAIT: usize = 68;
/// The offset, within a side, of the first of its two states.
pub const STATE: usize = 72;
/// The size of a state.
pub const STATE_SIZE: usize = 24;

/// The initial value of the waiter's number: no commit reaches it soon, so no commit wakes a waiter
/// that does not exist.
pub const NO_WAIT: u32 = u32::MAX;

/// The byte of the file whose lock replaces the lock word at this offset.
pub const fn lock_byte(offset: usize) -> i64 {
    (1 << 39) + offset as i64
}

/// The byte of the file that a process locks to make the queue valid in this boot.
pub const ADOPTION: i64 = 1 << 39;

/// The byte of the file whose lock is the claim on the message at this position.
///
/// # Errors
/// [`Error::Corrupt`] if no queue can reach the position.
pub fn claim_byte(position: u64) -> Result<i64, Error> {
    let position = i64::try_from(position).ok().filter(|at| *at < 1 << 62);
    Ok((1 << 40) + position.ok_or(Error::Corrupt("a position beyond all that can be reached"))?)
}

/// The size of a record in the ring, for a message of this length.
#[inline]
pub const fn size_of_record(length: u64) -> u64 {
    RECORD + ((length + 7) & !7)
}

/// The first bytes of a queue file.
pub const MAGIC: &[u8; 8] = b"ipcqueue";
const VERSION: u32 = 1;
const ORDER: u32 = 0x0102_0304;

/// The size of the header.
pub const HEADER: usize = 128;

/// The header of a queue file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Header {
    /// The size of the ring.
    pub capacity: u64,
    /// The PID namespace of the thread numbers in the lock words.
    pub namespace: u64,
    /// The boot in which the lock words are valid.
    pub boot: u128,
}

impl Header {
    /// The header of a queue that this process creates in this boot.
    pub fn new(capacity: u64) -> Result<Self, Errno> {
        // If the namespace is unknown, no participant writes its thread number: no namespace has
        // the inode 0.
        let namespace = process::pid_namespace().unwrap_or(0);
        Ok(Self { capacity, namespace, boot: boot() })
    }

    /// Encodes the header, with its checksum.
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

    /// Decodes the header of an object of this size.
    ///
    /// # Errors
    /// [`Error::Foreign`] if the object is not a queue, or is one of another version or byte order;
    /// [`Error::Corrupt`] if it is a damaged queue.
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

/// The ID of this boot; 0 if it is unknown.
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
