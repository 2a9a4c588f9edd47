//! All positions of a byte in a block, found by comparing 64 bytes at a time.

use std::mem;
use std::slice;

use crate::sys::memory::{PIECE, matches};

/// The positions of a byte, in ascending order.
#[derive(Clone, Debug)]
pub struct Positions<'a> {
    byte: u8,
    pieces: slice::Iter<'a, [u8; PIECE]>,
    rest: &'a [u8],
    /// The position behind the present piece.
    end: usize,
    /// A bit for each byte of the present piece that is one of them and was not yielded.
    bits: u64,
}

impl<'a> Positions<'a> {
    /// The positions of this byte in these.
    #[inline]
    pub fn new(byte: u8, bytes: &'a [u8]) -> Self {
        let (pieces, rest) = bytes.as_chunks();
        Self { byte, pieces: pieces.iter(), rest, end: 0, bits: 0 }
    }

    /// Compares the next piece.
    #[inline]
    fn advance(&mut self) -> Option<()> {
        self.bits = match self.pieces.next() {
            Some(piece) => matches(self.byte, piece),
            None => matches(self.byte, &filled_up(mem::take(&mut self.rest), !self.byte)?),
        };
        self.end += PIECE;
        Some(())
    }
}

impl Iterator for Positions<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            self.advance()?;
        }
        let index = self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some(self.end - PIECE + index)
    }
}

/// A piece that begins with these bytes; `None` for none.
fn filled_up(bytes: &[u8], other: u8) -> Option<[u8; PIECE]> {
    let mut piece = [other; PIECE];
    piece[..bytes.len()].copy_from_slice(bytes);
    (!bytes.is_empty()).then_some(piece)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn all_positions_are_found(bytes in prop::collection::vec(0_u8..3, 0..300), byte in 0_u8..3) {
            let naive = (0..bytes.len()).filter(|&index| bytes[index] == byte);
            prop_assert_eq!(Positions::new(byte, &bytes).collect::<Vec<_>>(), naive.collect::<Vec<_>>());
        }

        #[test]
        fn bytes_with_the_highest_bit_are_found(bytes in prop::collection::vec(any::<u8>(), 0..300), byte: u8) {
            let naive = (0..bytes.len()).filter(|&index| bytes[index] == byte);
            prop_assert_eq!(Positions::new(byte, &bytes).collect::<Vec<_>>(), naive.collect::<Vec<_>>());
        }
    }
}
