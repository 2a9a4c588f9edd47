//! An object whose first bytes are words and whose other bytes are a ring: mmap(2), pread(2),
//! pwrite(2).
//!
//! The words are always mapped. The ring is mapped as well, or reached through the descriptor, which
//! no other process can turn into a signal or into an access beyond the object.

use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use nix::sys::mman::ProtFlags;
use nix::sys::stat::fstat;
use nix::sys::uio::{pread, pwrite};

use super::Pages;
use crate::base::errno::Errno;

/// How the bytes of the ring are reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// Through a mapping.
    Mapping,
    /// Through the descriptor.
    Descriptor,
}

/// An object of `HEAD` bytes of words, and a ring of a power of two bytes behind them.
#[derive(Debug)]
pub struct RingMemory<const HEAD: usize> {
    file: OwnedFd,
    pages: Pages,
    start: *mut c_void,
    capacity: u64,
    reach: Reach,
}

impl<const HEAD: usize> RingMemory<HEAD> {
    /// Maps an object.
    ///
    /// # Errors
    /// Those of mmap(2). EINVAL if `capacity` is not a power of two of at least 8, EOVERFLOW if the
    /// object is larger than the address space.
    pub fn map(file: OwnedFd, capacity: u64, reach: Reach) -> Result<Self, Errno> {
        const { assert!(HEAD.is_multiple_of(8), "the ring has to be aligned") };
        if !capacity.is_power_of_two() || capacity < 8 {
            return Err(Errno(libc::EINVAL));
        }
        let ring = match reach {
            Reach::Mapping => usize::try_from(capacity).map_err(|_| Errno(libc::EOVERFLOW))?,
            Reach::Descriptor => 0,
        };
        let length = HEAD.checked_add(ring).and_then(NonZeroUsize::new);
        let length = length.ok_or(Errno(libc::EOVERFLOW))?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        let pages = Pages::map(&file, 0, length, protection)?;
        let start = pages.start().as_ptr();
        Ok(Self { file, pages, start, capacity, reach })
    }

    /// The object.
    pub fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// How many bytes the ring has.
    #[inline]
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// How the ring is reached.
    #[inline]
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// Whether all that was read and written so far was the object's.
    ///
    /// # Errors
    /// EFAULT if part of it was cut off.
    #[inline]
    pub fn verify(&self) -> Result<(), Errno> {
        self.pages.verify()
    }

    /// Whether the object is as long as it has to be, which a write through the descriptor would
    /// make it again.
    ///
    /// # Errors
    /// EFAULT if it is shorter.
    pub fn verify_size(&self) -> Result<(), Errno> {
        let size = fstat(&self.file)?.st_size as u64;
        if size < HEAD as u64 + self.capacity { Err(Errno(libc::EFAULT)) } else { Ok(()) }
    }

    /// The 32-bit word at this offset.
    ///
    /// # Panics
    /// If it is not aligned, or not among the words.
    #[inline(always)]
    pub fn word(&self, offset: usize) -> &AtomicU32 {
        assert!(offset.is_multiple_of(4) && offset <= HEAD - 4, "no word at {offset}");
        // SAFETY: the word lies within the first HEAD bytes, which are mapped.
        let at = unsafe { self.start.byte_add(offset) };
        // SAFETY: it is aligned, lives as long as the mapping, and is only touched by atomics.
        unsafe { AtomicU32::from_ptr(at.cast()) }
    }

    /// The 64-bit word at this offset.
    ///
    /// # Panics
    /// As [`RingMemory::word`].
    #[inline(always)]
    pub fn long(&self, offset: usize) -> &AtomicU64 {
        assert!(offset.is_multiple_of(8) && offset <= HEAD - 8, "no word at {offset}");
        // SAFETY: the word lies within the first HEAD bytes, which are mapped.
        let at = unsafe { self.start.byte_add(offset) };
        // SAFETY: it is aligned, lives as long as the mapping, and is only touched by atomics.
        unsafe { AtomicU64::from_ptr(at.cast()) }
    }

    /// Eight bytes of the ring, at a multiple of eight, which may be beyond the end.
    ///
    /// # Errors
    /// EUCLEAN for a position that is no multiple of eight.
    #[inline]
    pub fn load(&self, position: u64) -> Result<u64, Errno> {
        match self.cell(position)? {
            Ok(cell) => Ok(cell.load(Ordering::Acquire)),
            Err(offset) => {
                let mut bytes = [0; 8];
                self.read_file(offset, &mut bytes)?;
                Ok(u64::from_ne_bytes(bytes))
            }
        }
    }

    /// Sets eight bytes of the ring, at once.
    ///
    /// # Errors
    /// As [`RingMemory::load`].
    #[inline]
    pub fn store(&self, position: u64, value: u64) -> Result<(), Errno> {
        match self.cell(position)? {
            Ok(cell) => {
                cell.store(value, Ordering::Release);
                Ok(())
            }
            Err(offset) => self.write_file(offset, &value.to_ne_bytes()),
        }
    }

    /// Copies bytes into the ring.
    ///
    /// # Panics
    /// If there are more of them than the ring has.
    #[inline]
    pub fn write(&self, position: u64, bytes: &[u8]) -> Result<(), Errno> {
        let (offset, first) = self.split(position, bytes.len());
        let (first, second) = bytes.split_at(first);
        self.write_part(offset, first)?;
        if second.is_empty() { Ok(()) } else { self.write_part(0, second) }
    }

    /// Appends bytes of the ring. The memory is to be reserved before, or is reserved now.
    ///
    /// # Errors
    /// ENOMEM.
    ///
    /// # Panics
    /// As [`RingMemory::write`].
    #[inline]
    pub fn append(&self, position: u64, length: usize, into: &mut Vec<u8>) -> Result<(), Errno> {
        into.try_reserve(length).map_err(|_| Errno(libc::ENOMEM))?;
        let (offset, first) = self.split(position, length);
        self.append_part(offset, first, into)?;
        if first == length { Ok(()) } else { self.append_part(0, length - first, into) }
    }

    /// The offset in the ring, and how many of these bytes are before its end.
    #[inline(always)]
    fn split(&self, position: u64, length: usize) -> (u64, usize) {
        assert!(length as u64 <= self.capacity, "{length} bytes are more than the ring has");
        let offset = position & (self.capacity - 1);
        (offset, (self.capacity - offset).min(length as u64) as usize)
    }

    /// A cell of the mapping, or its offset where the ring is not mapped.
    #[inline(always)]
    fn cell(&self, position: u64) -> Result<Result<&AtomicU64, u64>, Errno> {
        if !position.is_multiple_of(8) {
            return Err(Errno(libc::EUCLEAN));
        }
        let offset = position & (self.capacity - 1);
        if self.reach == Reach::Descriptor {
            return Ok(Err(offset));
        }
        // SAFETY: the offset is below the capacity, and the whole ring is mapped.
        let at = unsafe { self.start.byte_add(HEAD + offset as usize) };
        // SAFETY: it is aligned, lives as long as the mapping, and is only touched by atomics.
        Ok(Ok(unsafe { AtomicU64::from_ptr(at.cast()) }))
    }

    #[inline(always)]
    fn write_part(&self, offset: u64, bytes: &[u8]) -> Result<(), Errno> {
        if self.reach == Reach::Descriptor {
            return self.write_file(offset, bytes);
        }
        // SAFETY: the part lies within the ring, which is mapped: `split` saw to that.
        let to = unsafe { self.start.byte_add(HEAD + offset as usize) };
        // SAFETY: as above; the bytes are ours.
        unsafe { copy(to.cast(), bytes.as_ptr(), bytes.len()) };
        Ok(())
    }

    #[inline(always)]
    fn append_part(&self, offset: u64, length: usize, into: &mut Vec<u8>) -> Result<(), Errno> {
        let before = into.len();
        if self.reach == Reach::Descriptor {
            into.resize(before + length, 0);
            return self.read_file(offset, &mut into[before..]);
        }
        let to = into.spare_capacity_mut()[..length].as_mut_ptr();
        // SAFETY: the part lies within the ring, which is mapped: `split` saw to that.
        let from = unsafe { self.start.byte_add(HEAD + offset as usize) };
        // SAFETY: as above; the vector has the room, as the slice shows.
        unsafe { copy(to.cast(), from.cast(), length) };
        // SAFETY: these bytes were written just now.
        unsafe { into.set_len(before + length) };
        Ok(())
    }

    #[cold]
    fn read_file(&self, offset: u64, mut bytes: &mut [u8]) -> Result<(), Errno> {
        let mut at = HEAD as i64 + offset as i64;
        while !bytes.is_empty() {
            match pread(&self.file, bytes, at) {
                Ok(0) => return Err(Errno(libc::EFAULT)),
                Ok(count) => (bytes, at) = (&mut bytes[count..], at + count as i64),
                Err(nix::errno::Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    #[cold]
    fn write_file(&self, offset: u64, mut bytes: &[u8]) -> Result<(), Errno> {
        let mut at = HEAD as i64 + offset as i64;
        while !bytes.is_empty() {
            match pwrite(&self.file, bytes, at) {
                Ok(count) => (bytes, at) = (&bytes[count..], at + count as i64),
                Err(nix::errno::Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }
}

/// The longest copy that is made here. A call of memcpy(3), above all of musl's, costs more than
/// the copying of so few bytes.
const SHORT: usize = 256;

/// Copies bytes that do not overlap.
///
/// # Safety
/// `from` can be read and `to` can be written for `length` bytes.
#[inline(always)]
unsafe fn copy(to: *mut u8, from: *const u8, length: usize) {
    const STEP: usize = 16;
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
    // The last step begins earlier, so that it ends with the bytes.
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

/// Orders a store that came before a locked change of a word, against a load that comes after it.
///
/// On x86 the locked instruction has done so already.
#[inline(always)]
pub fn fence_after_change() {
    if cfg!(target_arch = "x86_64") {
        std::sync::atomic::compiler_fence(Ordering::SeqCst);
    } else {
        std::sync::atomic::fence(Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(reach: Reach) -> RingMemory<64> {
        let file = tempfile::tempfile().unwrap();
        file.set_len(64 + 1024).unwrap();
        RingMemory::map(file.into(), 1024, reach).unwrap()
    }

    #[test]
    fn bytes_of_any_length_come_back_also_across_the_end() {
        for reach in [Reach::Mapping, Reach::Descriptor] {
            let memory = memory(reach);
            for length in (0..40).chain([100, 255, 256, 257, 1023, 1024]) {
                for position in [0, 8, 1000, 1016, 1020, 4096 + 1023] {
                    let sent: Vec<u8> = (0..length).map(|i| (i * 7 + 1) as u8).collect();
                    memory.write(position, &sent).unwrap();
                    let mut received = b"before".to_vec();
                    memory.append(position, length, &mut received).unwrap();
                    assert_eq!(received, [b"before".as_slice(), &sent].concat());
                }
            }
        }
    }

    #[test]
    fn a_ring_that_was_cut_off_is_an_error_and_no_signal() {
        for reach in [Reach::Mapping, Reach::Descriptor] {
            let memory = memory(reach);
            nix::unistd::ftruncate(memory.file(), 0).unwrap();
            let loaded = memory.load(0);
            memory.word(0).load(Ordering::Relaxed);
            assert!(loaded.is_err() || memory.verify().is_err());
            assert!(memory.verify().is_err());
        }
    }
}
