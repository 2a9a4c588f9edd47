//! The words at the beginning of an object, in our memory: mmap(2).

use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU32, AtomicU64};

use nix::sys::mman::ProtFlags;

use super::Pages;
use crate::base::errno::Errno;

/// The beginning of an object as words that several processes change at the same time.
#[derive(Debug)]
pub struct SharedWords {
    pages: Pages,
    length: NonZeroUsize,
}

// SAFETY: the memory is only touched by atomics, and unmapped by whoever owns this.
unsafe impl Send for SharedWords {}
// SAFETY: as above.
unsafe impl Sync for SharedWords {}

impl SharedWords {
    /// Maps the first `length` bytes of an object for reading and writing.
    pub fn new(object: impl AsFd, length: NonZeroUsize) -> Result<Self, Errno> {
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        Ok(Self { pages: Pages::map(object, 0, length, protection)?, length })
    }

    /// Whether all that was read and written so far was the object's.
    ///
    /// # Errors
    /// EFAULT if it was cut off, or had a hole that the file system has no room to fill.
    pub fn verify(&self) -> Result<(), Errno> {
        self.pages.verify()
    }

    /// The aligned 32-bit cell at this offset.
    ///
    /// # Panics
    /// If the cell is not aligned, or not within the mapping.
    pub fn atomic_u32(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: the cell is aligned, lives as long as the mapping, and is only touched by atomics.
        unsafe { AtomicU32::from_ptr(self.cell(offset, size_of::<u32>()).cast()) }
    }

    /// The aligned 64-bit cell at this offset.
    ///
    /// # Panics
    /// As [`SharedWords::atomic_u32`].
    pub fn atomic_u64(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: the cell is aligned, lives as long as the mapping, and is only touched by atomics.
        unsafe { AtomicU64::from_ptr(self.cell(offset, size_of::<u64>()).cast()) }
    }

    fn cell(&self, offset: usize, size: usize) -> *mut c_void {
        let within = offset.checked_add(size).is_some_and(|end| end <= self.length.get());
        assert!(offset.is_multiple_of(size) && within, "no cell of {size} bytes at {offset}");
        // SAFETY: the offset is within the mapping.
        unsafe { self.pages.start().as_ptr().byte_add(offset) }
    }
}
