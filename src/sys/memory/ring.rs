//! An object with words in its first bytes and a ring in the others: mmap(2), pread(2), pwrite(2).
//!
//! The words are always mapped. The ring is mapped as well, or accessed through the descriptor:
//! then no other process can cause a signal or an access beyond the object.

use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use nix::sys::mman::ProtFlags;
use nix::sys::stat::fstat;
use nix::sys::uio::{pread, pwrite};

use super::Pages;
use super::copy::{LINE, copy, prefetch_to_read, prefetch_to_write};
use crate::base::errno::Errno;

/// The access to the bytes of the ring.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reach {
    /// Through a mapping.
    Mapping,
    /// Through the descriptor.
    Descriptor,
}

/// An object of `HEAD` bytes of words, followed by a ring whose size is a power of two.
#[derive(Debug)]
pub struct RingMemory<const HEAD: usize> {
    file: Rc<OwnedFd>,
    pages: Pages,
    start: *mut c_void,
    capacity: u64,
    reach: Reach,
}

impl<const HEAD: usize> RingMemory<HEAD> {
    /// Maps an object.
    ///
    /// # Errors
    /// EINVAL if `capacity` is not a power of two of at least 8; EOVERFLOW if the object is larger
    /// than the address space; the errors of mmap(2).
    pub fn map(file: Rc<OwnedFd>, capacity: u64, reach: Reach) -> Result<Self, Errno> {
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

    /// The size of the ring in bytes.
    #[inline]
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// The access to the ring.
    #[inline]
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// Checks that all reads and writes of the mapping so far reached the object.
    ///
    /// # Errors
    /// EFAULT if part of the object was truncated.
    #[inline]
    pub fn verify(&self) -> Result<(), Errno> {
        self.pages.verify()
    }

    /// Checks that the object still contains the whole ring. A write through the descriptor would
    /// extend a truncated object again.
    ///
    /// # Errors
    /// EFAULT if the object is shorter.
    pub fn verify_size(&self) -> Result<(), Errno> {
        let size = fstat(&self.file)?.st_size as u64;
        if size < HEAD as u64 + self.capacity { Err(Errno(libc::EFAULT)) } else { Ok(()) }
    }

    /// The 32-bit word at this offset.
    ///
    /// # Panics
    /// If the offset is not aligned, or not within the words.
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

    /// Loads eight bytes of the ring. The position is a multiple of eight, and wraps at the end.
    ///
    /// # Errors
    /// EUCLEAN if the position is not a multiple of eight.
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

    /// Stores eight bytes of the ring in one write.
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

    /// Copies bytes into the ring, across its end if necessary.
    ///
    /// # Panics
    /// If the bytes are more than the ring has.
    #[inline]
    pub fn write(&self, position: u64, bytes: &[u8]) -> Result<(), Errno> {
        let (offset, first) = self.split(position, bytes.len());
        let (first, second) = bytes.split_at(first);
        self.write_part(offset, first)?;
        if second.is_empty() { Ok(()) } else { self.write_part(0, second) }
    }

    /// Appends bytes of the ring to `into`, and reserves the memory if the caller has not.
    ///
    /// # Errors
    /// ENOMEM if `into` cannot grow.
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

    /// Announces that these bytes will soon be read, so that their lines come meanwhile.
    #[inline(always)]
    pub fn will_read(&self, position: u64, length: u64) {
        self.lines(position, length).for_each(|line| prefetch_to_read(line.cast_const()));
    }

    /// Announces that these bytes will soon be written.
    #[inline(always)]
    pub fn will_write(&self, position: u64, length: u64) {
        self.lines(position, length).for_each(prefetch_to_write);
    }

    /// The lines of the mapping that contain these bytes: no more than a CPU can fetch at a time.
    #[inline(always)]
    fn lines(&self, position: u64, length: u64) -> impl Iterator<Item = *mut u8> {
        const MOST: u64 = 32 * LINE as u64;
        let length = if self.reach == Reach::Mapping { length.min(MOST) } else { 0 };
        (0..length).step_by(LINE).map(move |at| {
            let offset = position.wrapping_add(at) & (self.capacity - 1);
            self.start.cast::<u8>().wrapping_add(HEAD + offset as usize)
        })
    }

    /// The offset in the ring, and the number of these bytes that come before its end.
    #[inline(always)]
    fn split(&self, position: u64, length: usize) -> (u64, usize) {
        assert!(length as u64 <= self.capacity, "{length} bytes are more than the ring has");
        let offset = position & (self.capacity - 1);
        (offset, (self.capacity - offset).min(length as u64) as usize)
    }

    /// A cell of the mapping, or the offset of the cell if the ring is not mapped.
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
        // SAFETY: `split` keeps the part within the ring, and the ring is mapped.
        let to = unsafe { self.start.byte_add(HEAD + offset as usize) };
        // SAFETY: as above; `bytes` is a valid slice.
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
        // SAFETY: `split` keeps the part within the ring, and the ring is mapped.
        let from = unsafe { self.start.byte_add(HEAD + offset as usize) };
        // SAFETY: as above; the slice of the spare capacity has `length` bytes.
        unsafe { copy(to.cast(), from.cast(), length) };
        // SAFETY: the copy above initialized these bytes.
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

/// Orders a store before a locked change of a word against a load after the change.
///
/// On x86-64 the locked instruction already does so.
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
        RingMemory::map(Rc::new(file.into()), 1024, reach).unwrap()
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
