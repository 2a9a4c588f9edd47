//! Copies of a few bytes, and prefetches of bytes that will be copied.

/// The longest copy without memcpy(3). The memcpy of musl is a string instruction, which starts
/// slowly, above all on lines that another CPU has changed.
const SHORT: usize = 4096;

const STEP: usize = 16;

/// Copies bytes that do not overlap.
///
/// # Safety
/// `from` is valid for reads and `to` for writes of `length` bytes.
#[inline(always)]
pub unsafe fn copy(to: *mut u8, from: *const u8, length: usize) {
    if !(STEP..=SHORT).contains(&length) {
        // SAFETY: as the caller promises.
        return unsafe { std::ptr::copy_nonoverlapping(from, to, length) };
    }
    let mut at = 0;
    while at + STEP <= length {
        // SAFETY: the step is within the length.
        unsafe { copy_step(to, from, at) };
        at += STEP;
    }
    // The last step overlaps the one before it, so that it ends exactly at `length`.
    // SAFETY: the length is at least that of a step.
    unsafe { copy_step(to, from, length - STEP) };
}

/// Copies sixteen bytes.
///
/// # Safety
/// Both pointers are valid for sixteen bytes from `at` on.
#[inline(always)]
unsafe fn copy_step(to: *mut u8, from: *const u8, at: usize) {
    // SAFETY: as the caller promises.
    let from = unsafe { from.add(at) };
    // SAFETY: as the caller promises.
    let value = unsafe { from.cast::<[u64; 2]>().read_unaligned() };
    // SAFETY: as the caller promises.
    let to = unsafe { to.add(at) };
    // SAFETY: as the caller promises.
    unsafe { to.cast::<[u64; 2]>().write_unaligned(value) };
}

/// The size of a cache line.
pub const LINE: usize = 64;

/// Starts to load the line at an address, which need not be mapped.
#[inline(always)]
pub fn prefetch_to_read(at: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch accesses no memory that a program can observe, and never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// Starts to take the line at an address from the caches of other CPUs.
#[inline(always)]
pub fn prefetch_to_write(at: *mut u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: as above; CPUs that lack the instruction do nothing.
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) at, options(nostack, preserves_flags));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// Copies bytes to the beginning of other memory.
///
/// # Panics
/// If it has no room.
#[inline(always)]
pub fn copy_to(to: &mut [u8], bytes: &[u8]) {
    let to = &mut to[..bytes.len()];
    // SAFETY: both slices have so many bytes, and one that is changed overlaps no other.
    unsafe { copy(to.as_mut_ptr(), bytes.as_ptr(), bytes.len()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_any_length_are_copied() {
        for length in (0..70).chain([255, 4095, 4096, 4097, 9000]) {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 7 + 1) as u8).collect();
            let mut all = vec![b'x'; length + 2];
            copy_to(&mut all[1..], &bytes);
            assert_eq!(all, [b"x".as_slice(), &bytes, b"x"].concat());
        }
    }

    #[test]
    #[should_panic(expected = "range end index 2")]
    fn memory_without_room_is_not_written() {
        copy_to(&mut [0], b"no");
    }
}
