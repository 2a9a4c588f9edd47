//! Comparisons of many bytes at a time.

/// The number of bytes that are compared at a time: one for each bit of a word.
pub const PIECE: usize = 64;

/// A bit for each byte of a piece that is this one, the lowest for the first byte.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub fn matches(byte: u8, piece: &[u8; PIECE]) -> u64 {
    // SAFETY: every CPU of x86-64 has SSE2.
    unsafe { matches_by_vectors(byte, piece) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
#[inline]
fn matches_by_vectors(byte: u8, piece: &[u8; PIECE]) -> u64 {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8};
    let pattern = _mm_set1_epi8(byte.cast_signed());
    let (vectors, _) = piece.as_chunks::<16>();
    let mut all = 0;
    for (index, vector) in vectors.iter().enumerate() {
        let (halves, _) = vector.as_chunks::<8>();
        let vector = _mm_set_epi64x(i64::from_ne_bytes(halves[1]), i64::from_ne_bytes(halves[0]));
        let bits = _mm_movemask_epi8(_mm_cmpeq_epi8(vector, pattern));
        all |= u64::from(bits.cast_unsigned()) << (16 * index);
    }
    all
}

/// A bit for each byte of a piece that is this one, the lowest for the first byte.
#[cfg(not(target_arch = "x86_64"))]
pub fn matches(byte: u8, piece: &[u8; PIECE]) -> u64 {
    let bits = piece.iter().map(|&other| u64::from(other == byte));
    bits.enumerate().fold(0, |all, (index, bit)| all | bit << index)
}
